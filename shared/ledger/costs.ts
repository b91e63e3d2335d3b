import { type AnswerRef, type Billed, billedSchema } from './answers.ts';
import { costKey, shardCount, shardOf } from './keys.ts';
import type { Item, Table } from './table.ts';
import { z } from 'zod';

/**
 * What one paid call cost. Entries are immutable, hold no text of a document, and stay when the document is removed:
 * their sum is what was spent.
 */
export const costEntrySchema = billedSchema.extend({
  /** How the call ended; `unknown` when nobody saw its reply, and whether it was billed is not known either. */
  outcome: z.enum(['answered', 'refused', 'unknown']),
  profile: z.string(),
  /** The key's folder, up to and including its last slash; empty at the top. */
  prefix: z.string(),
});
export type CostEntry = z.infer<typeof costEntrySchema>;

/** The cost entries of the ledger. */
export class Costs {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /**
   * Records the cost of one call of an answer. Idempotent: the call's number names the entry.
   * @param call the answer's `calls` when the call was made
   */
  async record(
    { contentId, question }: AnswerRef,
    generation: number,
    call: number,
    entry: CostEntry,
  ): Promise<void> {
    const day = entry.at.slice(0, 10);
    const name = `${contentId}#${question}#${generation}#${call}`;
    await this.#table.put(
      { ...costKey(day, shardOf(contentId), name), ...entry },
      { expression: 'attribute_not_exists(pk)' },
    );
  }

  /** The entries of one UTC day. @param day `yyyy-mm-dd` */
  async *ofDay(day: string): AsyncGenerator<CostEntry> {
    for (let shard = 0; shard < shardCount; shard += 1) {
      let cursor: Item | undefined;
      do {
        const page = await this.#table.query({
          hash: { name: 'pk', value: costKey(day, shard, '').pk },
          cursor,
        });
        for (const item of page.items) yield costEntrySchema.parse(item);
        cursor = page.cursor;
      } while (cursor);
    }
  }
}

/** A cost whose call's end nobody saw. */
export const unknownBill = (model: string, at: string): Billed => ({
  model,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  at,
});
