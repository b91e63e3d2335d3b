import { z } from 'zod';
import type { AnswerItem, AnswerRef, RepliedAnswer } from './answer-item.ts';
import { billedSchema } from './billed.ts';
import { costKey, shardCount, shardOf } from './keys.ts';
import type { Item, Table } from './table.ts';

/**
 * What one paid call cost. Entries are immutable, hold no text of a document, and stay when the document is removed:
 * their sum is what was spent.
 */
export const costEntrySchema = billedSchema.extend({
  /**
   * How the call ended: `cut` when its reply was cut off and asked for again with more room; `invalid` when it was not
   * what the schema asks for, and asked for again; `paused` when the next call continued its turn; `unknown` when nobody saw
   * its reply, and whether it was billed is not known either.
   */
  outcome: z.enum(['answered', 'refused', 'cut', 'invalid', 'paused', 'unknown']),
  profile: z.string(),
  /** The key's folder, up to and including its last slash; empty at the top. */
  prefix: z.string(),
  /** The day whose budget paid, where there is one: the call may have ended on the next. */
  reservedOn: z.string().optional(),
});
export type CostEntry = z.infer<typeof costEntrySchema>;

/** The sort key of the entry of a call, by the answer's life and the number of the call. */
export const entryName = (
  { contentId, question }: AnswerRef,
  { life }: Pick<AnswerItem, 'life'>,
  call: number | string,
): string => `${contentId}#${question}#${life}#${call}`;

/** What of an answer its cost entries are made from. */
type Costed = Pick<AnswerItem, 'life' | 'bornAt' | 'askedBy'>;

/** The cost entries of the ledger. */
export class Costs {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /**
   * Records the cost of one call whose reply was seen. Idempotent.
   * @param call the answer's `calls` when the call was made
   */
  async record(ref: AnswerRef, answer: Costed, call: number, entry: CostEntry): Promise<void> {
    await this.#put(ref, entryName(ref, answer, call), entry);
  }

  /** Records the cost of the reply that an answer has, for a worker that died before it did. Idempotent. */
  async recordReply(ref: AnswerRef, answer: RepliedAnswer): Promise<void> {
    const { profile, prefix } = answer.askedBy;
    const { unpricedCalls: _, ...billed } = answer.billed;
    const about = { profile, prefix, ...reservedOn(answer, answer.call) };
    const entry = { ...billed, ...about, outcome: answer.state };
    // One that was given up has no reply.
    if (answer.call > 0) await this.record(ref, answer, answer.call, entry);
    await this.recordCut(ref, answer);
  }

  /**
   * Records the costs of replies that did not end the question: one that was cut off or invalid and asked for again, and those
   * with which Claude paused. Idempotent.
   */
  async recordCut(
    ref: AnswerRef,
    answer: Costed & Pick<AnswerItem, 'cut' | 'turns'>,
  ): Promise<void> {
    const { profile, prefix } = answer.askedBy;
    for (const { billed, call } of answer.turns ?? []) {
      await this.record(ref, answer, call, { ...billed, profile, prefix, outcome: 'paused' });
    }
    if (!answer.cut) return;
    const outcome = answer.cut.invalid === undefined ? 'cut' : 'invalid';
    const entry: CostEntry = { ...answer.cut.billed, profile, prefix, outcome };
    await this.record(ref, answer, answer.cut.call, entry);
  }

  /**
   * Records calls whose end nobody saw: they may have been billed, and how much is not known. Idempotent.
   * @param calls how many of them the answer has had
   */
  async recordUnknown(ref: AnswerRef, answer: Costed, calls: number): Promise<void> {
    const { bornAt, askedBy } = answer;
    const { model, profile, prefix } = askedBy;
    const entry: CostEntry = {
      model,
      profile,
      prefix,
      inputTokens: 0,
      outputTokens: 0,
      cacheReadTokens: 0,
      // The same whenever it is recorded, so that it is recorded once.
      at: new Date(bornAt).toISOString(),
      outcome: 'unknown',
    };
    for (let call = 1; call <= calls; call += 1) {
      await this.#put(ref, entryName(ref, answer, `unknown-${call}`), entry);
    }
  }

  /** The entry of that name (`entryName`), if it is among those of the days. */
  async find(name: string, days: readonly string[]): Promise<CostEntry | undefined> {
    const shard = shardOf(name.slice(0, name.indexOf('#')));
    for (const day of days) {
      const item = await this.#table.get(costKey(day, shard, name));
      if (item) return costEntrySchema.parse(item);
    }
    return undefined;
  }

  async #put({ contentId }: AnswerRef, name: string, entry: CostEntry): Promise<void> {
    const key = costKey(entry.at.slice(0, 10), shardOf(contentId), name);
    await this.#table.put({ ...key, ...entry }, { expression: 'attribute_not_exists(pk)' });
  }

  /** The entries of one UTC day. @param day `yyyy-mm-dd` */
  async *ofDay(day: string): AsyncGenerator<CostEntry> {
    for await (const { entry } of this.named(day)) yield entry;
  }

  /** The same with their names, by consistent reads. */
  async *named(day: string): AsyncGenerator<{ name: string; entry: CostEntry }> {
    for (let shard = 0; shard < shardCount; shard += 1) {
      let cursor: Item | undefined;
      do {
        const page = await this.#table.query({
          hash: { name: 'pk', value: costKey(day, shard, '').pk },
          consistent: true,
          cursor,
        });
        for (const item of page.items) {
          yield { name: String(item.sk), entry: costEntrySchema.parse(item) };
        }
        cursor = page.cursor;
      } while (cursor);
    }
  }
}

/** The day whose budget paid a call, for its cost entry. */
export const reservedOn = (
  { reserved }: Pick<AnswerItem, 'reserved'>,
  call: number,
): Pick<CostEntry, 'reservedOn'> => {
  const day = reserved?.call === call ? reserved.day : undefined;
  return day === undefined ? {} : { reservedOn: day };
};
