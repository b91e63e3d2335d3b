import { defaultPrices } from '../../shared/claude/prices.ts';
import { callLeaseMs, callTimeoutMs } from '../../shared/journey/steps.ts';
import { type SummarizeTools, summarize } from '../../shared/steps/summarize.ts';
import { claudeClient } from '../claude.ts';
import { claudeSettings, type Settings, stepSettings } from '../settings.ts';
import { messageFor, type StepFunction } from '../step-function.ts';
import { profiles, stepTools } from '../tools.ts';

const settings = [
  ...stepSettings,
  ...claudeSettings,
  'resultsBucket',
  'summarizeQueueUrl',
] as const satisfies readonly (keyof Settings)[];

/** Uploaded files → summaries with citations and their cost. */
export const summarizeStep: StepFunction<(typeof settings)[number], SummarizeTools> = {
  step: 'summarize',
  settings,
  tools: (ports, chosen) => {
    const apiKey = ports.apiKey(chosen.claudeApiKeySecret);
    const shared = stepTools(ports, chosen, apiKey);
    return {
      ...shared,
      claude: claudeClient(ports, chosen, shared, apiKey),
      prices: defaultPrices,
      owner: ports.owner,
      leaseMs: callLeaseMs,
      callTimeoutMs,
      profileFor: profiles(chosen),
      resultsBucket: chosen.resultsBucket,
    };
  },
  work: (body, tools) => summarize(messageFor('summarize', body, ['summarize']), tools),
};
