import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { processBatch } from '../../shared/aws/batch.ts';
import { stepMessageOf } from '../../shared/aws/events.ts';
import { claudeClient, profiles, runtime, stepTools } from '../../shared/runtime.ts';
import { readSettings } from '../../shared/settings.ts';
import { release } from '../../shared/steps/release.ts';
import { type UploadTools, upload } from '../../shared/steps/upload.ts';

let ready: ReturnType<typeof prepare> | undefined;

/** Everything that changes files at Claude: uploads, and the release of what nobody refers to. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  ready ??= prepare();
  const { batch, tools } = ready;
  return processBatch(event, context, batch, async (body) => {
    const message = stepMessageOf(body);
    if (message.step === 'upload') return upload(message, tools);
    if (message.step === 'release') return release(message, tools);
    throw new Error(`a message for ${message.step} is in the queue of upload`);
  });
}

function prepare() {
  const base = runtime();
  const settings = readSettings(process.env, [
    'table',
    'stagingBucket',
    'uploadQueueUrl',
    'summarizeQueueUrl',
    'intakeQueueUrl',
    'claudeBaseUrl',
    'claudeDialect',
    'claudeApiKeySecret',
    'filesPerMinute',
    'keepRemoteFiles',
    'model',
  ]);
  const shared = stepTools(base, settings);
  const tools: UploadTools = {
    ...shared,
    claude: claudeClient(base, settings, shared.table),
    owner: base.owner,
    leaseMs: 60_000,
    expiryMarginMs: 24 * 3_600_000,
    profileFor: profiles(settings.model),
    keepRemoteFiles: settings.keepRemoteFiles,
  };
  return { batch: { ...base, queueUrl: settings.uploadQueueUrl }, tools };
}
