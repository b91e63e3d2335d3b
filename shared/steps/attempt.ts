import { isThrottled } from '../aws/throttled.ts';
import { laneStopped } from '../journey/alarm-lines.ts';
import { backoffMs } from '../journey/backoff.ts';
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
import type { QueuedStep } from '../journey/steps.ts';
import { Unaffordable } from '../ledger/budgets.ts';
import { LaneClosed } from '../ledger/circuit.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import type { DocumentChanges, Documents, MoveOptions } from '../ledger/documents.ts';
import { brake, isBraked } from './brake.ts';
import { waitForService } from './outage.ts';
import { recordEntry } from './record-entry.ts';
import { releasePast } from './release-past.ts';
import type { StepTools } from './tools.ts';

/**
 * Does a step's work on one document and writes into the record what an error means: failed,
 * skipped, held, or a counted attempt. Errors of the ledger itself pass through, because then nothing
 * can be recorded, and throttled requests, because they are no attempt: the queue delivers again.
 */
export async function attempt(
  step: QueuedStep,
  document: DocumentItem,
  tools: StepTools,
  work: () => Promise<void>,
): Promise<Outcome> {
  const { documents, policy, log } = tools;
  const about = { documentId: document.documentId, key: document.key, step };
  try {
    await work();
  } catch (thrown) {
    if (isThrottled(thrown)) throw thrown;
    const error = asDroplineError(thrown, step);
    if (error instanceof ServiceDown) {
      const outcome = await waitForService(step, document, error, tools);
      if (outcome !== 'own') return outcome;
      await fail(step, document, keepsFailing(error, step), tools);
      return done;
    }
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
        const { documentId } = document;
        const stopped = await tools.circuits.open(error, tools.heldMs, documentId, step);
        if (!stopped) return { next: 'defer', delayMs: keyReplacedMs };
      }
      const changes = error instanceof Unaffordable ? { needs: error.needs } : {};
      await documents.setAside(document, 'held', entry, { changes });
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
  // The work is done: what the fleet knows about its troubles can wait for the next success.
  await tools.circuits.settle().catch((error: unknown) => {
    log.warn('could not end the troubles of the step', { step, error: String(error) });
  });
  return done;
}

interface FailOptions extends MoveOptions {
  changes?: DocumentChanges;
  /** The call that failed was another document's: the brake has counted it. */
  shared?: boolean;
}

/**
 * Ends a document `failed` with the error that says why, and lets go of what past versions held. Where the error
 * is the deployment's fault and its lane is stopped, the document is `held` instead.
 * @param options what else that write does, and what it depends on
 * @returns false when a newer event was first, or it had ended
 */
export async function fail(
  step: QueuedStep,
  document: DocumentItem,
  error: DroplineError,
  tools: StepTools,
  { shared = false, ...write }: FailOptions = {},
): Promise<boolean> {
  const { documentId, key } = document;
  if (!shared && (await isBraked(step, documentId, error, tools))) {
    const held = await tools.documents.setAside(document, 'held', recordEntry(error, step), write);
    const about = { documentId, key, step, code: error.code, reason: error.message };
    tools.log.error(laneStopped, about);
    return held !== undefined;
  }
  const stopped = await tools.documents.setAside(document, 'failed', recordEntry(error, step), {
    attempt: step,
    ...write,
  });
  if (stopped) {
    if (!shared) await brake(step, error, tools);
    await releasePast(stopped, tools);
  }
  const attempts = (document.attempts[step] ?? 0) + 1;
  const fields = { documentId, key, step, code: error.code, attempts, reason: error.message };
  tools.log.warn('failed', fields);
  return stopped !== undefined;
}

/**
 * A document that was given up because its message had become a dead letter comes back with that
 * message (an SQS redrive): it goes on from the status that `step` works on.
 * @returns the document as the step has to take it
 */
export async function resumeFromDeadLetter(
  document: DocumentItem,
  step: QueuedStep,
  status: 'received' | 'normalized' | 'uploaded',
  documents: Documents,
): Promise<DocumentItem> {
  if (document.status !== 'failed' || document.error?.code !== `${step}.dead_letter`) {
    return document;
  }
  return (await documents.move(document, status, {}, { remove: ['error'] })) ?? document;
}

/** After what time a call is repeated whose key was replaced while it was refused, in milliseconds. */
const keyReplacedMs = 1_000;

/** The error of a document that the API never answers, although it answers others. */
function keepsFailing(error: ServiceDown, step: QueuedStep): RejectDocument {
  const { message, requestId } = error;
  return new RejectDocument({ code: `${step}.keeps_failing`, message, requestId, cause: error });
}

function asDroplineError(thrown: unknown, step: QueuedStep): DroplineError {
  if (thrown instanceof DroplineError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new RetryLater({
    code: `${step}.internal`,
    message: `Unexpected: ${message}`,
    cause: thrown,
  });
}
