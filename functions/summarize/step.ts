import { callLeaseMs, callTimeoutMs } from '../../shared/journey/steps.ts';
import { BatchedAnswers } from '../../shared/ledger/batched-answers.ts';
import { batchTurn } from '../../shared/steps/batch-turn.ts';
import { type SummarizeTools, summarize, wake } from '../../shared/steps/summarize.ts';
import { claudeClient } from '../claude.ts';
import { claudeSettings, type Settings, stepSettings } from '../settings.ts';
import { messageFor, type StepFunction } from '../step-function.ts';
import { answerTools, batchTools, configOf, moneyTools } from '../tools.ts';

const settings = [
  ...stepSettings,
  ...claudeSettings,
  'resultsBucket',
  'summarizeQueueUrl',
  'batchSeconds',
] as const satisfies readonly (keyof Settings)[];

/** Uploaded files → summaries with citations and cost. */
export const summarizeStep: StepFunction<(typeof settings)[number], SummarizeTools> = {
  step: 'summarize',
  settings,
  tools: (ports, chosen) => {
    const apiKey = ports.apiKey(chosen.claudeApiKeySecret);
    const config = configOf(ports, chosen);
    const shared = answerTools(ports, chosen, apiKey);
    return {
      ...shared,
      claude: claudeClient(ports, chosen, shared, apiKey),
      ...moneyTools(ports, shared, config),
      owner: ports.owner,
      leaseMs: callLeaseMs,
      callTimeoutMs,
      profileFor: config.profileFor,
      sleep: (ms) => ports.sleep(ms),
      batched: new BatchedAnswers(shared.table, ports.now),
      ...batchTools(shared.table, ports, chosen),
      backlog: () => ports.queues.backlog(chosen.summarizeQueueUrl ?? ''),
    };
  },
  work: (body, tools) => {
    const message = messageFor('summarize', body, ['summarize', 'wake', 'batch']);
    if (message.step === 'batch') return batchTurn(message, tools);
    return message.step === 'summarize' ? summarize(message, tools) : wake(message, tools);
  },
};
