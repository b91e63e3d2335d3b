import { asSeen, atGeneration, exists, stillWanted } from './answer-conditions.ts';
import {
  type AnswerIn,
  type AnswerItem,
  type AnswerRef,
  type Asker,
  answerItemSchema,
  type Produced,
  type RepliedAnswer,
  type StoredReply,
} from './answer-item.ts';
import { batchAttributes } from './batched-answers.ts';
import { type Billed, cutOf, paidFor, type Turn } from './billed.ts';
import { answerKey, contentKey } from './keys.ts';
import type { Changes, Condition, Item, Table } from './table.ts';

/** The answers' part of the ledger. Every method is one conditional write on one item. */
export class Answers {
  readonly #table: Table;
  readonly #now: () => number;

  /** @param now epoch milliseconds */
  constructor(table: Table, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /** The answer by a consistent read, or `undefined` when the question was never asked. */
  async get(ref: AnswerRef): Promise<AnswerItem | undefined> {
    const item = await this.#table.get(answerKey(ref.contentId, ref.question));
    return item && answerItemSchema.parse(item);
  }

  /**
   * Takes the lease of a question that nobody is asking, and counts the call that is about to be made: a crash
   * between this and the reply's write cannot be told from one before the call.
   * @param leaseMs longer than the call can take, in milliseconds
   * @returns the answer as claimed, or `undefined` when somebody is asking or has asked
   */
  async claim(
    ref: AnswerRef,
    askedBy: Asker,
    owner: string,
    leaseMs: number,
  ): Promise<AnswerIn<'asking'> | undefined> {
    const now = this.#now();
    const lease = { state: 'asking', owner, leaseUntil: now + leaseMs } as const;
    const born = await this.#bear(ref, askedBy, lease);
    if (born) return born;
    const taken = await this.#update<'asking'>(
      ref,
      {
        set: { askedBy, ...lease },
        add: { calls: 1, unknownCalls: 1 },
        remove: ['revoked', ...batchAttributes],
      },
      {
        expression: '#state = :asking AND leaseUntil < :now',
        names: { state: 'state' },
        values: { asking: 'asking', now },
      },
    );
    if (taken) return taken;
    // Its acknowledgement may have been lost, and a document may have begun to wait since.
    const seen = await this.get(ref);
    return seen?.state === 'asking' && seen.owner === owner ? seen : undefined;
  }

  /**
   * Takes the lease of a question that was probably never asked, without looking first, as `claim` does.
   * @returns the answer as claimed, or as it is because it was there already
   */
  async claimNew(
    ref: AnswerRef,
    askedBy: Asker,
    owner: string,
    leaseMs: number,
  ): Promise<{ claimed: AnswerIn<'asking'> } | { seen: AnswerItem | undefined }> {
    const leaseUntil = this.#now() + leaseMs;
    const born = await this.#bear(ref, askedBy, { state: 'asking', owner, leaseUntil });
    if (born) return { claimed: born };
    const seen = await this.get(ref);
    // Its acknowledgement may have been lost, and a document may have begun to wait since.
    const own = seen?.state === 'asking' && seen.owner === owner;
    return own ? { claimed: seen } : { seen };
  }

  /** Writes the answer to a question that was never asked; `undefined` when it was. */
  async #bear(
    ref: AnswerRef,
    askedBy: Asker,
    lease: { state: 'asking'; owner: string; leaseUntil: number },
  ): Promise<AnswerIn<'asking'> | undefined> {
    const born = {
      ...answerKey(ref.contentId, ref.question),
      question: ref.question,
      bornAt: this.#now(),
      life: lease.owner,
      calls: 1,
      unknownCalls: 1,
      askedBy,
      ...lease,
    };
    const done = await this.#table.put(born, { expression: 'attribute_not_exists(pk)' });
    return done ? (answerItemSchema.parse(born) as AnswerIn<'asking'>) : undefined;
  }

  /**
   * Asks to be woken. The caller has marked its reference before.
   * @returns false when nobody is asking any more: then there is an answer, or somebody has to ask
   */
  async awaitAnswer(ref: AnswerRef): Promise<boolean> {
    const waiting = await this.#update(
      ref,
      { set: { awaited: true } },
      {
        expression: '#state = :asking AND leaseUntil >= :now',
        names: { state: 'state' },
        values: { asking: 'asking', now: this.#now() },
      },
    );
    return waiting !== undefined;
  }

  /**
   * Writes down what came of a paid call. Whoever holds a reply writes it, even after its lease: a reply is a reply,
   * and the worker that has taken the question over finds it.
   * @param error why the reply is of no use, if it is not
   * @returns the answer as written, or `undefined` when the content was removed meanwhile, or another reply was first
   */
  async settle(
    ref: AnswerRef,
    claimed: AnswerIn<'asking'>,
    stored: StoredReply,
    billed: Billed,
    error?: AnswerIn<'refused'>['error'],
  ): Promise<RepliedAnswer | undefined> {
    const state = error ? 'refused' : 'answered';
    return this.#update<'answered' | 'refused'>(
      ref,
      {
        set: { state, ...stored, billed, call: claimed.calls, error },
        add: { unknownCalls: -1 },
        remove: ['owner', 'leaseUntil', ...batchAttributes],
      },
      stillWanted(claimed),
    );
  }

  /**
   * Gives the lease back after a call without a usable reply.
   * @param mayBePaid false when the call was certainly not billed: then it is not counted
   * @returns the answer as it is now, or `undefined` when the worker no longer held the lease
   */
  async giveBack(
    ref: AnswerRef,
    owner: string,
    mayBePaid: boolean,
  ): Promise<AnswerIn<'asking'> | undefined> {
    return this.#update<'asking'>(
      ref,
      {
        set: { leaseUntil: 0 },
        ...(mayBePaid ? {} : { add: { calls: -1, unknownCalls: -1 } }),
        remove: ['owner', ...batchAttributes],
      },
      { expression: '#owner = :owner', names: { owner: 'owner' }, values: { owner } },
    );
  }

  /**
   * Ends a question whose replies were lost, or of no use to anybody, although they may have been billed: `refused` for
   * all that share it, so that no other document pays for the same again. Only a person's retry asks again.
   * @returns the answer as it is now, or `undefined` when the worker no longer held the lease
   */
  async giveUp(
    ref: AnswerRef,
    { owner, askedBy }: AnswerIn<'asking'>,
    error: AnswerIn<'refused'>['error'],
  ): Promise<AnswerIn<'refused'> | undefined> {
    const at = new Date(this.#now()).toISOString();
    const none = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, costUsd: 0 };
    return this.#update<'refused'>(
      ref,
      {
        set: { state: 'refused', error, billed: { model: askedBy.model, ...none, at }, call: 0 },
        remove: ['owner', 'leaseUntil', ...batchAttributes],
      },
      {
        expression: '#owner = :owner AND attribute_not_exists(revoked)',
        names: { owner: 'owner' },
        values: { owner },
      },
    );
  }

  /**
   * Writes what a reply was billed that was cut off or invalid, and counts the call that is made next with more room: a crash
   * between this and the end of that call leaves a question that is asked with that room at once.
   * @param leaseMs from now on, in milliseconds
   * @param invalid what was wrong with the reply, where it was not cut off
   * @returns the answer as it is now, or `undefined` when the worker no longer holds the lease, or the content was removed
   */
  async askAgain(
    ref: AnswerRef,
    { owner, calls }: AnswerIn<'asking'>,
    billed: Billed,
    leaseMs: number,
    invalid?: string,
  ): Promise<AnswerIn<'asking'> | undefined> {
    const asked = await this.#update<'asking'>(
      ref,
      {
        set: { cut: cutOf(billed, calls, invalid), leaseUntil: this.#now() + leaseMs },
        // The cost of the call before is known now, that of the next is not.
        add: { calls: 1 },
      },
      {
        expression:
          '#owner = :owner AND attribute_not_exists(revoked) AND attribute_not_exists(cut)',
        names: { owner: 'owner' },
        values: { owner },
      },
    );
    if (asked) return asked;
    // Its acknowledgement may have been lost.
    const seen = await this.get(ref);
    const mine = seen?.state === 'asking' && seen.owner === owner && !seen.revoked;
    return mine && seen.cut?.call === calls ? seen : undefined;
  }

  /**
   * Writes down a reply with which Claude paused its turn, and gives the lease back: the next call is claimed like any.
   * @returns the answer as it is now, or `undefined` when the worker no longer holds the lease, or the content was removed
   */
  async pause(
    ref: AnswerRef,
    { owner, life, turns = [] }: AnswerIn<'asking'>,
    turn: Turn,
    made: string[],
  ): Promise<AnswerIn<'asking'> | undefined> {
    const paused = await this.#update<'asking'>(
      ref,
      {
        set: { turns: [...turns, turn], made, leaseUntil: 0 },
        add: { unknownCalls: -1 },
        remove: ['owner'],
      },
      {
        expression: '#owner = :owner AND attribute_not_exists(revoked)',
        names: { owner: 'owner' },
        values: { owner },
      },
    );
    if (paused) return paused;
    // Its acknowledgement may have been lost.
    const seen = await this.get(ref);
    const same = seen?.state === 'asking' && seen.life === life && !seen.revoked;
    return same && seen.turns?.some(({ call }) => call === turn.call) ? seen : undefined;
  }

  /** Writes down where the files are that Claude made. @returns `undefined` when somebody did, or the answer is gone */
  async keepFiles(
    ref: AnswerRef,
    { life, generation }: RepliedAnswer,
    files: Produced,
    left: string[],
  ): Promise<RepliedAnswer | undefined> {
    const same = atGeneration('answered', generation);
    return this.#update<'answered'>(
      ref,
      { set: { files, left: left.length > 0 ? left : undefined } },
      {
        ...same,
        expression: `${same.expression} AND life = :life AND attribute_not_exists(files)`,
        values: { ...same.values, life },
      },
    );
  }

  /** The files that Claude made are deleted there. */
  async forgetMade(ref: AnswerRef, { life, state, generation }: RepliedAnswer): Promise<void> {
    const same = atGeneration(state, generation);
    const mine = { expression: `${same.expression} AND life = :life` };
    await this.#update(
      ref,
      { remove: ['made'] },
      { ...same, ...mine, values: { ...same.values, life } },
    );
  }

  /** Takes back the call that `claim` counted: it was not made, because the reply of the call before was found. */
  async uncount(ref: AnswerRef, owner: string): Promise<AnswerIn<'asking'> | undefined> {
    return this.#update<'asking'>(
      ref,
      { add: { calls: -1, unknownCalls: -1 } },
      { expression: '#owner = :owner', names: { owner: 'owner' }, values: { owner } },
    );
  }

  /** Clears the mark that documents wait: they are about to be woken. */
  async clearAwaited(ref: AnswerRef): Promise<void> {
    await this.#update(ref, { remove: ['awaited'] }, exists);
  }

  /**
   * Has a refused question asked again, as a person wishes. Of several documents that share the refusal the first
   * does it: the others name a generation that is over.
   */
  async reopen(ref: AnswerRef, generation: number): Promise<boolean> {
    const seen = await this.get(ref);
    if (seen?.state !== 'refused') return false;
    const reopened = await this.#update(
      ref,
      {
        set: {
          state: 'asking',
          leaseUntil: 0,
          earlier: paidFor(seen),
          unknownEarlier: seen.unknownCalls || undefined,
        },
        add: { generation: 1 },
        remove: ['error', 'billed', 'call', 'reply', 'replyKey', 'cut', 'turns'],
      },
      atGeneration('refused', generation),
    );
    return reopened !== undefined;
  }

  /** All answers about a content. There are as many as questions were asked about it: a handful. */
  async ofContent(contentId: string): Promise<AnswerItem[]> {
    const answers: AnswerItem[] = [];
    let cursor: Item | undefined;
    do {
      const page = await this.#table.query({
        hash: { name: 'pk', value: contentKey(contentId).pk },
        range: { name: 'sk', beginsWith: 'ANSWER#' },
        consistent: true,
        cursor,
      });
      answers.push(...page.items.map((item) => answerItemSchema.parse(item)));
      cursor = page.cursor;
    } while (cursor);
    return answers;
  }

  /**
   * Deletes an answer as it was seen. One that is being asked for is only revoked: its worker, or who finds it dead
   * later, deletes it and knows that a call was paid. One in a batch is deleted: the batch's line tells its cost. Idempotent.
   * @returns epoch milliseconds until which the worker may be in its call, or `undefined` when the answer is gone
   */
  async remove(ref: AnswerRef, seen: AnswerItem): Promise<number | undefined> {
    const isAsked = seen.state === 'asking' && seen.batchLine === undefined;
    if (isAsked && seen.leaseUntil >= this.#now()) {
      const revoked = await this.#update(
        ref,
        { set: { revoked: true } },
        { expression: '#owner = :owner', names: { owner: 'owner' }, values: { owner: seen.owner } },
      );
      // Somebody wrote it meanwhile: it is looked at again soon.
      return revoked ? seen.leaseUntil : this.#now();
    }
    const key = answerKey(ref.contentId, ref.question);
    const gone = await this.#table.delete(key, asSeen(seen));
    return gone ? undefined : this.#now();
  }

  /** The worker of a revoked question ends it: its reply is not kept. */
  async end(ref: AnswerRef, owner: string): Promise<boolean> {
    return this.#table.delete(answerKey(ref.contentId, ref.question), {
      expression: '#owner = :owner',
      names: { owner: 'owner' },
      values: { owner },
    });
  }

  async #update<State extends AnswerItem['state']>(
    { contentId, question }: AnswerRef,
    changes: Changes,
    condition: Condition,
  ): Promise<AnswerIn<State> | undefined> {
    const item = await this.#table.update(answerKey(contentId, question), changes, condition);
    return item && (answerItemSchema.parse(item) as AnswerIn<State>);
  }
}
