import { Defer } from '../errors.ts';
import type { Table } from '../ledger/table.ts';

export interface PaceOptions {
  /** What the limit is on: `files`, `messages`. One item in the ledger each. */
  api: string;
  /** Requests a minute that the whole fleet may make. */
  perMinute: number;
  /** Share of the limit that is used; the rest absorbs clocks that differ. */
  share?: number;
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
  readonly #maxWaitMs: number;

  constructor(table: Table, options: PaceOptions) {
    this.#table = table;
    this.#options = options;
    this.#intervalMs = 60_000 / (options.perMinute * (options.share ?? 0.985));
    this.#maxWaitMs = options.maxWaitMs ?? 30_000;
  }

  /**
   * Waits for a slot of its own.
   * @throws Defer when the next free slot is farther away than `maxWaitMs`; no slot is taken then
   */
  async turn(signal?: AbortSignal): Promise<void> {
    const at = await this.#reserve();
    const wait = at - this.#options.now();
    if (wait > 0) await this.#options.sleep(wait, signal);
  }

  /** The API asked everybody to wait `delayMs`: the next slot of any worker is not before that. */
  async pushBack(delayMs: number): Promise<void> {
    const until = this.#options.now() + delayMs;
    await this.#table.update(
      this.#key(),
      { set: { tat: until } },
      { expression: 'attribute_not_exists(tat) OR tat < :until', values: { until } },
    );
  }

  /** Takes the next free slot and returns when it is, in epoch milliseconds. */
  async #reserve(): Promise<number> {
    for (;;) {
      const now = this.#options.now();
      const queued = await this.#table.update(
        this.#key(),
        { add: { tat: this.#intervalMs } },
        {
          expression: 'tat >= :now AND tat <= :horizon',
          values: { now, horizon: now + this.#maxWaitMs },
        },
      );
      if (queued) return Number(queued.tat) - this.#intervalMs;

      const idle = await this.#table.update(
        this.#key(),
        { set: { tat: now + this.#intervalMs } },
        { expression: 'attribute_not_exists(tat) OR tat < :now', values: { now } },
      );
      if (idle) return now;

      const item = await this.#table.get(this.#key());
      const ahead = Number(item?.tat ?? 0) - now;
      if (ahead > this.#maxWaitMs) {
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
