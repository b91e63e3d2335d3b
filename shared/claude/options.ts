import type { Dispatcher } from 'undici';
import type { ClaudeApi, RateLimits } from './rate-limits.ts';
import type { RetryKind } from './retry.ts';

/** The form of the Files API: since 2026-08-20 (`ga`), or before, behind a beta header (`beta`). */
export type FilesDialect = 'ga' | 'beta';

/** Milliseconds one attempt may take, from its start to the end of its reply. */
export interface Timeouts {
  /** Connecting, including name resolution and TLS. */
  connectMs: number;
  /** Small calls: lists, metadata, deletes, token counts, batch and model look-ups. */
  callMs: number;
  /** A message, from sending to the complete reply. */
  messageMs: number;
  /** An upload, including sending the file. */
  uploadMs: number;
  /** A pause within a download or a batch's results. */
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
  /** Such as `https://api.anthropic.com`; a path in it is prefixed to every call. */
  baseUrl: string;
  /** The API key, or a function that gets it; called before every attempt, so cache what is slow. */
  apiKey: string | ((maxAgeMs?: number) => Promise<string>);
  dialect: FilesDialect;
  /**
   * Connections to use instead of the client's own. Only the client's own can read the answer of an
   * API that rejects an upload and hangs up at once, and release memory while sending.
   */
  dispatcher?: Dispatcher | undefined;
  /** Attempts after the first, where the rules allow them; default 2, as in the official SDK. */
  maxRetries?: number | undefined;
  /** Total milliseconds a call may wait between attempts; default 20,000. See `RetryPolicy`. */
  maxRetryWaitMs?: number | undefined;
  timeouts?: Partial<Timeouts> | undefined;
  /** `anthropic-version` header; default 2023-06-01, under which all models accept all parameters. */
  anthropicVersion?: string | undefined;
  userAgent?: string | undefined;
  /**
   * Awaited before every attempt, including retries and list pages: the place to wait for the fleet's
   * slot. Whatever it throws ends the call and reaches the caller unchanged.
   */
  admit?: ((api: ClaudeApi, signal: AbortSignal | undefined) => Promise<void>) | undefined;
  /** Called with the rate limits in each reply. Whatever it throws becomes a process warning. */
  onRateLimits?: ((limits: RateLimits) => void) | undefined;
  /**
   * Called when a call has succeeded, its reply checked. It must not throw, and not wait for anything: whoever
   * has a reply that was paid for writes it down first.
   */
  onSuccess?: ((call: { api: ClaudeApi; kind: RetryKind }) => void) | undefined;
  /** How to wait; replaced in tests. Rejects when the signal ends the wait. */
  sleep?: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined;
  /** 0 to 1, for the jitter. */
  random?: (() => number) | undefined;
  /** Milliseconds since the epoch. */
  now?: (() => number) | undefined;
}
