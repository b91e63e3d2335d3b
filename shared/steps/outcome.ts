import { codes } from '../codes/index.ts';
import { laneStopped, serviceIsDown } from '../journey/alarm-lines.ts';
import {
  Defer,
  DroplineError,
  RejectDocument,
  RetryLater,
  ServiceDown,
  SkipDocument,
  StopLane,
} from '../journey/errors.ts';
import type { Step } from '../journey/record.ts';
import { LaneClosed } from '../ledger/circuit.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import type { Documents, MoveOptions } from '../ledger/documents.ts';
import { letGo } from './let-go.ts';
import type { StepTools } from './tools.ts';

/** What the queue has to do with the message after a step. */
export type Outcome =
  /** The message has served: delete it. */
  | { next: 'done' }
  /** The attempt failed and was counted: deliver the same message again after a while. */
  | { next: 'retry'; delayMs: number }
  /** Nothing failed, it is not our turn: send the message anew, later. */
  | { next: 'defer'; delayMs: number };

export const done: Outcome = { next: 'done' };

/** Times in a row that a document finds the API down before the alarm rings: some ten minutes. */
const downForAWhile = 8;

/** The part of a logger that steps use; Powertools' logger fits. */
export interface Log {
  info(message: string, ...fields: Record<string, unknown>[]): void;
  warn(message: string, ...fields: Record<string, unknown>[]): void;
  error(message: string, ...fields: Record<string, unknown>[]): void;
}

export interface AttemptPolicy {
  /** Attempts of one step on one version before it ends `failed`. */
  maxAttempts: number;
  /** A number from 0 to below 1, for jitter. */
  random: () => number;
}

/**
 * Does a step's work on one document and writes into the record what an error means: failed,
 * skipped, held, or a counted attempt. Errors of the ledger itself pass through: then nothing can
 * be recorded, and the queue delivers again.
 */
export async function settle(
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
    const error = asDroplineError(thrown, step);
    if (error instanceof ServiceDown) return waitForService(step, document, error, tools);
    if (error instanceof Defer) {
      log.info('deferred', { ...about, code: error.code, delayMs: error.delayMs });
      return { next: 'defer', delayMs: error.delayMs };
    }
    const entry = recordEntry(error, step);
    if (error instanceof SkipDocument) {
      const stopped = await documents.stop(document, 'skipped', entry, {
        attempt: step,
        fidelity: error.fidelity,
      });
      if (stopped) await letGo(stopped, tools);
      log.info('skipped', { ...about, code: error.code });
      return done;
    }
    if (error instanceof StopLane) {
      if (!(error instanceof LaneClosed)) {
        await tools.circuits.open(error, tools.heldMs, document.documentId);
      }
      await documents.stop(document, 'held', entry);
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
  write: MoveOptions = {},
): Promise<boolean> {
  const { documentId, key } = document;
  const stopped = await tools.documents.stop(document, 'failed', recordEntry(error, step), {
    attempt: step,
    ...write,
  });
  if (stopped) await letGo(stopped, tools);
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
export async function revived(
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

/**
 * How long after a failed attempt the next one begins, in milliseconds: 2, 10, 50, then 250 and at most 300
 * seconds, less up to a half. The first comes soon, for most failures pass at once; five attempts span
 * some minutes, for the rest does not.
 * @param attempts failed attempts so far, from 1
 */
export function backoffMs(attempts: number, random: () => number): number {
  return lessUpToHalf(Math.min(2 * 5 ** (attempts - 1), 300) * 1_000, random);
}

/**
 * How long a document waits for an API that is down, in milliseconds: 2ⁿ seconds, at most 5 minutes, less
 * up to a half.
 * @param times how many times in a row it found the API down, from 1
 */
export function outageWaitMs(times: number, random: () => number): number {
  return lessUpToHalf(Math.min(2 ** times, 300) * 1_000, random);
}

const lessUpToHalf = (ms: number, random: () => number): number => ms / 2 + (ms / 2) * random();

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
