import {
  ClaudeAbortedError,
  ClaudeApiError,
  ClaudeConnectionError,
  ClaudeTimeoutError,
  NeedsPerson,
} from './errors.ts';

/**
 * The effect of repeating a call.
 * - `idempotent`: none (reading, deleting, counting tokens).
 * - `paid`: billed a second time, so it is retried only when the first certainly was not processed.
 * - `once`: creates a second file, and its body is a consumed stream. Never retried here.
 */
export type RetryKind = 'idempotent' | 'paid' | 'once';

export interface RetryPolicy {
  /** Attempts after the first. */
  maxRetries: number;
  /**
   * Total milliseconds one call may wait between its attempts. A wait that does not fit is not
   * started: the error is thrown at once and carries the wait, so that the message returns to its
   * queue instead of a function being billed for sleeping.
   */
  maxWaitMs: number;
  /** Rejects when `signal` ends the wait. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** 0 (inclusive) to 1 (exclusive). */
  random: () => number;
}

/** Statuses with which the API certainly did not process or bill a message. */
const notProcessed = new Set([429, 503, 529]);

/** Whether `error` may be followed by another attempt, by the rules of the API and of `kind`. */
export function mayRetry(error: unknown, kind: RetryKind): boolean {
  if (kind === 'once' || error instanceof ClaudeAbortedError || error instanceof NeedsPerson) {
    return false;
  }
  if (error instanceof ClaudeConnectionError) {
    return kind === 'idempotent' || (error.sent === 'no' && !(error instanceof ClaudeTimeoutError));
  }
  if (!(error instanceof ClaudeApiError)) return false;
  if (kind === 'paid') {
    // `x-should-retry: true` also comes with a 500 or 504, after which the message may be billed: for
    // a paid call the header can forbid a retry, never allow one.
    return notProcessed.has(error.status) && error.shouldRetry !== false;
  }
  return error.shouldRetry ?? isTransient(error.status);
}

/** The statuses that the official SDK retries. */
function isTransient(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

/**
 * Milliseconds to wait before the next attempt: what the API asked for, else 0.5 s doubled with every
 * retry up to 8 s, minus up to a quarter of jitter (the official SDK's backoff).
 * @param retries retries already made, 0 before the first
 * @param random 0 to 1
 */
export function retryDelayMs(error: unknown, retries: number, random: number): number {
  if (error instanceof ClaudeApiError && error.retryAfterMs !== undefined)
    return error.retryAfterMs;
  return Math.min(500 * 2 ** retries, 8_000) * (1 - 0.25 * random);
}

/**
 * Runs `attempt` until it succeeds, fails permanently, or uses up its retries or waiting time; throws
 * the last error. When `signal` ends a wait, throws `ClaudeAbortedError`.
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
    // A paid call waits only after an attempt that certainly was not processed.
    const sent = kind === 'paid' ? 'no' : 'maybe';
    throw new ClaudeAbortedError('The call was aborted while waiting to retry.', { sent, cause });
  }
}
