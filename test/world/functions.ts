import { normalizeStep } from '../../functions/normalize/step.ts';
import type { Ports } from '../../functions/ports.ts';
import { renderStep } from '../../functions/render/step.ts';
import type { Settings } from '../../functions/settings.ts';
import { stepHandler } from '../../functions/step-function.ts';
import { summarizeStep } from '../../functions/summarize/step.ts';
import { uploadStep } from '../../functions/upload/step.ts';
import type { QueueName } from '../../shared/journey/steps.ts';
import type { NormalizeTools } from '../../shared/steps/normalize.ts';
import type { RenderTools } from '../../shared/steps/render.ts';

/** The ports of a world's functions. */
export type WorldPorts = Ports & Pick<NormalizeTools, 'convert'> & Pick<RenderTools, 'print'>;

type Handler = (
  ports: WorldPorts,
  settings: Settings,
) => ReturnType<typeof stepHandler<keyof Settings, unknown, object>>;

/** The deployed functions by the queue they work on, with the ports of a world. */
export const stepHandlers: Record<QueueName, Handler> = {
  intake: (ports, settings) => stepHandler(normalizeStep, ports, settings),
  render: (ports, settings) => stepHandler(renderStep, ports, settings),
  upload: (ports, settings) => stepHandler(uploadStep, ports, settings),
  summarize: (ports, settings) => stepHandler(summarizeStep, ports, settings),
};
