import { longestWaitMs } from '../journey/backoff.ts';

/** Reply headers as undici gives them: lower-case names. */
export type ReplyHeaders = Record<string, string | string[] | undefined>;

/** The value of a header; the first one if there are several. */
export function headerOf(headers: ReplyHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/**
 * How long the API asks us to wait, in milliseconds: `retry-after-ms`, else `retry-after` in seconds
 * or as an HTTP date, in the order of the official SDK. Undefined when the header is absent,
 * malformed, or in the past; at most `longestWaitMs`.
 * @param now current time in milliseconds since the epoch, for the HTTP date
 */
export function retryAfterOf(headers: ReplyHeaders, now: number): number | undefined {
  const inMs = numberOf(headerOf(headers, 'retry-after-ms'));
  if (inMs !== undefined && inMs > 0) return Math.min(inMs, longestWaitMs);
  const value = headerOf(headers, 'retry-after');
  if (value === undefined) return undefined;
  const seconds = numberOf(value);
  const delay = seconds === undefined ? Date.parse(value) - now : seconds * 1000;
  return delay > 0 ? Math.min(delay, longestWaitMs) : undefined;
}

/** `x-should-retry`, which overrides the rules by status when present. */
export function shouldRetryOf(headers: ReplyHeaders): boolean | undefined {
  const value = headerOf(headers, 'x-should-retry');
  if (value === 'true') return true;
  if (value === 'false') return false;
  return undefined;
}

/** A plain non-negative decimal number, or undefined. */
export function numberOf(value: string | undefined): number | undefined {
  if (value === undefined || !/^\s*\d+(\.\d+)?\s*$/.test(value)) return undefined;
  return Number(value);
}
