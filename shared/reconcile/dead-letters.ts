import { changesOf, stepMessageOf } from '../aws/events.ts';
import { documentIdOf } from '../ids.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import { isOpen } from '../ledger/documents.ts';
import { orderOf } from '../ledger/keys.ts';
import type { Step } from '../record.ts';
import { letGo } from '../steps/let-go.ts';
import type { ReconcileTools, Slice } from './reconcile.ts';
import { note } from './report.ts';

/** A dead-letter queue and the step whose messages end there. */
export interface DeadLetterQueue {
  step: Step;
  url: string;
}

/** How long a message that was looked at stays out of sight, in seconds: one run of the reconciler. */
const lookedAtSeconds = 600;

/**
 * Marks the documents behind dead letters `failed`, so that the table does not call them under way
 * for ever. The messages stay where they are: moved back to their queue (SQS redrive), they bring
 * their documents back, because a step takes a document that failed with `<step>.dead_letter`.
 */
export const buryDeadLetters: Slice = async (_cursor, tools, report) => {
  for (const { step, url } of tools.deadLetters) {
    const seen = new Set<string>();
    while (tools.timeLeft()) {
      const messages = await tools.queues.look(url, lookedAtSeconds);
      if (messages.every(({ messageId }) => seen.has(messageId))) break;
      for (const { messageId, body } of messages) {
        seen.add(messageId);
        for (const { documentId, order } of versionsIn(step, body)) {
          await bury(step, documentId, order, tools, (found) => note(report, 'buried', found));
        }
      }
    }
  }
  return undefined;
};

function versionsIn(step: Step, body: string): Pick<DocumentItem, 'documentId' | 'order'>[] {
  try {
    if (step !== 'normalize') return [stepMessageOf(body)];
    return changesOf(body).map(({ bucket, key, sequencer }) => ({
      documentId: documentIdOf(bucket, key),
      order: orderOf(sequencer),
    }));
  } catch {
    // Not one of our messages: it names no document, and the alarm on the queue tells a person.
    return [];
  }
}

async function bury(
  step: Step,
  documentId: string,
  order: string,
  tools: ReconcileTools,
  found: (documentId: string) => void,
): Promise<void> {
  const document = await tools.documents.get(documentId);
  if (document?.order !== order || !isOpen(document.status)) return;
  found(documentId);
  if (tools.dryRun) return;
  const last = document.error;
  const stopped = await tools.documents.stop(document, 'failed', {
    code: `${step}.dead_letter`,
    message: `The step gave up after several deliveries${last ? `; its last error: ${last.message}` : ', without an error of its own: its worker was killed each time'}.`,
    step,
    advice: 'See the logs of the step; then move the message back with an SQS redrive.',
  });
  if (stopped) await letGo(stopped, tools);
}
