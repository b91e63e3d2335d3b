import { z } from 'zod';
import { answerItemSchema } from './answer-item.ts';
import { batchKey, batchLineKey, batchTurnKey, shardCount, waitingLineKey } from './keys.ts';
import { reservedSchema } from './reserved.ts';
import type { Item, Table } from './table.ts';

const asking = answerItemSchema.options[0].shape;

/**
 * A question on its way through a Message Batch: all that its request and the books need, so that what it has cost can be
 * told after the answer was deleted with its content.
 */
const lineSchema = z.object({
  /** Its `custom_id`, unique to the call. */
  id: z.string(),
  ref: z.object({ contentId: z.string(), question: z.string() }),
  kind: z.enum(['summary', 'fields']),
  life: z.string(),
  bornAt: z.number(),
  askedBy: asking.askedBy,
  /** The answer's counts with this call. */
  calls: z.int(),
  unknownCalls: z.int(),
  reserved: reservedSchema.optional(),
  /** Whether a reply that is cut off is asked for again with more room. */
  hasMoreRoom: z.boolean(),
  /** Epoch milliseconds since which it waits. */
  since: z.number(),
  /** The request, and the schema of the fields, as gzipped JSON. */
  request: z.instanceof(Uint8Array),
  /** Bytes of the request in the batch. */
  bytes: z.int(),
});
export type BatchLine = Omit<z.infer<typeof lineSchema>, 'request'> & { request: Uint8Array };

/**
 * - `filling`: questions are being put into it;
 * - `full`: it holds what it will hold, and does not exist at Claude;
 * - `creating`: it is being created at Claude, or that was not seen to end: then it may exist there;
 * - `open`: it exists at Claude;
 * - `returning`: it will not answer what it still holds, which is asked in another way.
 */
const batchItemSchema = z.object({
  name: z.string(),
  state: z.enum(['filling', 'full', 'creating', 'open', 'returning']),
  /** Epoch milliseconds. */
  madeAt: z.number(),
  /** How many questions it holds. */
  lines: z.int().default(0),
  /** Epoch milliseconds of the last attempt to create it. */
  triedAt: z.number().optional(),
  /** Its id at Claude. */
  batchId: z.string().optional(),
  /** Of one that is returning: whether its calls may have been billed, and whether no other batch is to take them. */
  returned: z.object({ paid: z.boolean(), singly: z.boolean() }).optional(),
});
export type BatchItem = z.infer<typeof batchItemSchema>;

const turnSchema = z.object({
  /** Epoch milliseconds at which batches are looked at next; absent when there are none. */
  turn: z.number().optional(),
  owner: z.string().optional(),
  leaseUntil: z.number().default(0),
});

/** The batches' part of the ledger: those under way, their lines, and whose turn it is to look at them. */
export class Batches {
  readonly #table: Table;
  readonly #now: () => number;

  /** @param now epoch milliseconds */
  constructor(table: Table, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /** Adds a question to those that wait for a batch. Idempotent. */
  async add(line: BatchLine): Promise<void> {
    await this.#table.put(
      { ...waitingLineKey(line.id), ...line },
      { expression: 'attribute_not_exists(pk)' },
    );
  }

  /** Whether a question waits for a batch, by a consistent read. */
  async isWaiting(id: string): Promise<boolean> {
    return (await this.#table.get(waitingLineKey(id))) !== undefined;
  }

  /** The questions that wait for a batch, by consistent reads. */
  async *waiting(): AsyncGenerator<BatchLine> {
    for (let shard = 0; shard < shardCount; shard += 1) {
      yield* this.#linesOf(`BATCH#WAITING#${shard}`);
    }
  }

  async dropWaiting(id: string): Promise<void> {
    await this.#table.delete(waitingLineKey(id));
  }

  /** Writes a line into a batch. Idempotent. */
  async putLine(name: string, line: BatchLine): Promise<void> {
    await this.#table.put({ ...batchLineKey(name, line.id), ...line });
  }

  async line(name: string, id: string): Promise<BatchLine | undefined> {
    const item = await this.#table.get(batchLineKey(name, id));
    return item && lineSchema.parse(item);
  }

  /** The lines of a batch that are not dealt with, by consistent reads. */
  lines(name: string): AsyncGenerator<BatchLine> {
    return this.#linesOf(batchLineKey(name, '').pk);
  }

  async dropLine(name: string, id: string): Promise<void> {
    await this.#table.delete(batchLineKey(name, id));
  }

  async #page(pk: string, cursor: Item | undefined) {
    return this.#table.query({ hash: { name: 'pk', value: pk }, consistent: true, cursor });
  }

  async *#linesOf(pk: string): AsyncGenerator<BatchLine> {
    let cursor: Item | undefined;
    do {
      const page = await this.#page(pk, cursor);
      for (const item of page.items) yield lineSchema.parse(item);
      cursor = page.cursor;
    } while (cursor);
  }

  /** The batches under way, oldest first. */
  async all(): Promise<BatchItem[]> {
    const found: BatchItem[] = [];
    let cursor: Item | undefined;
    do {
      const page = await this.#page(batchKey('').pk, cursor);
      found.push(...page.items.map((item) => batchItemSchema.parse(item)));
      cursor = page.cursor;
    } while (cursor);
    return found.sort((a, b) => a.madeAt - b.madeAt);
  }

  /** Writes a batch as it is now; whoever has the turn is the only one who does. */
  async save(batch: BatchItem): Promise<BatchItem> {
    await this.#table.put({ ...batchKey(batch.name), ...batch });
    return batch;
  }

  async forget({ name }: BatchItem): Promise<void> {
    await this.#table.delete(batchKey(name));
  }

  /**
   * Makes sure that somebody will look at the batches.
   * @param withinMs when, in milliseconds from now
   * @param lateMs after how long a turn that nobody took is given anew, in milliseconds
   * @returns the turn for which a message has to be sent, or `undefined` when one is on its way
   */
  async call(withinMs: number, lateMs: number): Promise<number | undefined> {
    const now = this.#now();
    const item = await this.#table.get(batchTurnKey);
    const { turn: due, leaseUntil } = turnSchema.parse(item ?? {});
    if (due !== undefined && (due + lateMs > now || leaseUntil > now)) return undefined;
    const turn = now + withinMs;
    const given = await this.#table.update(
      batchTurnKey,
      { set: { turn } },
      due === undefined
        ? { expression: 'attribute_not_exists(turn)' }
        : { expression: 'turn = :due', values: { due } },
    );
    return given && turn;
  }

  /**
   * Takes a turn: nobody else works on batches for `leaseMs`.
   * @returns false when it is another's, or over
   */
  async take(turn: number, owner: string, leaseMs: number): Promise<boolean> {
    const now = this.#now();
    const taken = await this.#table.update(
      batchTurnKey,
      { set: { owner, leaseUntil: now + leaseMs } },
      {
        expression: 'turn = :turn AND (attribute_not_exists(leaseUntil) OR leaseUntil < :now)',
        values: { turn, now },
      },
    );
    return taken !== undefined;
  }

  /**
   * Ends a turn.
   * @param next when the next one is, in epoch milliseconds; `undefined` when nothing is left to do
   * @returns false when the turn was no longer this owner's
   */
  async end(owner: string, next: number | undefined): Promise<boolean> {
    const ended = await this.#table.update(
      batchTurnKey,
      {
        set: { leaseUntil: 0, ...(next === undefined ? {} : { turn: next }) },
        remove: ['owner', ...(next === undefined ? ['turn'] : [])],
      },
      { expression: '#owner = :owner', names: { owner: 'owner' }, values: { owner } },
    );
    return ended !== undefined;
  }
}
