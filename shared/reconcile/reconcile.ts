import { z } from 'zod';
import { outcomeOf } from '../claude/outcome.ts';
import { dutyFailed, sweepIsBehind } from '../journey/alarm-lines.ts';
import { Defer } from '../journey/errors.ts';
import { callForBatches } from './batches.ts';
import { rebuildBudgets, settleLapsed } from './budgets.ts';
import { sweepContents } from './contents.ts';
import { buryDeadLetters } from './dead-letters.ts';
import type { Duty, DutyTools, ReconcileTools } from './duty.ts';
import { announceMissed } from './missed.ts';
import { sweepOrphans } from './orphans.ts';
import { forgetPast } from './past.ts';
import { announceRemoved } from './removals.ts';
import { note, type ReconcileReport } from './report.ts';
import { resumeHeld } from './resume.ts';
import { sweepStaged } from './staged.ts';
import { reportStoppedLanes } from './stopped-lanes.ts';
import { resendStuck, retryFailed } from './stuck.ts';

/** The duties, in order. The quick ones unblock documents: every run begins with them. */
const quick = {
  deadLetters: buryDeadLetters,
  failed: retryFailed,
  reservations: settleLapsed,
  held: resumeHeld,
  stuck: resendStuck,
  batches: callForBatches,
};
/** Checks everything: less often, and over several runs if one is too short. */
const sweep = {
  missed: announceMissed,
  staged: sweepStaged,
  removed: announceRemoved,
  past: forgetPast,
  contents: sweepContents,
  orphans: sweepOrphans,
  budgets: rebuildBudgets,
};

const placeSchema = z.object({ duty: z.string(), cursor: z.string().optional() });
/** Where a round resumes. */
type Place = z.infer<typeof placeSchema>;

const stateSchema = z.object({
  quick: placeSchema.optional(),
  sweep: placeSchema.optional(),
  /** When the last whole sweep ended. */
  sweptAt: z.string().optional(),
  /** Since when a sweep has been due, while it is. */
  dueSince: z.string().optional(),
  /** Messages that waited in the intake queue when the sweep began. */
  intakeWaiting: z.number().default(0),
  /** Running sums of the orphan sweep, which may take more than one run. */
  storageBytes: z.number().default(0),
  remoteFiles: z.number().default(0),
});
type State = z.infer<typeof stateSchema>;

const dayMs = 24 * 3_600_000;

const stateKey = { pk: 'RECONCILE', sk: 'STATE' };

/**
 * Compares the ledger with the bucket, the queues and the Files API, and repairs what a crash, a lost event or
 * a manual change left behind. Every repair follows the steps' own rules, so it is safe beside any worker, when
 * run twice, and when it dies anywhere.
 *
 * It works a page at a time until `timeLeft` returns false; its position is saved in the ledger, and the next
 * run resumes there.
 * @returns the report, which is also stored in the results bucket
 */
export async function reconcile(runTools: ReconcileTools): Promise<ReconcileReport> {
  const tools: DutyTools = { ...runTools, intakeWaiting: 0 };
  const startedAt = new Date(tools.now()).toISOString();
  const report: ReconcileReport = {
    startedAt,
    dryRun: tools.dryRun,
    unfinished: false,
    counts: {},
    ids: {},
  };
  // A dry run reports everything, not just what an unfinished run has left to do.
  const saved = tools.dryRun ? undefined : await tools.table.get(stateKey);
  const state = stateSchema.parse(saved ?? {});
  report.storageBytes = state.storageBytes;
  report.remoteFiles = state.remoteFiles;

  // Saved with the first page: if this run is too short, the next one sweeps.
  if (tools.sweep) delete state.sweptAt;
  const due =
    state.sweep !== undefined || !state.sweptAt || sinceMs(state.sweptAt, tools) >= tools.sweepMs;
  if (due) state.dueSince ??= startedAt;
  if (due && !state.sweep) state.intakeWaiting = await tools.backlog('normalize');
  tools.intakeWaiting = state.intakeWaiting;
  // Documents wait for the quick round, so it runs every time; a sweep that is due has the rest of the run.
  const quickEndsAt = tools.now() + tools.quickShareMs;
  const hasQuickTime = () => tools.timeLeft() && (!due || tools.now() < quickEndsAt);
  const unblocked = await goRound(
    quick,
    state.quick,
    hasQuickTime,
    tools,
    report,
    async (place) => {
      state.quick = place;
      await save(state, tools, report);
    },
  );
  const swept =
    due &&
    (await goRound(sweep, state.sweep, tools.timeLeft, tools, report, async (place) => {
      state.sweep = place;
      if (!place) {
        state.sweptAt = new Date(tools.now()).toISOString();
        state.dueSince = undefined;
      }
      await save(state, tools, report);
    }));
  report.unfinished = !unblocked || (due && !swept);
  if (state.dueSince && sinceMs(state.dueSince, tools) > dayMs) {
    tools.log.error(sweepIsBehind, { dueSince: state.dueSince, at: state.sweep?.duty });
  }
  if (!swept) {
    delete report.storageBytes;
    delete report.remoteFiles;
  }
  if (!tools.dryRun) await reportStoppedLanes(tools);
  report.endedAt = new Date(tools.now()).toISOString();
  await tools.objects.putText(
    { bucket: tools.resultsBucket, key: `reconcile/${startedAt}.json` },
    JSON.stringify(report, null, 2),
    'application/json',
  );
  return report;
}

/**
 * Does the duties of a round from `place` on, page by page, and calls `arrived` with its position after each.
 * @returns false when it had to stop before the end
 */
async function goRound(
  duties: Record<string, Duty>,
  place: Place | undefined,
  timeLeft: () => boolean,
  tools: DutyTools,
  report: ReconcileReport,
  arrived: (place: Place | undefined) => Promise<void>,
): Promise<boolean> {
  const names = Object.keys(duties);
  // A round always moves on by a page, so that however short the runs are, each round ends some day.
  let isFirst = true;
  let at = place && duties[place.duty] ? place : { duty: names[0] ?? '' };
  for (;;) {
    const duty = duties[at.duty];
    if (!duty) return true;
    if (!timeLeft() && !isFirst) return false;
    isFirst = false;
    let cursor: string | undefined;
    try {
      cursor = await duty(at.cursor, tools, report);
    } catch (thrown) {
      const { error } = outcomeOf(thrown, 'reconcile');
      // No free slot in the pace, or asked to wait: the next run resumes at this page.
      if (error instanceof Defer) return false;
      // One duty that fails must not stop the others.
      const reason = error instanceof Error ? error.message : String(error);
      note(report, 'errors', `${at.duty}: ${reason}`);
      if (!tools.dryRun) tools.log.error(dutyFailed, { duty: at.duty, reason });
    }
    at = cursor ? { duty: at.duty, cursor } : { duty: names[names.indexOf(at.duty) + 1] ?? '' };
    await arrived(at.duty ? at : undefined);
  }
}

async function save(state: State, tools: ReconcileTools, report: ReconcileReport): Promise<void> {
  // A dry run leaves no trace, not even its position.
  if (tools.dryRun) return;
  const { storageBytes, remoteFiles } = state.sweep ? report : {};
  await tools.table.put({
    ...stateKey,
    ...state,
    storageBytes: storageBytes ?? 0,
    remoteFiles: remoteFiles ?? 0,
    updatedAt: new Date(tools.now()).toISOString(),
  });
}

function sinceMs(at: string, tools: ReconcileTools): number {
  return tools.now() - Date.parse(at);
}
