import {
  ClaudeAbortedError,
  ClaudeApiError,
  ClaudeConnectionError,
  ClaudeTimeoutError,
  NeedsPerson,
} from './errors.ts';

/**
 * What repeating a call can do.
 * - `idempotent`: nothing (reading, deleting, counting tokens).
 * - `paid`: cost a second time, so it is repeated only when the first certainly was not processed.
 * - `once`: make a second thing, and its body is a stream that is gone. Never repeated here.
 */
export type RetryKind = 'idempotent' | 'paid' | 'once';

export interface RetryPolicy {
  /** Attempts after the first. */
  maxRetries: number;
  /**
   * Milliseconds one call may spend waiting between its attempts, all together. A wait that does not
   * fit is not begun: the error is thrown at once and carries the wait, so that the message goes back
   * to its queue instead of a function being paid for sleeping.
   */
  maxWaitMs: number;
  /** Rejects when `signal` ends the wait. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** 0 to 1, 1 excluded. */
  random: () => number;
}

/** Replies after which the API certainly did not process, and did not bill, a message. */
const notProcessed = new Set([429, 503, 529]);

/** Whether another attempt may follow `error`, by the rules of the API and of `kind`. */
export function mayRetry(error: unknown, kind: RetryKind): boolean {
  if (kind === 'once' || error instanceof ClaudeAbortedError || error instanceof NeedsPerson) {
    return false;
  }
  if (error instanceof ClaudeConnectionError) {
    return kind === 'idempotent' || (error.sent === 'no' && !(error instanceof ClaudeTimeoutError));
  }
  if (!(error instanceof ClaudeApiError)) return false;
  if (kind === 'paid') {
    // `x-should-retry: true` also comes with a 500 or 504, where the work may have been done: for a
    // paid call the header can forbid a retry, never allow one.
    return notProcessed.has(error.status) && error.shouldRetry !== false;
  }
  return error.shouldRetry ?? isPassing(error.status);
}

/** The statuses that the official SDK retries. */
function isPassing(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

/**
 * Milliseconds to wait before an attempt: what the API asked for, else 0.5 s doubled with every retry
 * up to 8 s, less up to a quarter (the official SDK's backoff).
 * @param retries retries already made, 0 before the first
 * @param random 0 to 1
 */
export function retryDelayMs(error: unknown, retries: number, random: number): number {
  if (error instanceof ClaudeApiError && error.retryAfterMs !== undefined)
    return error.retryAfterMs;
  return Math.min(500 * 2 ** retries, 8_000) * (1 - 0.25 * random);
}

/**
 * Runs `attempt` until it succeeds, fails for good, or patience is used up; throws the last error.
 * When `signal` ends a wait, throws `ClaudeAbortedError`.
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  {
    kind,
    policy,
    signal,
  }: { kind: RetryKind; policy: RetryPolicy; signal?: AbortSignal | undefined },
): Promise<T> {
  let waitedMs = 0;
  for (let retries = 0; ; retries++) {
    try {
      return await attempt();
    } catch (error) {
      if (retries >= policy.maxRetries || !mayRetry(error, kind)) throw error;
      const delayMs = retryDelayMs(error, retries, policy.random());
      if (waitedMs + delayMs > policy.maxWaitMs) throw error;
      waitedMs += delayMs;
      await pause(delayMs, policy, kind, signal);
    }
  }
}

async function pause(
  delayMs: number,
  policy: RetryPolicy,
  kind: RetryKind,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await policy.sleep(delayMs, signal);
  } catch (cause) {
    if (!signal?.aborted) throw cause;
    // A paid call only waits after an attempt that certainly was not processed.
    const sent = kind === 'paid' ? 'no' : 'maybe';
    throw new ClaudeAbortedError('The call was ended while it waited to retry.', { sent, cause });
  }
}
