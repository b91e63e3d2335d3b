import { type QueuedStep, steps } from '../journey/steps.ts';
import { type Lane, laneOf } from '../ledger/circuit.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import { isOpen } from '../ledger/documents.ts';
import { indexes, shardCount } from '../ledger/keys.ts';
import { resend, waitsFor } from '../steps/resend.ts';
import type { Duty, ReconcileTools } from './duty.ts';
import { readDocument } from './read-document.ts';
import { note, type ReconcileReport } from './report.ts';

const pageSize = 100;

/** A queue with more messages than this is behind: documents that do not move most likely wait in it. */
const behind = 1_000;

/**
 * Puts documents that have not changed for `stuckMs` back into the queue of the step they wait for. If that queue
 * is far behind they are left alone: a second message for each would only put it further behind.
 */
export const resendStuck: Duty = async (cursor, tools, report) => {
  const backlogs = new Map<QueuedStep, Promise<number>>();
  const backlogOf = (step: QueuedStep): Promise<number> => {
    const known = backlogs.get(step) ?? tools.backlog(step);
    backlogs.set(step, known);
    return known;
  };
  return eachInState('open', cursor, tools, report, async (document) => {
    if (ageOf(document, tools) < tools.stuckMs) return;
    const step = waitsFor(document);
    if (step && (await backlogOf(step)) > behind) {
      note(report, 'inBacklog', document.documentId);
      return;
    }
    note(report, 'resent', document.documentId);
    if (tools.dryRun) return;
    // Updates the time, so that the next run does not send it again while it waits in the queue.
    const moved = await tools.documents.move(document, document.status);
    if (moved) await resend(moved, tools);
  });
};

/**
 * Resumes held documents where they were stopped: first one, to find out whether its lane is free again, then all
 * of the lane if it succeeds. The document that was refused comes last: the refusal may be its own fault (a file
 * that does not fit, for example), and it must not stop the lane again before the others had their turn.
 */
export const resumeHeld: Duty = async (cursor, tools, report) => {
  const lanes = {
    claude: await tools.circuits.admission('claude'),
    upload: await tools.circuits.admission('upload'),
  };
  const resume = async (document: DocumentItem, lane: Lane) => {
    const { admits } = lanes[lane];
    if (!document.heldFrom || admits === 'none') return;
    // A dry run lists all of them, not just the first.
    note(report, 'resumed', document.documentId);
    if (tools.dryRun) return;
    if (admits === 'one') {
      await tools.circuits.probe(lane, tools.heldMs);
      lanes[lane].admits = 'none';
    }
    const moved = await tools.documents.move(
      document,
      document.heldFrom,
      {},
      { remove: ['heldFrom', 'error', 'outages'] },
    );
    if (moved) await resend(moved, tools);
  };

  const next = await eachInState('held', cursor, tools, report, async (document) => {
    const lane = laneOf(document.error ?? { code: '' });
    if (lanes[lane].circuit?.openedBy !== document.documentId) await resume(document, lane);
  });
  if (next !== undefined) return next;
  for (const lane of ['claude', 'upload'] as const) {
    const { admits, circuit } = lanes[lane];
    if (!circuit || admits === 'none') continue;
    if (admits === 'all' && !tools.dryRun) await tools.circuits.close(lane);
    const opener = circuit.openedBy
      ? await readDocument(circuit.openedBy, tools, report)
      : undefined;
    if (opener?.status === 'held') await resume(opener, lane);
    // No document is held in the lane, but releases and new documents are still turned away: let one of
    // them find out whether it is free.
    else if (admits === 'one' && !tools.dryRun) await tools.circuits.probe(lane, tools.heldMs);
  }
  return undefined;
};

/**
 * Retries documents that failed with one of the codes that a person named, as if the failed step had not begun:
 * the cause is fixed, or they are to have another chance. A summary that was paid for and unusable is paid for
 * again.
 */
export const retryFailed: Duty = async (cursor, tools, report) => {
  if (tools.retry.length === 0) return undefined;
  return eachInState('failed', cursor, tools, report, async (document) => {
    const { error, attempts } = document;
    if (!error || error.step === 'remove' || !tools.retry.includes(error.code)) return;
    note(report, 'retried', document.documentId);
    if (tools.dryRun) return;
    const moved = await tools.documents.move(
      document,
      steps[error.step].worksOn,
      { attempts: { ...attempts, [error.step]: 0 } },
      { remove: ['error', 'outages', 'evictions'] },
    );
    if (moved) await resend(moved, tools);
  });
};

/** Visits one page of the documents in a state; the cursor is the shard and the position in it. */
async function eachInState(
  state: 'open' | 'held' | 'failed',
  cursor: string | undefined,
  tools: ReconcileTools,
  report: ReconcileReport,
  visit: (document: DocumentItem) => Promise<void>,
): Promise<string | undefined> {
  const { shard, after } = cursor
    ? (JSON.parse(cursor) as { shard: number; after?: Record<string, unknown> })
    : { shard: 0, after: undefined };
  const page = await tools.table.query({
    index: indexes.byState.name,
    hash: { name: indexes.byState.hash, value: `${state}#${shard}` },
    limit: pageSize,
    cursor: after,
  });
  for (const key of page.items) {
    const documentId = String(key.pk).slice('DOC#'.length);
    const document = await readDocument(documentId, tools, report);
    if (!document) continue;
    const inState = state === 'open' ? isOpen(document.status) : document.status === state;
    if (inState) await visit(document);
  }
  if (page.cursor) return JSON.stringify({ shard, after: page.cursor });
  return shard + 1 < shardCount ? JSON.stringify({ shard: shard + 1 }) : undefined;
}

function ageOf(document: DocumentItem, tools: ReconcileTools): number {
  return tools.now() - Date.parse(document.updatedAt);
}
