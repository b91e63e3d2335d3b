import { z } from 'zod';
import type { Queues } from '../aws/queues.ts';
import type { Table } from '../ledger/table.ts';
import type { UploadTools } from '../steps/upload.ts';
import { sweepContents } from './contents.ts';
import { buryDeadLetters, type DeadLetterQueue } from './dead-letters.ts';
import { announceMissed } from './missed.ts';
import { sweepOrphans } from './orphans.ts';
import { note, type Report } from './report.ts';
import { resendStuck, resumeHeld } from './stuck.ts';

export interface ReconcileTools extends UploadTools {
  table: Table;
  dialect: 'ga' | 'beta';
  inboxBucket: string;
  resultsBucket: string;
  queues: Queues;
  deadLetters: DeadLetterQueue[];
  /** Reports what would be done and changes nothing. */
  dryRun: boolean;
  /** False when there is only time left to write down where to go on. */
  timeLeft: () => boolean;
  /** An open document that did not move for this long is put back into its queue, in milliseconds. */
  stuckMs: number;
  /** A marked remote file that no content knows is deleted when it is older than this. */
  orphanGraceMs: number;
  /** How often the whole bucket, all contents and all remote files are gone through. */
  sweepMs: number;
  /** A file that expires sooner than this is uploaded again ahead of time, in milliseconds. */
  refreshMs: number;
}

/** Works through one page of a duty; returns where the next page begins, or `undefined` at the end. */
export type Slice = (
  cursor: string | undefined,
  tools: ReconcileTools,
  report: Report,
) => Promise<string | undefined>;

/** The duties in the order they are done; the quick ones that unblock documents come first. */
const duties = {
  deadLetters: buryDeadLetters,
  held: resumeHeld,
  stuck: resendStuck,
  missed: announceMissed,
  contents: sweepContents,
  orphans: sweepOrphans,
} as const satisfies Record<string, Slice>;
type Duty = keyof typeof duties;
const order = Object.keys(duties) as Duty[];
/** From here on everything there is, is gone through: less often than the duties before. */
const firstSweep: Duty = 'missed';

const stateSchema = z.object({
  duty: z.enum(order as [Duty, ...Duty[]]).optional(),
  cursor: z.string().optional(),
  /** When the last whole sweep ended. */
  sweptAt: z.string().optional(),
  /** Running sums of the orphan sweep, which one run may not bring to its end. */
  storageBytes: z.number().default(0),
  remoteFiles: z.number().default(0),
});

const stateKey = { pk: 'RECONCILE', sk: 'STATE' };

/**
 * Compares the ledger with the bucket, the queues and the Files API, and repairs what a crash, a
 * lost event or somebody's hand left behind. Every repair is one that the steps' own rules allow,
 * so it may meet any worker, run twice, or die anywhere.
 *
 * It works a page at a time until `timeLeft` says no; where it is stands in the ledger, and the
 * next run goes on there.
 */
export async function reconcile(tools: ReconcileTools): Promise<Report> {
  const startedAt = new Date(tools.now()).toISOString();
  const report: Report = {
    startedAt,
    dryRun: tools.dryRun,
    unfinished: false,
    counts: {},
    ids: {},
  };
  const state = stateSchema.parse((await tools.table.get(stateKey)) ?? {});
  report.storageBytes = state.storageBytes;
  report.remoteFiles = state.remoteFiles;
  let { cursor, sweptAt } = state;
  let duty: Duty | undefined = state.duty ?? order[0];
  const sweep = !sweptAt || tools.now() - Date.parse(sweptAt) >= tools.sweepMs;
  while (duty && (duty !== firstSweep || sweep)) {
    if (!tools.timeLeft()) {
      report.unfinished = true;
      break;
    }
    try {
      cursor = await duties[duty](cursor, tools, report);
    } catch (error) {
      // One duty that cannot be done now must not keep the others from being done.
      note(report, 'errors', `${duty}: ${error instanceof Error ? error.message : String(error)}`);
      cursor = undefined;
    }
    if (cursor === undefined) {
      duty = order[order.indexOf(duty) + 1];
      if (!duty) sweptAt = new Date(tools.now()).toISOString();
    }
    await save({ duty, cursor, sweptAt }, tools, report);
  }
  if (duty === firstSweep) await save({ sweptAt }, tools, report);
  if (duty) {
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

async function save(
  place: { duty?: Duty | undefined; cursor?: string | undefined; sweptAt: string | undefined },
  tools: ReconcileTools,
  report: Report,
): Promise<void> {
  // A dry run leaves no trace, not even of where it was.
  if (tools.dryRun) return;
  await tools.table.put({
    ...stateKey,
    ...place,
    ...(place.duty ? { storageBytes: report.storageBytes, remoteFiles: report.remoteFiles } : {}),
    updatedAt: new Date(tools.now()).toISOString(),
  });
}
