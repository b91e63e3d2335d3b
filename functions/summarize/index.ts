import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { processBatch } from '../../shared/aws/batch.ts';
import { stepMessageOf } from '../../shared/aws/events.ts';
import { defaultPrices } from '../../shared/claude/prices.ts';
import { claudeClient, profiles, runtime, stepTools } from '../../shared/runtime.ts';
import { readSettings } from '../../shared/settings.ts';
import { type SummarizeTools, summarize } from '../../shared/steps/summarize.ts';

let ready: ReturnType<typeof prepare> | undefined;

/** Uploaded files → summaries with citations and their cost. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  ready ??= prepare();
  const { batch, tools } = ready;
  return processBatch(event, context, batch, async (body) => {
    const message = stepMessageOf(body);
    if (message.step === 'summarize') return summarize(message, tools);
    throw new Error(`a message for ${message.step} is in the queue of summarize`);
  });
}

function prepare() {
  const base = runtime();
  const settings = readSettings(process.env, [
    'table',
    'stagingBucket',
    'resultsBucket',
    'uploadQueueUrl',
    'summarizeQueueUrl',
    'intakeQueueUrl',
    'claudeBaseUrl',
    'claudeDialect',
    'claudeApiKeySecret',
    'filesPerMinute',
    'model',
  ]);
  const shared = stepTools(base, settings);
  const tools: SummarizeTools = {
    ...shared,
    claude: claudeClient(base, settings, shared.table),
    prices: defaultPrices,
    owner: base.owner,
    leaseMs: 11 * 60_000,
    callTimeoutMs: 9 * 60_000,
    profileFor: profiles(settings.model),
    resultsBucket: settings.resultsBucket,
  };
  return { batch: { ...base, queueUrl: settings.summarizeQueueUrl }, tools };
}
