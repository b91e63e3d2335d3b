import { type RenderTools, render } from '../../shared/steps/render.ts';
import { type Settings, stepSettings } from '../settings.ts';
import { messageFor, type StepFunction } from '../step-function.ts';
import { stepTools } from '../tools.ts';

const settings = [
  ...stepSettings,
  'renderQueueUrl',
  'limits',
  'renderer',
  'browserPath',
  'sofficePath',
] as const satisfies readonly (keyof Settings)[];

/** docx files that lose too much as text → staged PDF; then to upload. */
export const renderStep: StepFunction<
  (typeof settings)[number],
  RenderTools,
  Pick<RenderTools, 'print'>
> = {
  step: 'render',
  settings,
  tools: (ports, chosen) => ({
    ...stepTools(ports, chosen),
    print: ports.print,
    limits: chosen.limits,
  }),
  work: (body, tools) => render(messageFor('render', body, ['render']), tools),
};
