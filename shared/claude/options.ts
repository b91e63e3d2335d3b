import type { Dispatcher } from 'undici';
import type { ClaudeApi, RateLimits } from './rate-limits.ts';

/** Which of the two forms of the Files API is spoken. */
export type FilesDialect = 'ga' | 'beta';

/** Milliseconds one attempt may take from its start to the end of its answer. */
export interface Timeouts {
  /** Connecting, name resolution and TLS included. */
  connectMs: number;
  /** Everything small: lists, metadata, deletes, token counts, batch and model look-ups. */
  callMs: number;
  /** A message, from sending to the whole reply. */
  messageMs: number;
  /** An upload, the sending of the file included. */
  uploadMs: number;
  /** Silence within a download or a batch's results. */
  idleMs: number;
}

export const defaultTimeouts: Timeouts = {
  connectMs: 10_000,
  callMs: 60_000,
  messageMs: 600_000,
  uploadMs: 600_000,
  idleMs: 60_000,
};

export interface ClaudeOptions {
  /** Such as `https://api.anthropic.com`; a path in it is kept in front of every call. */
  baseUrl: string;
  /** The API key, or how to get it; asked before every attempt, so cache it where it costs. */
  apiKey: string | (() => Promise<string>);
  dialect: FilesDialect;
  /**
   * Connections to use instead of the client's own. Only the client's own see the answer of an API
   * that refuses an upload and hangs up at once, and give memory back while sending.
   */
  dispatcher?: Dispatcher | undefined;
  /** Attempts after the first, where the rules allow any; 2 as in the official SDK. */
  maxRetries?: number | undefined;
  /** Milliseconds a call may wait between attempts, all together; 20,000. See `RetryPolicy`. */
  maxRetryWaitMs?: number | undefined;
  timeouts?: Partial<Timeouts> | undefined;
  /** `anthropic-version` header; 2023-06-01, under which all models take all parameters. */
  anthropicVersion?: string | undefined;
  userAgent?: string | undefined;
  /**
   * Awaited before every attempt, retries and list pages included: the place to wait for the fleet's
   * slot. What it throws ends the call and reaches the caller as it is.
   */
  admit?: ((api: ClaudeApi, signal: AbortSignal | undefined) => Promise<void>) | undefined;
  /** Told what each reply says about limits. What it throws becomes a process warning. */
  onRateLimits?: ((limits: RateLimits) => void) | undefined;
  /** Waits, for tests to replace; rejects when the signal ends the wait. */
  sleep?: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined;
  /** 0 to 1, for the jitter. */
  random?: (() => number) | undefined;
  /** Milliseconds since the epoch. */
  now?: (() => number) | undefined;
}
