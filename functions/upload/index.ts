import { stepMessageOf } from '../../shared/aws/events.ts';
import { release } from '../../shared/steps/release.ts';
import { type UploadTools, upload } from '../../shared/steps/upload.ts';
import {
  claudeClient,
  misdirected,
  profiles,
  queueHandler,
  type Runtime,
  stepTools,
} from '../runtime.ts';
import { claudeSettings, readSettings, stepSettings } from '../settings.ts';

/** Everything that changes files at Claude: uploads, and the release of what nobody refers to. */
export const handler = queueHandler(prepare, async (body, tools) => {
  const message = stepMessageOf(body);
  if (message.step === 'upload') return upload(message, tools);
  if (message.step === 'release') return release(message, tools);
  throw misdirected(message.step, 'upload');
});

function prepare(base: Runtime) {
  const settings = readSettings(process.env, [
    ...stepSettings,
    ...claudeSettings,
    'summarizeQueueUrl',
    'keepRemoteFiles',
  ]);
  const shared = stepTools(base, settings);
  const tools: UploadTools = {
    ...shared,
    claude: claudeClient(base, settings, shared.table),
    owner: base.owner,
    leaseMs: 60_000,
    expiryMarginMs: 24 * 3_600_000,
    profileFor: profiles(settings),
    keepRemoteFiles: settings.keepRemoteFiles,
  };
  return { queueUrl: settings.uploadQueueUrl, tools };
}
