import type { RateLimits } from '../claude/rate-limits.ts';
import { longestWaitMs } from '../journey/backoff.ts';
import type { Table } from '../ledger/table.ts';
import { Pace, type PaceOptions } from './pace.ts';

/** See `PaceOptions`; the rate is learned from the API's replies. */
export type MessagesPaceOptions = Pick<PaceOptions, 'maxWaitMs' | 'now' | 'sleep'>;

/** A limit is near when less than this share of it remains. */
const nearShare = 0.1;

/** How long a worker relies on what it learned: the limits are per minute. */
const rememberedMs = 60_000;

/** Requests per minute until a reply reports the limit: only `pushBack` delays a worker. */
const unlimited = 60_000;

/**
 * A rate limiter for Messages, shared by the fleet. Its limits are not configured: the headers of every
 * reply say how much of each limit remains for the whole organization, so each worker learns from its
 * own replies.
 *
 * While no limit is near, a turn costs nothing, except one read when a worker knows nothing: at its
 * start, or after a minute without a reply. When a limit is near, turns take slots of the fleet's pace
 * at the learned rate, and every worker waits until the limit has refilled enough to be no longer near
 * (limits refill continuously: "token bucket", https://docs.claude.com/en/api/rate-limits).
 *
 * @example
 * const pace = new MessagesPace(table, { now: Date.now, sleep });
 * await pace.turn(signal);
 * // With every reply, from `ClaudeOptions.onRateLimits`:
 * await pace.learn(limits);
 */
export class MessagesPace {
  readonly #table: Table;
  readonly #options: MessagesPaceOptions;
  #requestsPerMinute = unlimited;
  /** Until when a limit counts as near, and when a worker last learned anything; epoch milliseconds. */
  #nearUntil = 0;
  #learnedAt = Number.NEGATIVE_INFINITY;

  constructor(table: Table, options: MessagesPaceOptions) {
    this.#table = table;
    this.#options = options;
  }

  /**
   * Waits for a turn, if a limit is near.
   * @throws Defer when the turn is more than `maxWaitMs` away
   */
  async turn(signal?: AbortSignal): Promise<void> {
    const { now } = this.#options;
    if (now() - this.#learnedAt >= rememberedMs) await this.#readFleet();
    if (now() < this.#nearUntil) await this.#pace().turn(signal);
  }

  /** Learns from the rate limits in a reply; writes to the ledger only when a limit is near. */
  async learn(limits: RateLimits): Promise<void> {
    const now = this.#options.now();
    this.#learnedAt = now;
    if (limits.requests?.limit) this.#requestsPerMinute = limits.requests.limit;

    const { requests, tokens, inputTokens, outputTokens } = limits;
    const refills = [requests, tokens, inputTokens, outputTokens].map((one) => refillMs(one, now));
    const waitMs = Math.min(Math.max(limits.retryAfterMs ?? 0, ...refills), longestWaitMs);
    if (waitMs <= 0) return;
    this.#nearUntil = now + waitMs + rememberedMs;
    await this.#pace().pushBack(waitMs);
  }

  /** Reads from the ledger whether workers currently have to wait. */
  async #readFleet(): Promise<void> {
    const { now } = this.#options;
    const tat = await this.#pace().next();
    this.#learnedAt = now();
    if (tat !== undefined && tat > now()) this.#nearUntil = tat + rememberedMs;
  }

  #pace(): Pace {
    return new Pace(this.#table, {
      ...this.#options,
      api: 'messages',
      perMinute: this.#requestsPerMinute,
    });
  }
}

/** Milliseconds until a limit is no longer near; 0 when it is not. At most until it is fully refilled. */
function refillMs(window: RateLimits['requests'], now: number): number {
  if (!window?.limit || window.remaining === undefined) return 0;
  const { limit, remaining, resetAt } = window;
  const missing = Math.max(0, limit * nearShare - remaining);
  const full = resetAt === undefined ? Number.POSITIVE_INFINITY : Math.max(0, resetAt - now);
  return Math.min((missing / limit) * 60_000, full);
}
