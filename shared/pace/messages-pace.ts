import type { RateLimits } from '../claude/rate-limits.ts';
import type { Table } from '../ledger/table.ts';
import { Pace, type PaceOptions } from './pace.ts';

export type MessagesPaceOptions = Pick<PaceOptions, 'maxWaitMs' | 'now' | 'sleep'>;

/** Where a limit is near: less than this share of it remains. */
const nearShare = 0.1;

/** How long a worker goes by what it learnt: the limits are a minute's. */
const rememberedMs = 60_000;

/** Requests a minute to go by while no reply has told the limit: only a push back holds anybody up. */
const unlimited = 60_000;

/**
 * The fleet's pace for Messages. Nobody is told its limits beforehand: every reply tells in its headers
 * how much of each remains for the whole organization, so each worker learns from its own replies.
 *
 * While all limits are far, a turn costs nothing, save one read where a worker knows nothing: at its
 * start, or after a minute without a reply. When one is near, turns take slots of the fleet's pace at
 * the rate that was learnt, and everybody is held up until as much of it will be there again as makes
 * it far: limits refill steadily ("token bucket", https://docs.claude.com/en/api/rate-limits).
 */
export class MessagesPace {
  readonly #table: Table;
  readonly #options: MessagesPaceOptions;
  #requestsPerMinute = unlimited;
  /** Until when limits are taken for near, and when anything was learnt last; epoch milliseconds. */
  #nearUntil = 0;
  #learntAt = Number.NEGATIVE_INFINITY;

  constructor(table: Table, options: MessagesPaceOptions) {
    this.#table = table;
    this.#options = options;
  }

  /**
   * Waits for its turn, if anybody has to wait.
   * @throws Defer when the turn is farther away than `maxWaitMs`
   */
  async turn(signal?: AbortSignal): Promise<void> {
    const { now } = this.#options;
    if (now() - this.#learntAt >= rememberedMs) await this.#ask();
    if (now() < this.#nearUntil) await this.#pace().turn(signal);
  }

  /** Learns from a reply; writes only when a limit is near. */
  async learn(limits: RateLimits): Promise<void> {
    const now = this.#options.now();
    this.#learntAt = now;
    if (limits.requests?.limit) this.#requestsPerMinute = limits.requests.limit;

    const { requests, tokens, inputTokens, outputTokens } = limits;
    const refills = [requests, tokens, inputTokens, outputTokens].map((one) => refillMs(one, now));
    const waitMs = Math.max(limits.retryAfterMs ?? 0, ...refills);
    if (waitMs <= 0) return;
    this.#nearUntil = now + waitMs + rememberedMs;
    await this.#pace().pushBack(waitMs);
  }

  /** What the fleet knows: whether anybody is held up just now. */
  async #ask(): Promise<void> {
    const { now } = this.#options;
    const tat = await this.#pace().next();
    this.#learntAt = now();
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

/** Milliseconds until a limit will be far again; 0 when it is. At most until it is whole. */
function refillMs(window: RateLimits['requests'], now: number): number {
  if (!window?.limit || window.remaining === undefined) return 0;
  const { limit, remaining, resetAt } = window;
  const missing = Math.max(0, limit * nearShare - remaining);
  const whole = resetAt === undefined ? Number.POSITIVE_INFINITY : Math.max(0, resetAt - now);
  return Math.min((missing / limit) * 60_000, whole);
}
