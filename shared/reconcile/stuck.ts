import { type OpenStatus, type QueuedStep, steps } from '../journey/steps.ts';
import { contentIdOf } from '../ledger/content-id.ts';
import type { DocumentIn, DocumentItem } from '../ledger/document-item.ts';
import { isOpen } from '../ledger/version.ts';
import { questionsOf } from '../steps/questions.ts';
import { resend, waitsFor } from '../steps/resend.ts';
import type { Duty, ReconcileTools } from './duty.ts';
import { readDocument } from './read-document.ts';
import { note, type ReconcileReport } from './report.ts';
import { statePage } from './state-page.ts';

/** A batch may take a day, and is collected and applied before and after. */
const batchStuckMs = 26 * 3_600_000;

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
    const waitsMs = document.waiting?.reason === 'batch' ? batchStuckMs : tools.stuckMs;
    if (ageOf(document, tools) < waitsMs) return;
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
    await reopen(document, tools);
    const moved = await tools.documents.move(
      document,
      steps[error.step].worksOn,
      {
        attempts: { ...attempts, [error.step]: 0 },
        // Its dead letter may still be there, and must not end it again.
        ...(error.code.endsWith('.dead_letter') && {
          retriedAt: new Date(tools.now()).toISOString(),
        }),
      },
      { remove: ['error', 'outages', 'evictions'] },
    );
    if (moved) await resend(moved, tools);
  });
};

/** Has a question asked again whose paid reply was of no use. The first of the documents that share it does so. */
async function reopen(document: DocumentIn<'failed'>, tools: ReconcileTools): Promise<void> {
  const { contentSha256, contentId, answers } = document;
  if (!contentSha256) return;
  const asks = questionsNow(document, tools);
  for (const asked of Object.values(answers ?? {})) {
    if (asked?.outcome !== 'refused') continue;
    // Its profile has changed since: that question is not asked any more.
    if (asks && !asks.has(asked.question)) continue;
    const ref = {
      contentId: contentIdOf({ contentSha256, contentId }),
      question: asked.question,
    };
    // Its asker may have died before it recorded what the reply cost.
    const seen = await tools.answers.get(ref);
    if (seen?.state === 'refused') await tools.costs.recordReply(ref, seen);
    await tools.answers.reopen(ref, asked.generation);
  }
}

/** What the document's profile asks now; `undefined` where that cannot be told. */
function questionsNow(
  document: DocumentIn<'failed'>,
  tools: ReconcileTools,
): Set<string> | undefined {
  const profile = tools.profileFor(document);
  const { key, block, contentSha256, contentId } = document;
  if (!profile || !block || !contentSha256) return undefined;
  const asked = questionsOf({ key, block, contentSha256, contentId }, profile);
  return new Set(asked.map(({ ref }) => ref.question));
}

/** Visits one page of the documents in a state; the cursor is the shard and the position in it. */
async function eachInState<State extends 'open' | 'failed'>(
  state: State,
  cursor: string | undefined,
  tools: ReconcileTools,
  report: ReconcileReport,
  visit: (document: Extract<DocumentItem, { status: StatusOf<State> }>) => Promise<void>,
): Promise<string | undefined> {
  const { items, next } = await statePage(state, cursor, tools);
  for (const key of items) {
    const documentId = String(key.pk).slice('DOC#'.length);
    const document = await readDocument(documentId, tools, report);
    if (!document) continue;
    if (isIn(document, state)) await visit(document);
  }
  return next;
}

function isIn<State extends 'open' | 'failed'>(
  document: DocumentItem,
  state: State,
): document is Extract<DocumentItem, { status: StatusOf<State> }> {
  return state === 'open' ? isOpen(document.status) : document.status === state;
}

type StatusOf<State> = State extends 'open' ? OpenStatus : State;

function ageOf(document: DocumentItem, tools: ReconcileTools): number {
  return tools.now() - Date.parse(document.updatedAt);
}
