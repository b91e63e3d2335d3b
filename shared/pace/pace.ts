import { Defer } from '../journey/errors.ts';
import type { Table } from '../ledger/table.ts';

export interface PaceOptions {
  /** What the limit is on: `files`, `messages`. One item in the ledger each. */
  api: string;
  /** Requests a minute that the whole fleet may make. */
  perMinute: number;
  /** Share of the limit that is used in the long run, 0.995 by default. */
  share?: number;
  /**
   * Requests that may go at once after a pause, 5 by default. Less than the API's own burst (10), so
   * that the rest of it absorbs clocks that differ and requests that bunch on their way.
   */
  burst?: number;
  /** The longest a worker sleeps for its slot, in milliseconds; farther slots are not taken. */
  maxWaitMs?: number;
  now: () => number;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/**
 * The fleet's pace for one API: a generic cell rate algorithm whose state, the theoretical arrival
 * time (TAT) of the next request, is one number in the ledger. A worker reserves the next free slot
 * with one atomic update, possibly in the future, and sleeps until then: so no two workers ever
 * share a slot, and none is left empty while anybody waits.
 *
 * The clock is each worker's own. Clocks that differ by less than the API's burst tolerance are
 * harmless: slots stay one interval apart, whoever takes them.
 * Source: ITU-T I.371, annex A (virtual scheduling); docs/decisions/0004.
 */
export class Pace {
  readonly #table: Table;
  readonly #options: PaceOptions;
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  readonly #maxWaitMs: number;

  constructor(table: Table, options: PaceOptions) {
    this.#table = table;
    this.#options = options;
    this.#intervalMs = 60_000 / (options.perMinute * (options.share ?? 0.995));
    this.#toleranceMs = this.#intervalMs * ((options.burst ?? 5) - 1);
    this.#maxWaitMs = options.maxWaitMs ?? 30_000;
  }

  /**
   * Waits for a slot of its own.
   * @throws Defer when the next free slot is farther away than `maxWaitMs`; no slot is taken then
   */
  async turn(signal?: AbortSignal): Promise<void> {
    const at = await this.#reserve();
    const wait = at - this.#toleranceMs - this.#options.now();
    if (wait > 0) await this.#options.sleep(wait, signal);
  }

  /** The API asked everybody to wait `delayMs`: the next slot of any worker is not before that. */
  async pushBack(delayMs: number): Promise<void> {
    const until = this.#options.now() + delayMs + this.#toleranceMs;
    await this.#table.update(
      this.#key(),
      { set: { tat: until } },
      { expression: 'attribute_not_exists(tat) OR tat < :until', values: { until } },
    );
  }

  /** When the next free slot is, in epoch milliseconds; `undefined` when none was ever taken. */
  async next(): Promise<number | undefined> {
    const item = await this.#table.get(this.#key());
    return item && Number(item.tat);
  }

  /** Takes the next free slot and returns its theoretical arrival time, in epoch milliseconds. */
  async #reserve(): Promise<number> {
    for (;;) {
      const now = this.#options.now();
      const queued = await this.#table.update(
        this.#key(),
        { add: { tat: this.#intervalMs } },
        {
          expression: 'tat >= :now AND tat <= :horizon',
          values: { now, horizon: now + this.#maxWaitMs + this.#toleranceMs },
        },
      );
      if (queued) return Number(queued.tat) - this.#intervalMs;

      const idle = await this.#table.update(
        this.#key(),
        { set: { tat: now + this.#intervalMs } },
        { expression: 'attribute_not_exists(tat) OR tat < :now', values: { now } },
      );
      if (idle) return now;

      const ahead = ((await this.next()) ?? 0) - now;
      if (ahead > this.#maxWaitMs + this.#toleranceMs) {
        throw new Defer({
          code: 'claude.paced',
          message: `The next free slot of the ${this.#options.api} limit is ${Math.ceil(ahead / 1000)} s away.`,
          delayMs: ahead,
        });
      }
    }
  }

  #key() {
    return { pk: `PACE#${this.#options.api}`, sk: 'PACE' };
  }
}
