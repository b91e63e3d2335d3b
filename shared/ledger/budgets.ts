import { createHash } from 'node:crypto';
import { type AnswerIn, type AnswerRef, answerItemSchema } from './answer-item.ts';
import { LaneClosed } from './circuit.ts';
import { type Costs, entryName } from './costs.ts';
import { answerKey, periodKey } from './keys.ts';
import {
  type Counter,
  counterOf,
  nanoUsd,
  type OpenReservation,
  openAttribute,
  type Reserved,
  shownUsd,
} from './reserved.ts';
import type { Table } from './table.ts';

/** What may be spent in a UTC day and in a UTC month. Without either there is no budget. */
export interface BudgetLimits {
  dailyUsd?: number | undefined;
  monthlyUsd?: number | undefined;
}

/** A UTC period and what may be spent in it. */
interface Period {
  /** `yyyy-mm-dd` or `yyyy-mm`. */
  name: string;
  setting: keyof BudgetLimits;
  limitNano: number;
}

/** What a document needs that the budget does not pay now. */
export interface Needs {
  promptTokens: number;
  maxTokens: number;
}

/** The budget does not pay a call now: nothing was tried, and the document is held until it does. */
export class Unaffordable extends LaneClosed {
  readonly needs: Needs;

  constructor(details: { code: string; message: string }, needs: Needs) {
    super(details);
    this.needs = needs;
  }
}

/** The call that money is reserved for. */
export interface ReservedCall {
  ref: AnswerRef;
  claimed: AnswerIn<'asking'>;
  promptTokens: number;
  nanoUsd: number;
}

/** What a worker may differ by from the clock of another, in milliseconds. */
const skewMs = 60_000;

/**
 * What is spent in each UTC period: one item a period that sums what was spent and what is reserved, and has each
 * open reservation in an attribute of its own. So a reservation is added once and settled once, whatever is repeated, and
 * no two workers can reserve the same money. The sum may be too high for a while, after a worker has died, and never too
 * low (docs/decisions/0055).
 */
export class Budgets {
  readonly #table: Table;
  readonly #costs: Costs;
  readonly #now: () => number;
  readonly #limits: BudgetLimits;

  /** @param now epoch milliseconds */
  constructor(table: Table, costs: Costs, now: () => number, limits: BudgetLimits) {
    this.#table = table;
    this.#costs = costs;
    this.#now = now;
    this.#limits = limits;
  }

  /** Whether there is a budget. */
  get isSet(): boolean {
    return this.#periods().length > 0;
  }

  /**
   * Reserves what a call may cost, before it is made: on the answer first, so that whoever takes it over knows, and then in
   * each period. What could not be reserved in all of them is given back.
   * @returns the answer with its reservation, or `undefined` when the worker no longer holds its lease or the content was removed
   * @throws Unaffordable when a period does not have that much left
   */
  async reserve(
    call: ReservedCall,
    needs: Needs,
    owner: string,
  ): Promise<AnswerIn<'asking'> | undefined> {
    const { ref, claimed } = call;
    const day = this.#today();
    const periods = this.#periods(day);
    const reserved: Reserved = {
      id: idOf(ref, owner, claimed.calls),
      nanoUsd: call.nanoUsd,
      call: claimed.calls,
      day,
      periods: periods.map(({ name }) => name),
    };
    const noted = await this.#note(ref, owner, reserved, call.promptTokens);
    if (!noted) return undefined;
    const open = openOf(call, day);
    try {
      for (const period of periods) await this.#take(period, reserved, open, needs);
    } catch (error) {
      await this.settle(reserved, 0);
      throw error;
    }
    return noted;
  }

  /**
   * Replaces a reservation by what the call has cost. Idempotent.
   * @param spent in USD; `unseen` when nobody knows: then all of it counts as spent
   */
  async settle({ id, nanoUsd: held, periods }: Reserved, spent: number | 'unseen'): Promise<void> {
    for (const period of periods) await this.#settleIn(period, id, held, spent);
  }

  /** What is left of the scarcest period, in billionths of a dollar; infinite without a budget. */
  async left(): Promise<number> {
    const lefts = await Promise.all(
      this.#periods().map(async ({ name, limitNano }) => {
        const counter = await this.#counter(name);
        return limitNano - (counter?.usedNano ?? 0);
      }),
    );
    return Math.min(Number.POSITIVE_INFINITY, ...lefts);
  }

  /** The periods that may have reservations of dead workers: those of now, and those just before. */
  get watched(): string[] {
    const month = this.#today().slice(0, 7);
    const yesterday = dayOf(this.#now() - dayMs);
    const lastMonth = dayOf(Date.parse(`${month}-01T00:00:00Z`) - dayMs).slice(0, 7);
    return [lastMonth, month, yesterday, this.#today()];
  }

  /** The reservations of a period whose workers are gone. */
  async lapsed(period: string): Promise<OpenReservation[]> {
    const counter = await this.#counter(period);
    return (counter?.open ?? []).filter(({ until }) => until < this.#now());
  }

  /** Settles a reservation whose worker is gone, by its cost entry if it has one; else all of it counts as spent. */
  async settleLapsed(period: string, open: OpenReservation): Promise<void> {
    const entry = await this.#costs.find(open.entry, [open.day, dayAfter(open.day)]);
    const spent = entry ? (entry.costUsd ?? 'unseen') : 'unseen';
    await this.#settleIn(period, open.id, open.nanoUsd, spent);
  }

  /**
   * Sums a running period anew: its cost entries, its open reservations, and what counts as spent although nobody saw it.
   * Where the counter changes meanwhile it is left as it is, for the next time.
   * @param dryRun changes nothing
   * @returns whether the counter was wrong
   */
  async rebuild(period: string, dryRun: boolean): Promise<boolean> {
    const counter = await this.#counter(period);
    if (!counter) return false;
    const { open, unseenNano, usedNano, written } = counter;
    const spent = await this.#spentIn(period, new Set(open.map(({ entry }) => entry)));
    const held = open.reduce((sum, one) => sum + one.nanoUsd, 0);
    const right = spent + unseenNano + held;
    if (right === usedNano || dryRun) return right !== usedNano;
    const changed = await this.#table.update(
      periodKey(period),
      { set: { usedNano: right } },
      { expression: 'written = :seen', values: { seen: written } },
    );
    return changed !== undefined;
  }

  /** The periods that pay now. */
  get running(): string[] {
    return this.#periods().map(({ name }) => name);
  }

  /** Writes the reservation, and the count of the prompt, into the answer. */
  async #note(
    ref: AnswerRef,
    owner: string,
    reserved: Reserved,
    promptTokens: number,
  ): Promise<AnswerIn<'asking'> | undefined> {
    const key = answerKey(ref.contentId, ref.question);
    const item = await this.#table.update(
      key,
      { set: { reserved, promptTokens } },
      {
        expression: '#owner = :owner AND attribute_not_exists(revoked)',
        names: { owner: 'owner' },
        values: { owner },
      },
    );
    // Its acknowledgement may have been lost, and a document may have begun to wait since.
    const present = item ?? (await this.#table.get(key));
    const answer = present && answerItemSchema.parse(present);
    const isOurs = answer?.state === 'asking' && answer.owner === owner && !answer.revoked;
    return isOurs && answer.reserved?.id === reserved.id ? answer : undefined;
  }

  async #take(
    period: Period,
    { id, nanoUsd: amount }: Reserved,
    open: Omit<OpenReservation, 'id'>,
    needs: Needs,
  ): Promise<void> {
    const attribute = openAttribute(id);
    for (;;) {
      const taken = await this.#table.update(
        periodKey(period.name),
        { set: { [attribute]: open }, add: { usedNano: amount } },
        {
          expression: 'usedNano <= :most AND attribute_not_exists(#open)',
          names: { open: attribute },
          values: { most: period.limitNano - amount },
        },
      );
      if (taken) return;
      const counter = await this.#counter(period.name);
      if (!counter) await this.#begin(period.name);
      else if (counter.open.some((one) => one.id === id)) return;
      else if (counter.usedNano > period.limitNano - amount) {
        throw new Unaffordable(exhausted(period, amount, counter), needs);
      }
    }
  }

  async #settleIn(
    period: string,
    id: string,
    held: number,
    spent: number | 'unseen',
  ): Promise<void> {
    const amount = spent === 'unseen' ? held : nanoUsd(spent);
    const attribute = openAttribute(id);
    await this.#table.update(
      periodKey(period),
      {
        add: { usedNano: amount - held, ...(spent === 'unseen' ? { unseenNano: held } : {}) },
        remove: [attribute],
      },
      { expression: 'attribute_exists(#open)', names: { open: attribute } },
    );
  }

  async #counter(period: string): Promise<Counter | undefined> {
    const item = await this.#table.get(periodKey(period));
    return item && counterOf(item);
  }

  /** The first call of a period counts what was spent in it before: there was no budget then. */
  async #begin(period: string): Promise<void> {
    const usedNano = await this.#spentIn(period, new Set());
    const item = { ...periodKey(period), period, usedNano, unseenNano: 0 };
    await this.#table.put(item, { expression: 'attribute_not_exists(pk)' });
  }

  /**
   * What the cost entries of a period sum up to.
   * @param without names of entries whose reservations are still open
   */
  async #spentIn(period: string, without: ReadonlySet<string>): Promise<number> {
    let sum = 0;
    for (const day of daysOf(period, this.#today())) {
      for await (const { name, entry } of this.#costs.named(day)) {
        const { costUsd, reservedOn = day } = entry;
        if (costUsd === undefined || !reservedOn.startsWith(period) || without.has(name)) continue;
        sum += nanoUsd(costUsd);
      }
    }
    return sum;
  }

  #today(): string {
    return dayOf(this.#now());
  }

  #periods(day = this.#today()): Period[] {
    const { dailyUsd, monthlyUsd } = this.#limits;
    const period = (name: string, setting: Period['setting'], usd: number | undefined) =>
      usd === undefined ? [] : [{ name, setting, limitNano: Math.floor(usd * 1e9) }];
    return [
      ...period(day, 'dailyUsd', dailyUsd),
      ...period(day.slice(0, 7), 'monthlyUsd', monthlyUsd),
    ];
  }
}

const dayMs = 24 * 3_600_000;
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const dayAfter = (day: string): string => dayOf(Date.parse(`${day}T00:00:00Z`) + dayMs);

/** The days of a period up to today. */
function daysOf(period: string, today: string): string[] {
  if (period.length > 'yyyy-mm'.length) return [period];
  const days: string[] = [];
  for (let day = `${period}-01`; day.startsWith(period) && day <= today; day = dayAfter(day)) {
    days.push(day);
  }
  return days;
}

/** Each call that may be made has a name of its own: the owner is unique to a claim, and `calls` to a call under it. */
const idOf = ({ contentId, question }: AnswerRef, owner: string, call: number): string =>
  createHash('sha256')
    .update(`${contentId}#${question}#${owner}#${call}`)
    .digest('hex')
    .slice(0, 24);

const openOf = (
  { ref, claimed, nanoUsd: amount }: ReservedCall,
  day: string,
): Omit<OpenReservation, 'id'> => ({
  nanoUsd: amount,
  entry: entryName(ref, claimed, claimed.calls),
  day,
  until: claimed.leaseUntil + skewMs,
});

function exhausted(
  { name, setting, limitNano }: Period,
  amount: number,
  { usedNano }: Counter,
): { code: string; message: string } {
  const left = shownUsd(Math.max(0, limitNano - usedNano));
  const rest = `${setting} (${shownUsd(limitNano)}) has ${left} left for ${name}`;
  return {
    code: 'summarize.budget_exhausted',
    message: `The answer may cost up to ${shownUsd(amount)}; ${rest}.`,
  };
}
