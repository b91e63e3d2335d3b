import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AnswerIn } from '../../shared/ledger/answer-item.ts';
import { Answers } from '../../shared/ledger/answers.ts';
import { type BudgetLimits, Budgets, Unaffordable } from '../../shared/ledger/budgets.ts';
import { type CostEntry, Costs } from '../../shared/ledger/costs.ts';
import { periodKey } from '../../shared/ledger/keys.ts';
import { counterOf, nanoUsd, shownUsd } from '../../shared/ledger/reserved.ts';
import type { Table } from '../../shared/ledger/table.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';

const start = Date.parse('2026-11-27T12:00:00Z');
const leaseMs = 60_000;
const askedBy = { documentId: 'd', order: '01', model: 'm', profile: 'default', prefix: '' };
const needs = { promptTokens: 1, maxTokens: 1 };

/** A ledger with a budget, and what workers do in it. */
async function moneyBox(limits: BudgetLimits) {
  const ledger = memoryLedger();
  const table = await ledger.create();
  const clock = { now: start };
  const now = () => clock.now;
  const over = (port: Table) => {
    const costs = new Costs(port);
    return {
      answers: new Answers(port, now),
      costs,
      budgets: new Budgets(port, costs, now, limits),
    };
  };
  const counter = async (period = '2026-11-27') =>
    counterOf((await table.get(periodKey(period))) ?? { usedNano: 0 });
  return { ledger, table, clock, over, counter, ...over(table) };
}

type Tools = ReturnType<Awaited<ReturnType<typeof moneyBox>>['over']>;

const refOf = (name: string) => ({ contentId: name.repeat(64).slice(0, 64), question: name });

async function claimed(name: string, { answers }: Tools): Promise<AnswerIn<'asking'>> {
  const answer = await answers.claim(refOf(name), askedBy, `worker-${name}`, leaseMs);
  if (!answer) throw new Error('not claimed');
  return answer;
}

const call = (name: string, answer: AnswerIn<'asking'>, nano: number) =>
  [
    { ref: refOf(name), claimed: answer, promptTokens: 1, nanoUsd: nano },
    needs,
    `worker-${name}`,
  ] as const;

const entryOf = (usd: number | undefined, reservedOn?: string): CostEntry => ({
  model: 'm',
  inputTokens: 1,
  outputTokens: 1,
  cacheReadTokens: 0,
  ...(usd === undefined ? {} : { costUsd: usd }),
  at: '2026-11-27T12:00:00.000Z',
  outcome: 'answered',
  profile: 'default',
  prefix: '',
  ...(reservedOn ? { reservedOn } : {}),
});

test('amounts are rounded up, and shown with the digits that count', () => {
  expect(nanoUsd(0.000_000_000_1)).toBe(1);
  expect([0, 2_081_234, 5e9, 123_456_789_000, 1].map(shownUsd)).toEqual([
    '$0',
    '$0.002081',
    '$5.00',
    '$123.46',
    '$0.000000001',
  ]);
});

test('the same money is reserved once, although an acknowledgement is lost', async () => {
  const box = await moneyBox({ dailyUsd: 1, monthlyUsd: 1 });
  await box.budgets.reserve(...call('a', await claimed('a', box), 5));

  // That of the note on the answer, and those of the day and the month.
  for (const write of [0, 1, 2]) {
    const name = `b${write}`;
    const answer = await claimed(name, box);
    const noted = await box.over(losing(box, write)).budgets.reserve(...call(name, answer, 7));
    expect(noted?.reserved?.nanoUsd).toBe(7);
  }

  expect((await box.counter()).usedNano).toBe(26);
  expect((await box.counter('2026-11')).usedNano).toBe(26);
});

test('a reservation is settled once, whatever is repeated', async () => {
  const box = await moneyBox({ dailyUsd: 1 });
  const noted = await box.budgets.reserve(...call('a', await claimed('a', box), 100));
  await box.budgets.reserve(...call('b', await claimed('b', box), 100));
  const held = noted?.reserved ?? expect.fail('nothing is reserved');

  let between: Promise<unknown> = Promise.resolve();
  box.ledger.loseAcknowledgement(() => {
    between = box.budgets.settle(held, 'unseen');
  });
  await box.budgets.settle(held, 30e-9);
  await between;
  await box.budgets.settle(held, 0);

  expect(await box.counter()).toMatchObject({ usedNano: 130, unseenNano: 0 });
});

test('what the month refuses is given back to the day', async () => {
  const box = await moneyBox({ dailyUsd: 1, monthlyUsd: 0.000_000_05 });
  const refused = box.budgets.reserve(...call('a', await claimed('a', box), 51));

  await expect(refused).rejects.toThrow(Unaffordable);
  await expect(refused).rejects.toThrow(
    'The answer may cost up to $0.000000051; monthlyUsd ($0.00000005) has $0.00000005 left for 2026-11.',
  );
  expect(await box.counter()).toMatchObject({ usedNano: 0, open: [] });
});

test('nothing is reserved for a content that was removed, or by a worker that lost its lease', async () => {
  const box = await moneyBox({ dailyUsd: 1 });
  const answer = await claimed('a', box);
  await box.answers.remove(refOf('a'), answer);
  expect(await box.budgets.reserve(...call('a', answer, 5))).toBeUndefined();

  const lost = await claimed('b', box);
  box.clock.now += 2 * leaseMs;
  await box.answers.claim(refOf('b'), askedBy, 'another', leaseMs);
  expect(await box.budgets.reserve(...call('b', lost, 5))).toBeUndefined();

  expect(await box.table.get(periodKey('2026-11-27'))).toBeUndefined();
});

test('a counter that is wrong is summed anew, unless it changes meanwhile', async () => {
  const box = await moneyBox({ dailyUsd: 1, monthlyUsd: 1 });
  const answer = await claimed('a', box);
  await box.budgets.reserve(...call('a', answer, 100));
  // Functions without a budget have paid this.
  await box.costs.record(refOf('z'), { ...answer, life: 'z' }, 1, entryOf(40e-9));
  // The entry of a call whose reservation is open counts once.
  await box.costs.record(refOf('a'), answer, 1, entryOf(60e-9));
  // That of a day before counts for the month.
  await box.costs.record(refOf('y'), { ...answer, life: 'y' }, 1, entryOf(7e-9, '2026-11-26'));

  expect(await box.budgets.rebuild('2026-11-27', true)).toBe(true);
  expect((await box.counter()).usedNano).toBe(100);
  expect(await box.budgets.rebuild('2026-11-27', false)).toBe(true);
  expect(await box.budgets.rebuild('2026-11', false)).toBe(true);
  expect((await box.counter()).usedNano).toBe(140);
  expect((await box.counter('2026-11')).usedNano).toBe(147);
  expect(await box.budgets.rebuild('2026-11-27', false)).toBe(false);
  expect(await box.budgets.rebuild('2026-12', false)).toBe(false);
});

/** What becomes of a worker that has reserved. */
const fates = ['ends', 'refused', 'unseen', 'dies before', 'dies after', 'dies recorded'] as const;

const plans = fc.record({
  dailyNano: fc.integer({ min: 0, max: 400 }),
  monthlyNano: fc.integer({ min: 0, max: 400 }),
  spentNano: fc.integer({ min: 0, max: 100 }),
  workers: fc.array(
    fc.record({
      nano: fc.integer({ min: 1, max: 120 }),
      /** The true cost as a part of the estimate, in percent. */
      truth: fc.integer({ min: 0, max: 100 }),
      fate: fc.constantFrom(...fates),
      /** The write whose acknowledgement is lost. */
      loses: fc.integer({ min: 0, max: 12 }),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  scheduler: fc.scheduler(),
});

test('workers that ask at the same time never spend more than the budget, whatever becomes of them', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async ({ dailyNano, monthlyNano, spentNano, workers, scheduler }) => {
      const box = await moneyBox({ dailyUsd: dailyNano / 1e9, monthlyUsd: monthlyNano / 1e9 });
      // Before there was a budget.
      if (spentNano > 0) {
        const life = { life: 'z', bornAt: start, askedBy };
        await box.costs.record(refOf('z'), life, 1, entryOf(spentNano / 1e9));
      }
      let paid = 0;
      const work = async (index: number): Promise<void> => {
        const { nano, truth, fate, loses } = workers[index] ?? expect.fail('no worker');
        const name = String.fromCharCode('a'.charCodeAt(0) + index);
        const tools = box.over(
          losing(box, loses, (each) => scheduler.schedule(Promise.resolve(), each)),
        );
        const answer = await claimed(name, tools);
        const noted = await tools.budgets
          .reserve(...call(name, answer, nano))
          .catch((error: unknown) => {
            if (!(error instanceof Unaffordable)) throw error;
          });
        if (!noted?.reserved || fate === 'dies before') return;
        if (fate === 'refused') return tools.budgets.settle(noted.reserved, 0);
        const cost = Math.floor((nano * truth) / 100);
        paid += cost;
        if (fate === 'unseen') return tools.budgets.settle(noted.reserved, 'unseen');
        if (fate === 'dies after') return;
        await tools.costs.record(refOf(name), noted, noted.calls, entryOf(cost / 1e9));
        if (fate === 'ends') await tools.budgets.settle(noted.reserved, cost / 1e9);
      };
      const all = Promise.all(workers.map((_, index) => work(index)));
      await scheduler.waitFor(all);

      // Not one worker more than can be paid, in the worst case.
      if (paid > 0) {
        expect(spentNano + paid).toBeLessThanOrEqual(Math.min(dailyNano, monthlyNano));
      }
      for (const period of ['2026-11-27', '2026-11']) {
        const { usedNano } = await box.counter(period);
        if (paid > 0) expect(usedNano).toBeGreaterThanOrEqual(spentNano + paid);
      }

      // Once the dead are settled, every counter is what the entries and the unseen calls come to.
      box.clock.now += 10 * leaseMs;
      for (const period of box.budgets.watched) {
        for (const open of await box.budgets.lapsed(period)) {
          await box.budgets.settleLapsed(period, open);
        }
      }
      for (const period of box.budgets.running) {
        const { open } = await box.counter(period);
        expect(open).toEqual([]);
        expect(await box.budgets.rebuild(period, true)).toBe(false);
      }
    }),
    { numRuns: 150 },
  );
}, 120_000);

type Box = Pick<Awaited<ReturnType<typeof moneyBox>>, 'table' | 'ledger'>;

/**
 * The table as one worker has it: the acknowledgement of one write is lost.
 * @param turn what each call waits for
 */
function losing(
  { table, ledger }: Box,
  write: number,
  turn: (call: string) => Promise<unknown> = async () => {},
): Table {
  let writes = 0;
  return new Proxy(table, {
    get: (target, property) => {
      const member = Reflect.get(target, property, target) as unknown;
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        await turn(String(property));
        const isWrite = property === 'update' || property === 'put';
        if (isWrite && writes++ === write) ledger.loseAcknowledgement();
        return member.apply(target, args) as unknown;
      };
    },
  });
}
