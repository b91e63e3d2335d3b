import { z } from 'zod';
import type { QueuedStep } from '../journey/steps.ts';
import type { Key } from './keys.ts';
import type { Table } from './table.ts';

const troubleSchema = z.object({
  /** When the API was first and last found down, in epoch milliseconds. */
  downSince: z.number().optional(),
  downSeen: z.number().optional(),
  /** When the alarm line was last logged, in epoch milliseconds. */
  alarmedAt: z.number().optional(),
  /** The code of the last failures in a row, and how many there were. */
  code: z.string().optional(),
  failures: z.int().optional(),
});
type Trouble = z.infer<typeof troubleSchema>;

/** An outage, as the fleet knows it. */
export interface Outage {
  /** When it was first seen, in epoch milliseconds. */
  since: number;
  /** True for one worker a minute once the outage is old: that one logs the alarm line. */
  alarm: boolean;
}

/** An outage older than this rings, in milliseconds. */
export const downForAWhileMs = 7 * 60_000;

const alarmEveryMs = 60_000;
/** An outage that nobody has seen for this long is over: every document waits for less. */
const forgottenMs = 20 * 60_000;
/** How often a worker writes that an outage goes on, and how long it trusts what it read, in milliseconds. */
const seenEveryMs = 10_000;
const keptMs = 30_000;

/**
 * What currently goes wrong at a step, for the whole fleet: an outage of the API, and failures in a row. One
 * item a step, which is there only while there is trouble: it is written by what fails, and deleted by the
 * first call that succeeds. So a fleet without trouble pays one read per worker and half a minute.
 */
export class Troubles {
  readonly #table: Table;
  readonly #now: () => number;
  readonly #known = new Map<QueuedStep, { trouble: Trouble | undefined; at: number }>();
  /** Steps whose call to Claude has succeeded since `settle`. */
  readonly #worked = new Set<QueuedStep>();

  /** @param now epoch milliseconds */
  constructor(table: Table, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /** A call to Claude has succeeded. Only noted: whoever has its reply must not wait for the ledger. */
  worked(step: QueuedStep): void {
    this.#worked.add(step);
  }

  /**
   * Deletes the troubles of the steps that have worked.
   * @returns those steps
   */
  async settle(): Promise<QueuedStep[]> {
    const worked = [...this.#worked];
    this.#worked.clear();
    for (const step of worked) {
      if (!(await this.#recent(step))) continue;
      await this.#table.delete(keyOf(step));
      this.#keep(step, undefined);
    }
    return worked;
  }

  /** Notes that the API was found down at a step. */
  async down(step: QueuedStep): Promise<Outage> {
    const now = this.#now();
    const known = this.#known.get(step)?.trouble;
    const trouble =
      known?.downSince !== undefined && now - (known.downSeen ?? 0) < seenEveryMs
        ? known
        : await this.#seenDown(step);
    const since = trouble.downSince ?? now;
    return { since, alarm: now - since >= downForAWhileMs && (await this.#mayAlarm(step)) };
  }

  /**
   * Counts a failure that the document cannot have caused.
   * @returns how many there were in a row with the same code, in the whole fleet
   */
  async failed(step: QueuedStep, code: string): Promise<number> {
    const more = await this.#table.update(
      keyOf(step),
      { add: { failures: 1 } },
      { expression: 'code = :code', values: { code } },
    );
    const item = more ?? (await this.#table.update(keyOf(step), { set: { code, failures: 1 } }));
    const trouble = troubleSchema.parse(item);
    this.#keep(step, trouble);
    return trouble.failures ?? 1;
  }

  async #seenDown(step: QueuedStep): Promise<Trouble> {
    const now = this.#now();
    const goesOn = await this.#table.update(
      keyOf(step),
      { set: { downSeen: now } },
      { expression: 'downSeen > :forgotten', values: { forgotten: now - forgottenMs } },
    );
    const begins =
      goesOn ??
      (await this.#table.update(
        keyOf(step),
        { set: { downSince: now, downSeen: now }, remove: ['alarmedAt'] },
        {
          expression: 'attribute_not_exists(downSeen) OR downSeen <= :forgotten',
          values: { forgotten: now - forgottenMs },
        },
      ));
    // Another worker began the outage in between.
    const item = begins ?? (await this.#table.get(keyOf(step)));
    return this.#keep(step, troubleSchema.parse(item ?? { downSince: now, downSeen: now }));
  }

  /** Whether this worker is the one to log the alarm line for the next minute. */
  async #mayAlarm(step: QueuedStep): Promise<boolean> {
    const now = this.#now();
    const known = this.#known.get(step)?.trouble?.alarmedAt;
    if (known !== undefined && now - known < alarmEveryMs) return false;
    const item = await this.#table.update(
      keyOf(step),
      { set: { alarmedAt: now } },
      {
        expression:
          'attribute_exists(downSince) AND (attribute_not_exists(alarmedAt) OR alarmedAt <= :before)',
        values: { before: now - alarmEveryMs },
      },
    );
    if (item) this.#keep(step, troubleSchema.parse(item));
    return item !== undefined;
  }

  /** The trouble of a step, which may be half a minute old. */
  async #recent(step: QueuedStep): Promise<Trouble | undefined> {
    const known = this.#known.get(step);
    if (known && this.#now() - known.at < keptMs) return known.trouble;
    const item = await this.#table.get(keyOf(step));
    const trouble = item && troubleSchema.parse(item);
    this.#known.set(step, { trouble, at: this.#now() });
    return trouble;
  }

  #keep<T extends Trouble | undefined>(step: QueuedStep, trouble: T): T {
    this.#known.set(step, { trouble, at: this.#now() });
    return trouble;
  }
}

const keyOf = (step: QueuedStep): Key => ({ pk: `TROUBLE#${step}`, sk: 'TROUBLE' });
