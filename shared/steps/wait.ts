import type { DocumentRecord } from '../journey/record.ts';
import type { AnswerRef } from '../ledger/answer-item.ts';
import type { DocumentIn } from '../ledger/document-item.ts';
import type { AnswerTools } from './tools.ts';

/**
 * Has the document woken when the answer is there. The reference is marked first and the answer asked last, on the
 * condition that it is still being asked for: so either the asker sees that documents wait, or this sees the answer.
 * @param reason what the record says meanwhile
 * @returns false when nobody is asking any more: then there is an answer, or somebody has to ask
 */
export async function wait(
  document: DocumentIn<'uploaded'>,
  ref: AnswerRef,
  reason: NonNullable<DocumentRecord['waiting']>['reason'],
  tools: AnswerTools,
): Promise<boolean> {
  const { waiting: before } = document;
  const since = before?.reason === reason ? before.since : new Date(tools.now()).toISOString();
  const waiting = await tools.documents.move(
    document,
    'uploaded',
    { waiting: { reason, since } },
    { remove: ['error', 'outages'] },
  );
  // A newer event came, or the reference is gone with it: nothing is left to wait for.
  if (!waiting) return true;
  if (!(await tools.contents.markWaiting(ref.contentId, document, ref.question))) return true;
  return tools.answers.awaitAnswer(ref);
}
