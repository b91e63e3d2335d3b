import { claimLeaseMs } from '../../shared/journey/steps.ts';
import { release } from '../../shared/steps/release.ts';
import { type UploadTools, upload } from '../../shared/steps/upload.ts';
import { claudeClient } from '../claude.ts';
import { claudeSettings, type Settings, stepSettings } from '../settings.ts';
import { messageFor, type StepFunction } from '../step-function.ts';
import { answerTools, configOf, dayMs } from '../tools.ts';

const settings = [
  ...stepSettings,
  ...claudeSettings,
  'summarizeQueueUrl',
  'keepRemoteFiles',
  'resultsBucket',
] as const satisfies readonly (keyof Settings)[];

/** All changes to files at Claude: uploads, and the release of files that no document refers to. */
export const uploadStep: StepFunction<(typeof settings)[number], UploadTools> = {
  step: 'upload',
  settings,
  tools: (ports, chosen) => {
    const apiKey = ports.apiKey(chosen.claudeApiKeySecret);
    const shared = answerTools(ports, chosen, apiKey);
    const { profileFor, prices } = configOf(ports, chosen);
    return {
      ...shared,
      claude: claudeClient(ports, chosen, shared, apiKey),
      owner: ports.owner,
      leaseMs: claimLeaseMs,
      expiryMarginMs: 24 * 3_600_000,
      profileFor,
      prices,
      keepRemoteFiles: chosen.keepRemoteFiles,
      keepPastMs: chosen.keepPastDays * dayMs,
    };
  },
  work: (body, tools) => {
    const message = messageFor('upload', body, ['upload', 'release']);
    return message.step === 'upload' ? upload(message, tools) : release(message, tools);
  },
};
