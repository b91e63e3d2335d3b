import { isThrottled } from '../aws/throttled.ts';
import { codes } from '../codes/index.ts';
import { laneStopped, serviceIsDown } from '../journey/alarm-lines.ts';
import { backoffMs, outageWaitMs } from '../journey/backoff.ts';
import {
  Defer,
  DroplineError,
  RejectDocument,
  RetryLater,
  ServiceDown,
  SkipDocument,
  StopLane,
} from '../journey/errors.ts';
import { done, type Outcome } from '../journey/outcome.ts';
import type { Step } from '../journey/record.ts';
import { LaneClosed } from '../ledger/circuit.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import type { DocumentChanges, Documents, MoveOptions } from '../ledger/documents.ts';
import { releasePast } from './release-past.ts';
import type { StepTools } from './tools.ts';

/** Times in a row that a document finds the API down before the alarm rings: some ten minutes. */
const downForAWhile = 8;

/**
 * Does a step's work on one document and writes into the record what an error means: failed,
 * skipped, held, or a counted attempt. Errors of the ledger itself pass through, because then nothing
 * can be recorded, and throttled requests, because they are no attempt: the queue delivers again.
 */
export async function attempt(
  step: Step,
  document: DocumentItem,
  tools: StepTools,
  work: () => Promise<void>,
): Promise<Outcome> {
  const { documents, policy, log } = tools;
  const about = { documentId: document.documentId, key: document.key, step };
  try {
    await work();
    return done;
  } catch (thrown) {
    // A summarize worker may hold a paid reply: deferred without a limit, it could pay again and again.
    if (isThrottled(thrown) && step !== 'summarize') throw thrown;
    const error = asDroplineError(thrown, step);
    if (error instanceof ServiceDown) return waitForService(step, document, error, tools);
    if (error instanceof Defer) {
      log.info('deferred', { ...about, code: error.code, delayMs: error.delayMs });
      return { next: 'defer', delayMs: error.delayMs };
    }
    const entry = recordEntry(error, step);
    if (error instanceof SkipDocument) {
      const stopped = await documents.setAside(document, 'skipped', entry, {
        attempt: step,
        changes: { fidelity: error.fidelity },
      });
      if (stopped) await releasePast(stopped, tools);
      log.info('skipped', { ...about, code: error.code });
      return done;
    }
    if (error instanceof StopLane) {
      if (!(error instanceof LaneClosed)) {
        await tools.circuits.open(error, tools.heldMs, document.documentId);
      }
      await documents.setAside(document, 'held', entry);
      log.error(laneStopped, { ...about, code: error.code, reason: error.message });
      return done;
    }
    const attempts = (document.attempts[step] ?? 0) + 1;
    if (error instanceof RejectDocument || attempts >= policy.maxAttempts) {
      await fail(step, document, error, tools);
      return done;
    }
    const delayMs =
      (error instanceof RetryLater ? error.delayMs : undefined) ??
      backoffMs(attempts, policy.random);
    await documents.attemptFailed(document, step, entry);
    log.warn('attempt failed', {
      ...about,
      code: error.code,
      attempts,
      delayMs,
      reason: error.message,
      cause: error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : undefined,
    });
    return { next: 'retry', delayMs };
  }
}

/**
 * Ends a document `failed` with the error that says why, and lets go of what past versions held.
 * @param write what else that write does, and what it depends on
 * @returns false when a newer event was first, or it had ended
 */
export async function fail(
  step: Step,
  document: DocumentItem,
  error: DroplineError,
  tools: StepTools,
  write: MoveOptions & { changes?: DocumentChanges } = {},
): Promise<boolean> {
  const { documentId, key } = document;
  const stopped = await tools.documents.setAside(document, 'failed', recordEntry(error, step), {
    attempt: step,
    ...write,
  });
  if (stopped) await releasePast(stopped, tools);
  const attempts = (document.attempts[step] ?? 0) + 1;
  const fields = { documentId, key, step, code: error.code, attempts, reason: error.message };
  tools.log.warn('failed', fields);
  return stopped !== undefined;
}

/**
 * The document waits for the API to come back, for as long as that takes; its record says what for.
 * The waits in a row are counted by themselves, not as attempts.
 */
async function waitForService(
  step: Step,
  document: DocumentItem,
  error: ServiceDown,
  { documents, policy, log }: StepTools,
): Promise<Outcome> {
  const waiting = await documents.waitsForService(document, recordEntry(error, step));
  const times = waiting?.outages ?? 1;
  const delayMs = Math.max(error.delayMs, outageWaitMs(times, policy.random));
  const { documentId, key } = document;
  const fields = { documentId, key, step, code: error.code, times, delayMs, reason: error.message };
  if (times >= downForAWhile) log.error(serviceIsDown, fields);
  else log.warn('the API is down', fields);
  return { next: 'defer', delayMs };
}

/**
 * A document that was given up because its message had become a dead letter comes back with that
 * message (an SQS redrive): it goes on from the status that `step` works on.
 * @returns the document as the step has to take it
 */
export async function resumeFromDeadLetter(
  document: DocumentItem,
  step: Step,
  status: 'received' | 'normalized' | 'uploaded',
  documents: Documents,
): Promise<DocumentItem> {
  if (document.status !== 'failed' || document.error?.code !== `${step}.dead_letter`) {
    return document;
  }
  return (await documents.move(document, status, {}, { remove: ['error'] })) ?? document;
}

function asDroplineError(thrown: unknown, step: Step): DroplineError {
  if (thrown instanceof DroplineError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new RetryLater({
    code: `${step}.internal`,
    message: `Unexpected: ${message}`,
    cause: thrown,
  });
}

export function recordEntry(error: DroplineError, step: Step) {
  return {
    code: error.code,
    message: error.message,
    step,
    advice: error.advice ?? codes[error.code]?.advice ?? '',
    ...(error.requestId ? { requestId: error.requestId } : {}),
  };
}
