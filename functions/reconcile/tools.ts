import type { StepMessage } from '../../shared/journey/messages.ts';
import { queuedSteps, stuckMs } from '../../shared/journey/steps.ts';
import type { ReconcileTools } from '../../shared/reconcile/duty.ts';
import type { Ports } from '../ports.ts';
import { deadLettersUrlOf, type QueueUrls, queueUrlOf, type Settings } from '../settings.ts';
import { batchTools, configOf, moneyTools, stepOf } from '../tools.ts';
import { uploadStep } from '../upload/step.ts';

/** The reconciler's settings: those of the upload step, because it repairs uploads, and its own. */
export const reconcileSettings = [
  ...uploadStep.settings,
  'inboxBucket',
  'resultsBucket',
  'batchSeconds',
  'renderQueueUrl',
  'intakeDeadLettersUrl',
  'renderDeadLettersUrl',
  'uploadDeadLettersUrl',
  'summarizeDeadLettersUrl',
] as const satisfies readonly (keyof Settings)[];

const hourMs = 3_600_000;

/** The reconciler's tools, without the options of a single run. */
export function reconcileTools(
  ports: Ports,
  settings: Pick<Settings, (typeof reconcileSettings)[number]>,
): Omit<ReconcileTools, 'dryRun' | 'sweep' | 'resume' | 'retry' | 'timeLeft'> {
  const table = ports.table(settings.table);
  const shared = uploadStep.tools(ports, settings);
  return {
    ...shared,
    ...moneyTools(ports, { table, costs: shared.costs }, configOf(ports, settings)),
    ...batchTools(table, ports, settings),
    table,
    dialect: settings.claudeDialect,
    queues: ports.queues,
    sendAll: (messages) => sendAll(messages, ports, settings),
    sleep: ports.sleep,
    deadLetters: queuedSteps.map((step) => ({ step, url: deadLettersUrlOf(step, settings) })),
    backlog: (step) => ports.queues.backlog(queueUrlOf(step, settings)),
    inboxBucket: settings.inboxBucket,
    resultsBucket: settings.resultsBucket,
    stuckMs,
    quickShareMs: 6 * 60_000,
    orphanGraceMs: 6 * hourMs,
    sweepMs: 6 * hourMs,
    refreshMs: 72 * hourMs,
  };
}

async function sendAll(
  messages: readonly StepMessage[],
  { queues }: Pick<Ports, 'queues'>,
  settings: QueueUrls,
): Promise<void> {
  const byQueue = Map.groupBy(messages, (message) => queueUrlOf(stepOf(message), settings));
  for (const [url, group] of byQueue) await queues.sendAll(url, group);
}
