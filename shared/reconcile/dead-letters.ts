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
 * Marks the documents behind dead letters `failed`, so that they do not appear to be in progress forever.
 * The messages stay where they are: moved back to their queue (SQS redrive), they restart their documents,
 * because a step accepts a document that failed with `<step>.dead_letter`. SQS drops them after 14 days; `retry` restarts
 * such a document without its message.
 */
export const buryDeadLetters: Duty = async (_cursor, tools, report) => {
  for (const { step, url } of tools.deadLetters) {
    const seen = new Set<string>();
    while (tools.timeLeft()) {
      const messages = await tools.queues.look(url, lookedAtSeconds);
      if (messages.every(({ messageId }) => seen.has(messageId))) break;
      for (const { messageId, body, sentAt } of messages) {
        seen.add(messageId);
        for (const letter of lettersIn(step, body)) {
          await bury({ ...letter, sentAt }, tools, report);
        }
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
  /** The content it was about, if it may release one. */
  contentSha256?: string | undefined;
  contentId?: string | undefined;
  purge?: boolean | undefined;
  /** True when it only asked for a release. */
  releases?: boolean;
}

function lettersIn(step: QueuedStep, body: string): Letter[] {
  try {
    if (step !== 'normalize') {
      const message = stepMessageOf(body);
      // Those that a lost wake-up was for are resent when they have waited for too long; batches are looked at by another turn.
      if (message.step === 'wake' || message.step === 'batch') return [];
      return [{ ...message, step, releases: message.step === 'release' }];
    }
    return changesOf(body).map(({ bucket, key, sequencer }) => ({
      step,
      documentId: documentIdOf(bucket, key),
      order: orderOf(sequencer),
    }));
  } catch {
    // Not one of our messages: it names no document. The alarm on the queue alerts a person.
    return [];
  }
}

/** Whether a version ended without a file of its own, after which it releases past versions. */
const hasEnded = (status: Status): boolean =>
  status === 'removed' || status === 'failed' || status === 'skipped';

async function bury(
  letter: Letter & { sentAt: number },
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<void> {
  const { step, documentId, order, contentSha256, releases, sentAt } = letter;
  const document = await readDocument(documentId, tools, report);
  if (document === null) return;
  const superseded = document !== undefined && document.order > order;
  // A newer version may reuse this one's file, and then releases it itself.
  if (superseded && !releases && mayReusePast(document, letter)) return;
  if (contentSha256 && (releases || superseded)) {
    // Nothing else would find a reference left behind, and releasing it here is safe.
    if (await tools.contents.holds(letter.contentId ?? contentSha256, documentId, order)) {
      note(report, 'released', contentSha256);
    }
    const purge = letter.purge ?? document?.status === 'removed';
    if (!tools.dryRun) await release({ ...letter, contentSha256, purge }, tools);
    return;
  }
  if (document?.order !== order) return;
  if (hasEnded(document.status) && !tools.dryRun) await releasePast(document, tools);
  // Only a document that waits for this step is marked failed.
  if (waitsFor(document) !== step) return;
  // A person has had it retried since: its new message is under way.
  if (document.retriedAt && sentAt < Date.parse(document.retriedAt)) return;
  note(report, 'buried', documentId);
  if (tools.dryRun) return;
  const last = document.error;
  const stopped = await tools.documents.setAside(document, 'failed', {
    code: `${step}.dead_letter`,
    message: `The step gave up after several deliveries${last ? `; the last error was: ${last.message}` : ' without recording an error: its worker was killed each time'}.`,
    step,
    advice: `See the logs of the step, then move the message back with an SQS redrive, or retry the document: {"retry":["${step}.dead_letter"]}.`,
  });
  if (stopped) await releasePast(stopped, tools);
}
