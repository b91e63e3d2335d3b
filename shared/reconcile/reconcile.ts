import { z } from 'zod';
import { outcomeOf } from '../claude/outcome.ts';
import { Defer } from '../journey/errors.ts';
import { sweepContents } from './contents.ts';
import { buryDeadLetters } from './dead-letters.ts';
import type { Duty, ReconcileTools } from './duty.ts';
import { announceMissed } from './missed.ts';
import { sweepOrphans } from './orphans.ts';
import { note, type ReconcileReport } from './report.ts';
import { resumeHeld } from './resume.ts';
import { sweepStaged } from './staged.ts';
import { resendStuck, retryFailed } from './stuck.ts';

/** The duties in the order they are done. The quick ones unblock documents: every run begins with them. */
const quick = {
  deadLetters: buryDeadLetters,
  failed: retryFailed,
  held: resumeHeld,
  stuck: resendStuck,
};
/** Everything there is, is gone through: less often, and over several runs where one is too short. */
const sweep = {
  missed: announceMissed,
  staged: sweepStaged,
  contents: sweepContents,
  orphans: sweepOrphans,
};

const placeSchema = z.object({ duty: z.string(), cursor: z.string().optional() });
/** Where a round goes on. */
type Place = z.infer<typeof placeSchema>;

const stateSchema = z.object({
  quick: placeSchema.optional(),
  sweep: placeSchema.optional(),
  /** The quick round came to its end, and the sweep did not get a page since. */
  sweepIsNext: z.boolean().default(false),
  /** When the last whole sweep ended. */
  sweptAt: z.string().optional(),
  /** Running sums of the orphan sweep, which one run may not bring to its end. */
  storageBytes: z.number().default(0),
  remoteFiles: z.number().default(0),
});
type State = z.infer<typeof stateSchema>;

const stateKey = { pk: 'RECONCILE', sk: 'STATE' };

/**
 * Compares the ledger with the bucket, the queues and the Files API, and repairs what a crash, a
 * lost event or somebody's hand left behind. Every repair is one that the steps' own rules allow,
 * so it may meet any worker, run twice, or die anywhere.
 *
 * It works a page at a time until `timeLeft` says no; where it is stands in the ledger, and the
 * next run goes on there.
 */
export async function reconcile(tools: ReconcileTools): Promise<ReconcileReport> {
  const startedAt = new Date(tools.now()).toISOString();
  const report: ReconcileReport = {
    startedAt,
    dryRun: tools.dryRun,
    unfinished: false,
    counts: {},
    ids: {},
  };
  // A dry run tells of everything, not of what a run under way has still before it.
  const saved = tools.dryRun ? undefined : await tools.table.get(stateKey);
  const state = stateSchema.parse(saved ?? {});
  report.storageBytes = state.storageBytes;
  report.remoteFiles = state.remoteFiles;

  // Written down with the first page: where this run is too short for it, the next one sweeps.
  if (tools.sweep) delete state.sweptAt;
  const due =
    state.sweep !== undefined || !state.sweptAt || sinceMs(state.sweptAt, tools) >= tools.sweepMs;
  // Where one run has no time for more than the quick round, the sweep gets the next one.
  const unblocked =
    (due && state.sweepIsNext) ||
    (await goRound(quick, state.quick, tools, report, async (place) => {
      state.quick = place;
      if (!place) state.sweepIsNext = true;
      await save(state, tools, report);
    }));
  const swept =
    unblocked &&
    due &&
    (await goRound(sweep, state.sweep, tools, report, async (place) => {
      state.sweep = place;
      state.sweepIsNext = false;
      if (!place) state.sweptAt = new Date(tools.now()).toISOString();
      await save(state, tools, report);
    }));
  report.unfinished = !unblocked || (due && !swept);
  if (!swept) {
    delete report.storageBytes;
    delete report.remoteFiles;
  }
  report.endedAt = new Date(tools.now()).toISOString();
  await tools.objects.putText(
    { bucket: tools.resultsBucket, key: `reconcile/${startedAt}.json` },
    JSON.stringify(report, null, 2),
    'application/json',
  );
  return report;
}

/**
 * Does the duties of a round from `place` on, page by page, and tells `arrived` after each where it is.
 * @returns false when it had to stop before the end
 */
async function goRound(
  duties: Record<string, Duty>,
  place: Place | undefined,
  tools: ReconcileTools,
  report: ReconcileReport,
  arrived: (place: Place | undefined) => Promise<void>,
): Promise<boolean> {
  const names = Object.keys(duties);
  let at = place && duties[place.duty] ? place : { duty: names[0] ?? '' };
  for (;;) {
    const slice = duties[at.duty];
    if (!slice) return true;
    if (!tools.timeLeft()) return false;
    let cursor: string | undefined;
    try {
      cursor = await slice(at.cursor, tools, report);
    } catch (thrown) {
      const { error } = outcomeOf(thrown, 'reconcile');
      // No free slot in the pace, or told to wait: the next run goes on at this very page.
      if (error instanceof Defer) return false;
      // One duty that cannot be done now must not keep the others from being done.
      note(report, 'errors', `${at.duty}: ${error instanceof Error ? error.message : error}`);
    }
    at = cursor ? { duty: at.duty, cursor } : { duty: names[names.indexOf(at.duty) + 1] ?? '' };
    await arrived(at.duty ? at : undefined);
  }
}

async function save(state: State, tools: ReconcileTools, report: ReconcileReport): Promise<void> {
  // A dry run leaves no trace, not even of where it was.
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
