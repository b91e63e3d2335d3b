import { queuedSteps, stuckMs } from '../../shared/journey/steps.ts';
import type { ReconcileTools } from '../../shared/reconcile/duty.ts';
import type { Ports } from '../ports.ts';
import { deadLettersUrlOf, queueUrlOf, type Settings } from '../settings.ts';
import { uploadStep } from '../upload/step.ts';

/** The reconciler's settings: those of the upload step, because it repairs uploads, and its own. */
export const reconcileSettings = [
  ...uploadStep.settings,
  'inboxBucket',
  'resultsBucket',
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
): Omit<ReconcileTools, 'dryRun' | 'sweep' | 'retry' | 'timeLeft'> {
  return {
    ...uploadStep.tools(ports, settings),
    table: ports.table(settings.table),
    dialect: settings.claudeDialect,
    queues: ports.queues,
    deadLetters: queuedSteps.map((step) => ({ step, url: deadLettersUrlOf(step, settings) })),
    backlog: (step) => ports.queues.backlog(queueUrlOf(step, settings)),
    inboxBucket: settings.inboxBucket,
    resultsBucket: settings.resultsBucket,
    stuckMs,
    orphanGraceMs: 6 * hourMs,
    sweepMs: 6 * hourMs,
    refreshMs: 72 * hourMs,
  };
}
