import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AnswerIn, AnswerItem } from '../../shared/ledger/answer-item.ts';
import { Answers } from '../../shared/ledger/answers.ts';
import { emptyLedger } from './support.ts';

/**
 * Random workers ask one question, lose their leases, settle late, give back and die, while documents wait, persons
 * ask again and the content is removed: in the ledger and in a model of a few lines. The model is also checked for
 * what the protocol promises: one live lease, no reply lost, every call counted.
 */

interface Answer {
  state: AnswerItem['state'];
  life: string;
  generation: number;
  calls: number;
  unknown: number;
  owner?: string | undefined;
  leaseUntil?: number | undefined;
  revoked?: boolean | undefined;
  awaited: boolean;
  /** Of the reply, which names who gave it. */
  reply?: string | undefined;
  call?: number | undefined;
}

interface Model {
  answer: Answer | undefined;
  now: number;
  /** What each worker claimed last and may still be calling for. */
  claimed: Map<string, Answer>;
  /** What each remover saw last. */
  seen: Map<string, Answer>;
  /** Leases that were granted and not ended since, by owner. */
  leases: Map<string, number>;
  /** Calls of this life of the answer that were not given back as unpaid. */
  made: number;
  owners: number;
}

interface Real {
  answers: Answers;
  clock: { now: number };
  claimed: Map<string, AnswerIn<'asking'>>;
  seen: Map<string, AnswerItem>;
}

type Command = fc.AsyncCommand<Model, Real>;

const ref = { contentId: 'c'.repeat(64), question: 'q' };
const askedBy = { documentId: 'd', order: '01', model: 'm', profile: 'default', prefix: '' };
const billed = { model: 'm', inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, at: 'now' };
const leaseMs = 1_000;

function command(text: string, act: (model: Model, real: Real) => Promise<void>): Command {
  return {
    check: () => true,
    async run(model, real) {
      const before = model.answer && { ...model.answer };
      await act(model, real);
      await compare(model, real, before);
    },
    toString: () => text,
  };
}

async function compare(model: Model, { answers }: Real, before: Answer | undefined) {
  const { answer } = model;
  const item = await answers.get(ref);
  expect(item && pick(item)).toEqual(answer && defined(answer));

  // At most one worker may be asking at any time.
  const live = [...model.leases.values()].filter((until) => until >= model.now);
  expect(live.length).toBeLessThanOrEqual(1);
  if (!item || !answer) return;
  // Every call is counted, and those whose end is not known are among them.
  expect(item.calls).toBe(model.made);
  expect(item.unknownCalls).toBeGreaterThanOrEqual(0);
  expect(item.calls).toBeGreaterThanOrEqual(item.unknownCalls);
  // An answer stays as it is: only a removal ends its life.
  if (before?.state === 'answered' && before.life === answer.life) expect(answer).toEqual(before);
}

const pick = (item: AnswerItem) =>
  defined({
    state: item.state,
    life: item.life,
    generation: item.generation,
    calls: item.calls,
    unknown: item.unknownCalls,
    awaited: item.awaited,
    ...(item.state === 'asking'
      ? { owner: item.owner, leaseUntil: item.leaseUntil, revoked: item.revoked }
      : { reply: item.replyKey, call: item.call }),
  });

const defined = (given: object) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));

/** Whether the answer is being asked for under a lease that has not run out. */
const isLive = ({ answer, now }: Model): boolean =>
  answer?.state === 'asking' && (answer.leaseUntil ?? 0) >= now;

const owns = (model: Model, by: string): boolean => {
  const { owner } = model.claimed.get(by) ?? {};
  return owner !== undefined && model.answer?.owner === owner;
};

/** The answer is no more: what its workers hold is of no use. */
function end(model: Model): void {
  model.answer = undefined;
  model.made = 0;
}

const claim = (by: string) =>
  command(`${by} claims`, async (model, { answers, claimed }) => {
    model.owners += 1;
    const owner = `${by}-${model.owners}`;

    const item = await answers.claim(ref, askedBy, owner, leaseMs);

    const { answer, now } = model;
    const free = !answer || (answer.state === 'asking' && !isLive(model));
    expect(item !== undefined).toBe(free);
    if (!free || !item) return;
    const first = { state: 'asking', life: owner, generation: 0, awaited: false } as const;
    const { calls, unknown, ...kept } = answer ?? { ...first, calls: 0, unknown: 0 };
    const lease = { owner, leaseUntil: now + leaseMs, revoked: undefined };
    model.answer = { ...kept, ...lease, calls: calls + 1, unknown: unknown + 1 };
    model.made += 1;
    model.leases.set(owner, now + leaseMs);
    model.claimed.set(by, { ...model.answer });
    claimed.set(by, item);
  });

const settle = (by: string, refuses: boolean) =>
  command(`${by} settles it ${refuses ? 'refused' : 'answered'}`, async (model, real) => {
    const mine = real.claimed.get(by);
    const known = model.claimed.get(by);
    if (!mine || !known) return;
    const error = refuses ? { code: 'summarize.refused', message: 'm' } : undefined;

    const item = await real.answers.settle(ref, mine, { replyKey: by }, billed, error);

    // It has its reply: this call is over, however often it was tried to write it down.
    real.claimed.delete(by);
    model.claimed.delete(by);
    const { answer } = model;
    const wanted =
      answer?.state === 'asking' &&
      answer.life === known.life &&
      answer.generation === known.generation &&
      !answer.revoked;
    expect(item !== undefined).toBe(wanted);
    if (!wanted) return;
    const { life, generation, calls, unknown, awaited } = answer;
    const state = refuses ? 'refused' : 'answered';
    const reply = { reply: by, call: known.calls };
    model.answer = { state, life, generation, calls, unknown: unknown - 1, awaited, ...reply };
    model.leases.clear();
  });

const giveBack = (by: string, mayBePaid: boolean) =>
  command(`${by} gives it back, ${mayBePaid ? 'maybe' : 'not'} paid`, async (model, real) => {
    const mine = real.claimed.get(by);
    if (!mine) return;

    const item = await real.answers.giveBack(ref, mine.owner ?? '', mayBePaid);

    const may = owns(model, by);
    expect(item !== undefined).toBe(may);
    const { owner = '' } = model.claimed.get(by) ?? {};
    real.claimed.delete(by);
    model.claimed.delete(by);
    if (!may || !model.answer) return;
    const less = mayBePaid ? 0 : 1;
    model.answer.calls -= less;
    model.answer.unknown -= less;
    model.made -= less;
    model.answer.leaseUntil = 0;
    model.answer.owner = undefined;
    model.leases.delete(owner);
  });

const worker = fc.constantFrom('ann', 'bob', 'cy');

const commands = [
  worker.map(claim),
  worker.map(claim),
  fc.tuple(worker, fc.boolean()).map((args) => settle(...args)),
  fc.tuple(worker, fc.boolean()).map((args) => giveBack(...args)),
  fc.nat({ max: 1_500 }).map((ms) =>
    command(`${ms} ms pass`, async (model, { clock }) => {
      clock.now += ms;
      model.now += ms;
    }),
  ),
  fc.constant(undefined).map(() =>
    command('a document waits', async (model, { answers }) => {
      const waits = isLive(model);
      expect(await answers.awaitAnswer(ref)).toBe(waits);
      if (waits && model.answer) model.answer.awaited = true;
    }),
  ),
  fc.nat({ max: 2 }).map((generation) =>
    command(`a person has generation ${generation} asked again`, async (model, { answers }) => {
      const { answer } = model;
      const may = answer?.state === 'refused' && answer.generation === generation;
      expect(await answers.reopen(ref, generation)).toBe(may);
      if (!may) return;
      const { life, calls, unknown, awaited } = answer;
      const asked = { state: 'asking', generation: generation + 1, leaseUntil: 0 } as const;
      model.answer = { ...asked, life, calls, unknown, awaited };
    }),
  ),
  worker.map((by) =>
    command(`${by} looks, to remove it`, async (model, { answers, seen }) => {
      const item = await answers.get(ref);
      if (!item || !model.answer) return;
      seen.set(by, item);
      model.seen.set(by, { ...model.answer });
    }),
  ),
  worker.map((by) =>
    command(`${by} removes it`, async (model, { answers, seen }) => {
      const item = seen.get(by);
      const known = model.seen.get(by);
      if (!item || !known) return;

      const until = await answers.remove(ref, item);

      const { answer, now } = model;
      if (known.state === 'asking' && (known.leaseUntil ?? 0) >= now) {
        const same = answer?.owner === known.owner;
        expect(until).toBe(same ? known.leaseUntil : now);
        if (same && answer) answer.revoked = true;
        return;
      }
      const same =
        answer?.state === known.state &&
        answer.life === known.life &&
        (known.state === 'asking'
          ? answer.leaseUntil === known.leaseUntil && answer.calls === known.calls
          : answer.generation === known.generation);
      expect(until).toBe(same ? undefined : now);
      if (same) end(model);
    }),
  ),
  worker.map((by) =>
    command(`${by} ends it`, async (model, { answers, claimed }) => {
      const mine = claimed.get(by);
      if (!mine) return;
      const may = owns(model, by) && model.answer?.revoked === true;
      // Only the worker of a revoked question does this.
      if (!may) return;
      expect(await answers.end(ref, mine.owner ?? '')).toBe(true);
      model.leases.delete(mine.owner ?? '');
      claimed.delete(by);
      model.claimed.delete(by);
      end(model);
    }),
  ),
];

test('any workers in any order leave what the model predicts, and ask one at a time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: 'max' }), async (run) => {
      await fc.asyncModelRun(async () => {
        const { table, clock } = await emptyLedger();
        const model: Model = {
          answer: undefined,
          now: clock.now,
          claimed: new Map(),
          seen: new Map(),
          leases: new Map(),
          made: 0,
          owners: 0,
        };
        const answers = new Answers(table, () => clock.now);
        return { model, real: { answers, clock, claimed: new Map(), seen: new Map() } };
      }, run);
    }),
    { seed: 20261122, numRuns: 500 },
  );
});
