import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { processBatch } from '../../shared/aws/batch.ts';
import { stepMessageOf } from '../../shared/aws/events.ts';
import { createRenderer } from '../../shared/render/index.ts';
import { runtime, stepTools } from '../../shared/runtime.ts';
import { readSettings } from '../../shared/settings.ts';
import { type RenderTools, render } from '../../shared/steps/render.ts';

let ready: ReturnType<typeof prepare> | undefined;

/** docx that text cannot carry → PDF, staged; then to upload. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  ready ??= prepare();
  const { batch, tools } = ready;
  return processBatch(event, context, batch, async (body) => {
    const message = stepMessageOf(body);
    if (message.step === 'render') return render(message, tools);
    throw new Error(`a message for ${message.step} is in the queue of render`);
  });
}

function prepare() {
  const base = runtime();
  const settings = readSettings(process.env, [
    'table',
    'stagingBucket',
    'intakeQueueUrl',
    'renderQueueUrl',
    'uploadQueueUrl',
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
  return { batch: { ...base, queueUrl: settings.renderQueueUrl }, tools };
}
