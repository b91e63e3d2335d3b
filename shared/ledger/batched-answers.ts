import { type AnswerIn, type AnswerRef, answerItemSchema } from './answer-item.ts';
import { type Billed, cutOf } from './billed.ts';
import { answerKey } from './keys.ts';
import type { Changes, Condition, Table } from './table.ts';

/** What an answer has only while it waits for a Message Batch or is in one. */
export const batchAttributes = ['batchLine', 'batchName'];

/** A line of a batch as the answer knows it. */
interface LineOfAnswer {
  ref: AnswerRef;
  /** Its `custom_id`. */
  id: string;
}

/**
 * The answers' part of Message Batches. An answer that waits for a batch stays `asking`, under the name of the worker that
 * claimed it and a lease that outlasts every batch, so code that knows no batches waits for it as for any other call. Every
 * method is one conditional write.
 */
export class BatchedAnswers {
  readonly #table: Table;
  readonly #now: () => number;

  /** @param now epoch milliseconds */
  constructor(table: Table, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /**
   * The worker that has claimed the question leaves it to a batch.
   * @returns `undefined` when the worker no longer holds the lease, or the content was removed
   */
  async park(
    ref: AnswerRef,
    { owner }: Pick<AnswerIn<'asking'>, 'owner'>,
    id: string,
    leaseMs: number,
  ): Promise<AnswerIn<'asking'> | undefined> {
    return this.#update(
      ref,
      { set: { batchLine: id, leaseUntil: this.#now() + leaseMs } },
      {
        expression: '#owner = :owner AND attribute_not_exists(revoked)',
        names: { owner: 'owner' },
        values: { owner },
      },
    );
  }

  /**
   * Puts the answer into a batch that is about to be made: from then on it is in that one or in none.
   * @param from the batch that it was put into before, which was made without it
   * @returns `undefined` when it does not wait for a batch any more, or is in another
   */
  async assign(
    { ref, id }: LineOfAnswer,
    name: string,
    from?: string,
  ): Promise<AnswerIn<'asking'> | undefined> {
    const before = from === undefined ? 'attribute_not_exists(batchName)' : 'batchName = :from';
    return this.#update(
      ref,
      { set: { batchName: name } },
      {
        expression: `batchLine = :line AND attribute_not_exists(revoked) AND ${before}`,
        values: { line: id, ...(from === undefined ? {} : { from }) },
      },
    );
  }

  /**
   * The batch gives no reply: the lease is over, and whoever comes next asks.
   * @param how `paid`: the call may have been billed, and stays counted; `singly`: no other batch is to take it
   * @returns `undefined` when the line was taken out before
   */
  async takeOut(
    { ref, id }: LineOfAnswer,
    { paid, singly }: { paid: boolean; singly: boolean },
  ): Promise<AnswerIn<'asking'> | undefined> {
    return this.#update(
      ref,
      {
        set: { leaseUntil: 0, ...(singly ? { singly } : {}) },
        ...(paid ? {} : { add: { calls: -1, unknownCalls: -1 } }),
        remove: ['owner', ...batchAttributes],
      },
      inBatch(id),
    );
  }

  /**
   * The reply was cut off, or is not what the schema asks for: it is asked for once more, by a call of its own. Writes what the
   * reply was billed.
   * @param call the number of the call that gave the reply
   * @returns `undefined` when the line was taken out before, or the content was removed
   */
  async cut(
    { ref, id }: LineOfAnswer,
    call: number,
    billed: Billed,
    invalid: string | undefined,
  ): Promise<AnswerIn<'asking'> | undefined> {
    const { expression, values } = inBatch(id);
    return this.#update(
      ref,
      {
        set: { cut: cutOf(billed, call, invalid), leaseUntil: 0 },
        add: { unknownCalls: -1 },
        remove: ['owner', ...batchAttributes],
      },
      { expression: `${expression} AND attribute_not_exists(revoked)`, values },
    );
  }

  async #update(
    { contentId, question }: AnswerRef,
    changes: Changes,
    condition: Condition,
  ): Promise<AnswerIn<'asking'> | undefined> {
    const item = await this.#table.update(answerKey(contentId, question), changes, condition);
    return item && (answerItemSchema.parse(item) as AnswerIn<'asking'>);
  }
}

const inBatch = (id: string) => ({ expression: 'batchLine = :line', values: { line: id } });
