import { stepMessageOf } from '../../shared/aws/events.ts';
import { createRenderer } from '../../shared/print/index.ts';
import { type RenderTools, render } from '../../shared/steps/render.ts';
import { misdirected, queueHandler, type Runtime, stepTools } from '../runtime.ts';
import { readSettings, stepSettings } from '../settings.ts';

/** docx that text cannot carry → PDF, staged; then to upload. */
export const handler = queueHandler(prepare, async (body, tools) => {
  const message = stepMessageOf(body);
  if (message.step === 'render') return render(message, tools);
  throw misdirected(message.step, 'render');
});

function prepare(base: Runtime) {
  const settings = readSettings(process.env, [
    ...stepSettings,
    'renderQueueUrl',
    'limits',
    'renderer',
    'browserPath',
    'sofficePath',
  ]);
  const renderer = createRenderer();
  const { browserPath, sofficePath } = settings;
  const tools: RenderTools = {
    ...stepTools(base, settings),
    print: (input) =>
      renderer.render({
        ...input,
        timeoutMs: settings.limits.maxSeconds * 1000,
        renderer: settings.renderer,
        ...(browserPath ? { browserPath } : {}),
        ...(sofficePath ? { sofficePath } : {}),
      }),
    limits: settings.limits,
  };
  return { queueUrl: settings.renderQueueUrl, tools };
}
