import { headerOf, numberOf, type ReplyHeaders, retryAfterOf } from './headers.ts';

/** The parts of the API with separate rate limits. */
export type ClaudeApi = 'files' | 'messages' | 'count_tokens' | 'batches' | 'models';

/** One rate limit, from the headers of a reply. */
interface RateWindow {
  limit?: number;
  remaining?: number;
  /** When the limit is fully replenished, in milliseconds since the epoch. */
  resetAt?: number;
}

/** The rate limits in a reply, success or error. Limits that the reply does not have are absent. */
export interface RateLimits {
  api: ClaudeApi;
  status: number;
  requests?: RateWindow;
  tokens?: RateWindow;
  inputTokens?: RateWindow;
  outputTokens?: RateWindow;
  /** How long every worker should wait, if the API asked for it. */
  retryAfterMs?: number;
}

const windows = [
  ['requests', 'requests'],
  ['tokens', 'tokens'],
  ['inputTokens', 'input-tokens'],
  ['outputTokens', 'output-tokens'],
] as const;

/**
 * Reads the `anthropic-ratelimit-*` headers and the wait that a reply asks for
 * (https://docs.claude.com/en/api/rate-limits).
 * @param now current time in milliseconds since the epoch
 * @returns undefined when the reply says nothing about limits; never for a 429
 */
export function readRateLimits(
  headers: ReplyHeaders,
  { api, status, now }: { api: ClaudeApi; status: number; now: number },
): RateLimits | undefined {
  const limits: RateLimits = { api, status };
  let found = status === 429;
  for (const [field, name] of windows) {
    const window = readWindow(headers, `anthropic-ratelimit-${name}`);
    if (window === undefined) continue;
    limits[field] = window;
    found = true;
  }
  const retryAfterMs = retryAfterOf(headers, now);
  if (retryAfterMs !== undefined) {
    limits.retryAfterMs = retryAfterMs;
    found = true;
  }
  return found ? limits : undefined;
}

function readWindow(headers: ReplyHeaders, prefix: string): RateWindow | undefined {
  const window: RateWindow = {};
  const limit = numberOf(headerOf(headers, `${prefix}-limit`));
  if (limit !== undefined) window.limit = limit;
  const remaining = numberOf(headerOf(headers, `${prefix}-remaining`));
  if (remaining !== undefined) window.remaining = remaining;
  const resetAt = Date.parse(headerOf(headers, `${prefix}-reset`) ?? '');
  if (!Number.isNaN(resetAt)) window.resetAt = resetAt;
  return Object.keys(window).length === 0 ? undefined : window;
}
