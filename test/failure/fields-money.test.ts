import { afterEach, describe, expect, test } from 'vitest';
import {
  begin,
  costEntries,
  drop,
  first,
  ledger,
  paidCalls,
  present,
  text,
  waitsForSummary,
  world,
} from './support.ts';

/** A profile that asks two questions: each is reserved, paid and recorded for itself. */

afterEach(() => world.close());

const schema = {
  type: 'object',
  properties: { staff: { type: 'integer' } },
  required: ['staff'],
};
const config = (more: object = {}) =>
  JSON.stringify({ profiles: [{ prefix: '', schema }], ...more });

const sumOfBooks = async () =>
  (await costEntries()).reduce((sum, { costUsd = 0 }) => sum + costUsd, 0);

describe('with a budget', () => {
  const budget = { budget: { dailyUsd: 1 } };

  test('both questions are in the counter, which equals the books once all is settled', async () => {
    await begin({ config: config(budget) });
    drop('a.txt', first);
    await world.drain();

    expect(await present('a.txt')).toMatchObject({ status: 'ready', usage: { calls: 2 } });
    const [counter] = ledger.items().filter(({ usedNano }) => usedNano !== undefined);
    const books = await sumOfBooks();
    expect(Number(counter?.usedNano) / 1e9).toBeCloseTo(books, 8);
    expect(books).toBeGreaterThan(0);
    expect(Object.keys(counter ?? {}).filter((name) => name.startsWith('r_'))).toEqual([]);
  });

  test('that ends between them, the first answer is told and the document resumes with the second', async () => {
    await begin({ config: config({ budget: { dailyUsd: 0.0001 } }) });
    await waitsForSummary();
    world.config = config(budget);
    // The summary is asked with room in the budget, the fields without.
    await world.work({ only: ['summarize'] });
    world.config = config({ budget: { dailyUsd: 0.000_01 } });
    await world.drain();

    expect(await present('a.txt')).toMatchObject({
      status: 'held',
      error: { code: 'summarize.budget_exhausted' },
      summary: { text: expect.any(String) },
    });
    expect(paidCalls()).toBe(1);

    world.config = config(budget);
    await world.reconcile();
    await world.drain();

    expect(await present('a.txt')).toMatchObject({ status: 'ready', fields: expect.anything() });
    expect(paidCalls()).toBe(2);
  });
});

describe('the second question, whose replies are all lost,', () => {
  test('ends for all that share it, keeps the summary, and is counted once', async () => {
    await begin({ config: config() });
    world.emulator.addFault({
      kind: 'lost_reply',
      operation: 'messages.create',
      skip: 1,
      count: 'all',
    });
    drop('a.txt', text('same'));
    drop('b.txt', text('same'));
    await world.drain();

    const records = [await present('a.txt'), await present('b.txt')];
    for (const record of records) {
      expect(record).toMatchObject({
        status: 'failed',
        error: { code: 'summarize.reply_lost' },
        summary: { text: expect.any(String) },
        answers: { summary: { outcome: 'answered' }, fields: { outcome: 'refused' } },
      });
    }
    const calls = records.reduce((sum, { usage }) => sum + (usage?.calls ?? 0), 0);
    expect(calls).toBe(paidCalls());
    expect(paidCalls()).toBe(6);
  });

  test('is asked again by a retry, and the summary is not', async () => {
    await begin({ config: config() });
    world.emulator.addFault({
      kind: 'lost_reply',
      operation: 'messages.create',
      skip: 1,
      count: 5,
    });
    drop('a.txt', first);
    await world.drain();
    expect(await present('a.txt')).toMatchObject({ status: 'failed' });

    await world.reconcile({ retry: ['summarize.reply_lost'] });
    await world.drain();

    const record = await present('a.txt');
    expect(record).toMatchObject({
      status: 'ready',
      usage: { calls: 7, costUnknownCalls: 5 },
      fields: expect.anything(),
    });
    expect(paidCalls()).toBe(7);
    expect(record.usage?.costUsd).toBeCloseTo(await sumOfBooks(), 9);
  });
});
