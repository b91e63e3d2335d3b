import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { processBatch } from '../../shared/aws/batch.ts';
import { changesOf } from '../../shared/aws/events.ts';
import { ConversionSandbox } from '../../shared/formats/sandbox.ts';
import { profiles, runtime, stepTools } from '../../shared/runtime.ts';
import { readSettings } from '../../shared/settings.ts';
import { type NormalizeTools, normalize } from '../../shared/steps/normalize.ts';
import { done, type Outcome } from '../../shared/steps/outcome.ts';

let ready: ReturnType<typeof prepare> | undefined;

/** S3 events (and parts of mails and archives) → what Claude takes, staged; then to upload. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  ready ??= prepare();
  const { batch, tools } = ready;
  return processBatch(event, context, batch, async (body) => {
    let outcome: Outcome = done;
    for (const change of changesOf(body)) {
      const one = await normalize(change, tools);
      if (one.next !== 'done') outcome = one;
    }
    return outcome;
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
    'summarizeQueueUrl',
    'model',
    'limits',
  ]);
  const here = dirname(fileURLToPath(import.meta.url));
  const sandbox = new ConversionSandbox({ entry: join(here, 'worker.mjs') });
  const tools: NormalizeTools = {
    ...stepTools(base, settings),
    convert: (input) => sandbox.convert(input),
    limits: settings.limits,
    profileFor: profiles(settings.model),
  };
  return { batch: { ...base, queueUrl: settings.intakeQueueUrl }, tools };
}
