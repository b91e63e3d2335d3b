import { stepMessageOf } from '../../shared/aws/events.ts';
import { defaultPrices } from '../../shared/claude/prices.ts';
import { type SummarizeTools, summarize } from '../../shared/steps/summarize.ts';
import {
  claudeClient,
  misdirected,
  profiles,
  queueHandler,
  type Runtime,
  stepTools,
} from '../runtime.ts';
import { claudeSettings, readSettings, stepSettings } from '../settings.ts';

/** Uploaded files → summaries with citations and their cost. */
export const handler = queueHandler(prepare, async (body, tools) => {
  const message = stepMessageOf(body);
  if (message.step === 'summarize') return summarize(message, tools);
  throw misdirected(message.step, 'summarize');
});

function prepare(base: Runtime) {
  const settings = readSettings(process.env, [
    ...stepSettings,
    ...claudeSettings,
    'resultsBucket',
    'summarizeQueueUrl',
  ]);
  const shared = stepTools(base, settings);
  const tools: SummarizeTools = {
    ...shared,
    claude: claudeClient(base, settings, shared.table),
    prices: defaultPrices,
    owner: base.owner,
    leaseMs: 11 * 60_000,
    callTimeoutMs: 9 * 60_000,
    profileFor: profiles(settings),
    resultsBucket: settings.resultsBucket,
  };
  return { queueUrl: settings.summarizeQueueUrl, tools };
}
