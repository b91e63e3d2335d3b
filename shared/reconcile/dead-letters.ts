import { changesOf, stepMessageOf } from '../aws/events.ts';
import { documentIdOf } from '../journey/ids.ts';
import type { Status } from '../journey/record.ts';
import type { QueuedStep } from '../journey/steps.ts';
import { orderOf } from '../ledger/keys.ts';
import { release } from '../steps/release.ts';
import { mayReusePast, releasePast } from '../steps/release-past.ts';
import { waitsFor } from '../steps/resend.ts';
import type { Duty, ReconcileTools } from './duty.ts';
import { readDocument } from './read-document.ts';
import { note, type ReconcileReport } from './report.ts';

/**
 * How long a message that was looked at stays hidden, in seconds: about as long as looking at all of them takes. While
 * it is hidden, a redrive does not find it. If more messages wait than one round can see, the next run sees
 * them.
 */
export const lookedAtSeconds = 30;

/**
 * Marks the documents behind dead letters `failed`, so that the table does not call them under way
 * for ever. The messages stay where they are: moved back to their queue (SQS redrive), they bring
 * their documents back, because a step takes a document that failed with `<step>.dead_letter`.
 */
export const buryDeadLetters: Duty = async (_cursor, tools, report) => {
  for (const { step, url } of tools.deadLetters) {
    const seen = new Set<string>();
    while (tools.timeLeft()) {
      const messages = await tools.queues.look(url, lookedAtSeconds);
      if (messages.every(({ messageId }) => seen.has(messageId))) break;
      for (const { messageId, body } of messages) {
        seen.add(messageId);
        for (const letter of lettersIn(step, body)) await bury(letter, tools, report);
      }
    }
  }
  return undefined;
};

/** What a dead letter asked for. */
interface Letter {
  step: QueuedStep;
  documentId: string;
  order: string;
  /** The content it was about, for those that let go of one. */
  contentSha256?: string;
  /** True when all it asked for was to let go. */
  releases?: boolean;
}

function lettersIn(step: QueuedStep, body: string): Letter[] {
  try {
    if (step !== 'normalize') {
      const message = stepMessageOf(body);
      return [{ ...message, step, releases: message.step === 'release' }];
    }
    return changesOf(body).map(({ bucket, key, sequencer }) => ({
      step,
      documentId: documentIdOf(bucket, key),
      order: orderOf(sequencer),
    }));
  } catch {
    // Not one of our messages: it names no document, and the alarm on the queue tells a person.
    return [];
  }
}

/** Whether a version came to an end without a file of its own, after which it lets go of the past. */
const hasEnded = (status: Status): boolean =>
  status === 'removed' || status === 'failed' || status === 'skipped';

async function bury(letter: Letter, tools: ReconcileTools, report: ReconcileReport): Promise<void> {
  const { step, documentId, order, contentSha256, releases } = letter;
  const document = await readDocument(documentId, tools, report);
  if (document === null) return;
  const superseded = document !== undefined && document.order > order;
  // What a newer version may go on with, that version lets go of.
  if (superseded && !releases && mayReusePast(document, letter)) return;
  if (contentSha256 && (releases || superseded)) {
    // Nobody sees a reference that is left behind; letting go harms nobody and can be done here.
    if (await tools.contents.holds(contentSha256, documentId, order)) {
      note(report, 'released', contentSha256);
    }
    if (!tools.dryRun) await release({ documentId, order, contentSha256 }, tools);
    return;
  }
  if (document?.order !== order) return;
  if (hasEnded(document.status) && !tools.dryRun) await releasePast(document, tools);
  // Only a document that waits for this very step is given up.
  if (waitsFor(document) !== step) return;
  note(report, 'buried', documentId);
  if (tools.dryRun) return;
  const last = document.error;
  const stopped = await tools.documents.setAside(document, 'failed', {
    code: `${step}.dead_letter`,
    message: `The step gave up after several deliveries${last ? `; its last error: ${last.message}` : ', without an error of its own: its worker was killed each time'}.`,
    step,
    advice: 'See the logs of the step; then move the message back with an SQS redrive.',
  });
  if (stopped) await releasePast(stopped, tools);
}
