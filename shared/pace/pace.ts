import { longestWaitMs } from '../journey/backoff.ts';
import { Defer } from '../journey/errors.ts';
import type { Table } from '../ledger/table.ts';

export interface PaceOptions {
  /** The API that is limited: `files` or `messages`. Each has one item in the ledger. */
  api: string;
  /** Requests per minute that the whole fleet may make. */
  perMinute: number;
  /** Share of the limit to use in the long run, 0 to 1; default 0.995. */
  share?: number;
  /**
   * Requests that may go at once after a pause; default 5. Less than the API's own burst (10): the
   * rest absorbs clock skew and requests that bunch up on their way.
   */
  burst?: number;
  /** The longest a worker sleeps for its slot, in milliseconds; default 30,000. Later slots are not taken. */
  maxWaitMs?: number;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Waits; rejects when the signal ends the wait. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** What workers' clocks may differ by, in milliseconds. */
const skewMs = 60_000;

/** A caller that waits for its slot. */
interface Waiting {
  resolve: (at: number) => void;
  reject: (error: unknown) => void;
}

/**
 * A rate limiter for one API, shared by the fleet: a generic cell rate algorithm whose state, the
 * theoretical arrival time (TAT) of the next request, is one number in the ledger. A worker reserves
 * the next free slots for its waiting callers, possibly in the future, with one atomic update, and each
 * caller sleeps until its own. So two never share a slot, and no slot stays empty while a caller waits.
 *
 * Each worker uses its own clock. Skew below the API's burst tolerance is harmless: slots stay one
 * interval apart, whichever worker takes them.
 * Source: ITU-T I.371, annex A (virtual scheduling); docs/decisions/0004.
 *
 * @example
 * const pace = new Pace(table, { api: 'files', perMinute: 500, now: Date.now, sleep });
 * await pace.turn(signal);
 * await claude.getFile(id);
 */
export class Pace {
  readonly #table: Table;
  readonly #options: PaceOptions;
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  readonly #maxWaitMs: number;
  /** The theoretical arrival time as this worker saw it last. */
  #seen = Number.NEGATIVE_INFINITY;
  #waiting: Waiting[] = [];
  #reserving = false;

  constructor(table: Table, options: PaceOptions) {
    this.#table = table;
    this.#options = options;
    this.#intervalMs = 60_000 / (options.perMinute * (options.share ?? 0.995));
    this.#toleranceMs = this.#intervalMs * ((options.burst ?? 5) - 1);
    this.#maxWaitMs = options.maxWaitMs ?? 30_000;
  }

  /**
   * Takes the next free slot and waits for it.
   * @param signal ends the wait; the slot stays taken
   * @throws Defer when the next free slot is more than `maxWaitMs` away; no slot is taken then
   */
  async turn(signal?: AbortSignal): Promise<void> {
    const at = await this.#slot();
    const wait = at - this.#toleranceMs - this.#options.now();
    if (wait > 0) await this.#options.sleep(wait, signal);
  }

  /**
   * Delays every worker's next slot by at least `delayMs` from now, as the API asked (`retry-after`); by 15 minutes
   * at most, after which the next call asks again.
   */
  async pushBack(delayMs: number): Promise<void> {
    const until = this.#options.now() + Math.min(delayMs, longestWaitMs) + this.#toleranceMs;
    await this.#table.update(
      this.#key(),
      { set: { tat: until } },
      {
        expression: 'attribute_not_exists(tat) OR tat < :until OR tat > :furthest',
        values: { until, furthest: this.#furthest() },
      },
    );
  }

  /**
   * The next free slot, in epoch milliseconds; `undefined` when no slot was ever taken, or the one in the ledger is
   * further away than any that this class writes.
   */
  async next(): Promise<number | undefined> {
    const item = await this.#table.get(this.#key());
    const tat = item && Number(item.tat);
    return tat === undefined || tat > this.#furthest() ? undefined : tat;
  }

  /**
   * The furthest slot that can be meant: one after the longest push, behind all that workers sleep for. One beyond it
   * was written by a version without a limit, or by a clock that was wrong, and must not stop the fleet.
   */
  #furthest(): number {
    return this.#options.now() + longestWaitMs + this.#maxWaitMs + 2 * this.#toleranceMs + skewMs;
  }

  /** The theoretical arrival time of a slot for one caller, in epoch milliseconds. */
  #slot(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (!this.#reserving) void this.#reserveForAll();
    });
  }

  /** Callers that arrive during an update share the next one: a batch of ten costs two writes, not ten. */
  async #reserveForAll(): Promise<void> {
    this.#reserving = true;
    while (this.#waiting.length > 0) await this.#reserveFor(this.#waiting.splice(0));
    this.#reserving = false;
  }

  async #reserveFor(callers: Waiting[]): Promise<void> {
    try {
      const first = await this.#reserve(callers.length);
      callers.forEach(({ resolve }, index) => {
        resolve(first + index * this.#intervalMs);
      });
    } catch (error) {
      if (callers.length > 1 && error instanceof Defer) {
        // There may be slots for fewer.
        const half = Math.ceil(callers.length / 2);
        await this.#reserveFor(callers.slice(0, half));
        await this.#reserveFor(callers.slice(half));
        return;
      }
      for (const { reject } of callers) reject(error);
    }
  }

  /**
   * Takes the next free slots.
   * @returns the theoretical arrival time of the first, in epoch milliseconds; the others follow at the interval
   * @throws Defer when the last of them is too far away; none is taken then
   */
  async #reserve(slots: number): Promise<number> {
    const length = slots * this.#intervalMs;
    for (;;) {
      const now = this.#options.now();
      const latest = now + this.#maxWaitMs + this.#toleranceMs - (length - this.#intervalMs);
      // A refused update costs a write: the one that will probably be accepted comes first.
      const idleFirst = this.#seen < now;
      const taken =
        (idleFirst ? await this.#takeIdle(now, length) : undefined) ??
        (await this.#takeQueued(now, latest, length)) ??
        (idleFirst ? undefined : await this.#takeIdle(now, length));
      if (taken !== undefined) {
        this.#seen = taken + length;
        return taken;
      }
      const ahead = ((await this.next()) ?? 0) - now;
      if (ahead > latest - now) {
        throw new Defer({
          code: 'claude.paced',
          message: `The next free slot of the ${this.#options.api} rate limit is ${Math.ceil(ahead / 1000)} s away.`,
          delayMs: Math.min(ahead, longestWaitMs),
        });
      }
    }
  }

  /** Slots behind those that are taken; `undefined` when none is taken now, or too many are. */
  async #takeQueued(now: number, latest: number, length: number): Promise<number | undefined> {
    const item = await this.#table.update(
      this.#key(),
      { add: { tat: length } },
      { expression: 'tat >= :now AND tat <= :latest', values: { now, latest } },
    );
    return item && Number(item.tat) - length;
  }

  /** Slots from now on; `undefined` when one is taken already. One that is too far away does not count as taken. */
  async #takeIdle(now: number, length: number): Promise<number | undefined> {
    const item = await this.#table.update(
      this.#key(),
      { set: { tat: now + length } },
      {
        expression: 'attribute_not_exists(tat) OR tat < :now OR tat > :furthest',
        values: { now, furthest: this.#furthest() },
      },
    );
    return item && now;
  }

  #key() {
    return { pk: `PACE#${this.#options.api}`, sk: 'PACE' };
  }
}
