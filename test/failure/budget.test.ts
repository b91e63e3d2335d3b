import { afterEach, describe, expect, test } from 'vitest';
import { settleDown } from '../world/settle-down.ts';
import { configOf as config, counters, spentNano } from './money.ts';
import {
  begin,
  callsOf,
  costEntries,
  drop,
  first,
  hour,
  paidCalls,
  pausedBefore,
  pausedBeforePaying,
  present,
  remove,
  status,
  summarizeOne,
  text,
  waitsForSummary,
  world,
} from './support.ts';

/*
 * What is paid for is reserved before, settled after, and never more than the budget. An answer about a short text
 * reserves about $0.00208, most of it for the 4,096 tokens that it may have, and costs about $0.00005.
 */

afterEach(() => world.close());

/** Enough for one answer, and not for a second once the first has cost something. */
const oneAnswer = 0.002_09;

const countCalls = () => world.calls('messages.count_tokens').length;

const dropAll = (...names: string[]): void =>
  world.deliver(...names.map((name) => world.drop(`${name}.txt`, text(name))));

const statuses = (...names: string[]) =>
  Promise.all(names.map(async (name) => status(`${name}.txt`)));

/** The reconciler runs and the queues are worked off. */
async function reconciled(): Promise<void> {
  await world.reconcile();
  await world.drain();
}

describe('without a budget', () => {
  test('nothing is counted and nothing reserved', async () => {
    await begin();
    dropAll('a', 'b');
    await world.drain();

    expect(await statuses('a', 'b')).toEqual(['ready', 'ready']);
    expect(countCalls()).toBe(0);
    expect(counters()).toEqual({});
  });
});

describe('a budget', () => {
  test('pays what it has, with what was spent in the counters of the day and the month', async () => {
    await begin({ config: config({ dailyUsd: 1, monthlyUsd: 20 }) });
    dropAll('a', 'b', 'c');
    await world.drain();

    expect(await statuses('a', 'b', 'c')).toEqual(['ready', 'ready', 'ready']);
    const used = await spentNano();
    expect(used).toBeGreaterThan(0);
    expect(counters()).toMatchObject({
      '2026-11-22': { usedNano: used, unseenNano: 0, open: [] },
      '2026-11': { usedNano: used, unseenNano: 0, open: [] },
    });
    expect(countCalls()).toBe(3);
    expect((await costEntries()).map(({ reservedOn }) => reservedOn)).toEqual(
      Array(3).fill('2026-11-22'),
    );
  });

  test.each([
    ['day', { dailyUsd: oneAnswer }, 'dailyUsd'],
    ['month', { monthlyUsd: oneAnswer }, 'monthlyUsd'],
    ['month, although the day has some', { dailyUsd: 1, monthlyUsd: oneAnswer }, 'monthlyUsd'],
    ['day, although the month has some', { dailyUsd: oneAnswer, monthlyUsd: 9 }, 'dailyUsd'],
  ])('holds what it does not pay in the %s, without an attempt', async (_, budget, setting) => {
    await begin({ config: config(budget) });
    dropAll('a', 'b', 'c');
    await world.drain();

    expect((await statuses('a', 'b', 'c')).toSorted()).toEqual(['held', 'held', 'ready']);
    expect(paidCalls()).toBe(1);
    const held = await present('c.txt');
    expect(held).toMatchObject({ status: 'held', error: { code: 'summarize.budget_exhausted' } });
    expect(held.error?.message).toMatch(
      new RegExp(`^The answer may cost up to \\$0\\.002\\d+; ${setting} `),
    );
    expect(held.error?.advice).toContain('resumes on a new UTC day');
    expect(held.attempts.summarize).toBeUndefined();
    for (const { open, usedNano } of Object.values(counters())) {
      expect(open).toEqual([]);
      expect(usedNano).toBe(await spentNano());
    }
    // Nothing else is held: uploads go on, and what needs no call is ready.
    drop('twin.txt', text('a'));
    await world.drain();
    expect(await status('twin.txt')).toBe('ready');
  });
});

describe('held documents resume', () => {
  const resumed = async (budget: object, ms: number) => {
    await begin({ config: config(budget) });
    dropAll('a', 'b');
    await world.drain();
    expect(paidCalls()).toBe(1);
    await reconciled();
    expect(paidCalls()).toBe(1);
    world.advance(ms);
    await reconciled();
    return statuses('a', 'b');
  };

  test.each([
    ['on a new day', { dailyUsd: oneAnswer }, 13 * hour, 'ready'],
    ['not before', { dailyUsd: oneAnswer }, 11 * hour, 'held'],
    ['on a new month', { monthlyUsd: oneAnswer }, 9 * 24 * hour, 'ready'],
    [
      'not on a new day of a month that is used up',
      { dailyUsd: 1, monthlyUsd: oneAnswer },
      24 * hour,
      'held',
    ],
    [
      'on a day that is both',
      { dailyUsd: oneAnswer, monthlyUsd: oneAnswer },
      9 * 24 * hour,
      'ready',
    ],
  ])('%s', async (_, budget, ms, ended) => {
    expect((await resumed(budget, ms)).toSorted()).toEqual([ended, 'ready'].toSorted());
  });

  test('in their order, as many as can be paid, and without another count', async () => {
    await begin({ config: config({ dailyUsd: oneAnswer }) });
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) {
      dropAll(name);
      await world.drain();
      world.advance(1_000);
    }
    expect(await statuses(...names)).toEqual(['ready', 'held', 'held', 'held']);
    expect(countCalls()).toBe(4);

    world.config = config({ dailyUsd: 2 * oneAnswer });
    const { report } = await world.reconcile();
    expect(report?.counts.resumed).toBe(1);
    await world.drain();
    expect(await statuses(...names)).toEqual(['ready', 'ready', 'held', 'held']);

    world.config = config({});
    await reconciled();
    expect(await statuses(...names)).toEqual(['ready', 'ready', 'ready', 'ready']);
    expect(countCalls()).toBe(4);
    expect((await present('d.txt')).needs).toBeUndefined();
  });

  test('a document that needs more than the whole budget keeps no other', async () => {
    await begin({
      config: config({ dailyUsd: 0.01 }, { prefix: 'big/', effort: 'max', maxTokens: 32_000 }),
    });
    drop('big/a.txt', first);
    dropAll('b');
    await world.drain();

    expect([await status('big/a.txt'), await status('b.txt')]).toEqual(['held', 'ready']);
    world.advance(24 * hour);
    await reconciled();
    expect(await status('big/a.txt')).toBe('held');
    // A profile that asks for less is enough.
    world.config = config({ dailyUsd: 0.01 }, { prefix: 'big/', maxTokens: 512 });
    await reconciled();
    expect(await status('big/a.txt')).toBe('ready');
  });

  test('not while messages are stopped for another reason', async () => {
    await begin({ config: config({ dailyUsd: oneAnswer }) });
    dropAll('a', 'b');
    await world.drain();
    world.advance(13 * hour);
    world.emulator.addFault({ kind: 'error', status: 401, operation: 'messages.create' });
    dropAll('c');
    await world.drain();

    const { report } = await world.reconcile();
    expect(report?.counts.resumed).toBeUndefined();
  });
});

describe('a reservation', () => {
  test('is one for all documents that share an answer', async () => {
    await begin({ config: config({ dailyUsd: 1 }) });
    await waitsForSummary();
    const paying = await pausedBeforePaying();
    world.deliver(world.drop('b.txt', first), world.drop('c.txt', first));
    while (await world.work({ only: ['intake', 'upload'] }));
    while (await world.work({ only: ['summarize'] }));
    expect(counters()['2026-11-22']?.open).toHaveLength(1);

    await paying.resume();
    await world.drain();
    expect(await statuses('a', 'b', 'c')).toEqual(['ready', 'ready', 'ready']);
    expect(counters()['2026-11-22']).toMatchObject({ usedNano: await spentNano(), open: [] });
    expect(countCalls()).toBe(1);
  });

  test('is made for the second call of an answer that was cut off, too', async () => {
    await begin({ config: config({ dailyUsd: 0.005 }) });
    world.emulator.addFault({ kind: 'max_tokens', count: 1 });
    dropAll('a');
    await world.drain();
    expect(await present('a.txt')).toMatchObject({
      status: 'held',
      error: { code: 'summarize.budget_exhausted' },
    });
    expect(paidCalls()).toBe(1);
    expect(counters()['2026-11-22']).toMatchObject({ usedNano: await spentNano(), open: [] });

    world.config = config({ dailyUsd: 0.05 });
    await reconciled();
    expect(await present('a.txt')).toMatchObject({ status: 'ready', usage: { calls: 2 } });
    expect(paidCalls()).toBe(2);
    expect(countCalls()).toBe(1);
    expect(counters()['2026-11-22']).toMatchObject({ usedNano: await spentNano(), open: [] });
  });

  test.each([
    ['was refused and not billed', { kind: 'error', status: 400 } as const, 0],
    ['may have been billed', { kind: 'error', status: 500 } as const, 1],
  ])('of a call that %s is settled', async (_, fault, unseen) => {
    await begin({ config: config({ dailyUsd: 1 }) });
    await waitsForSummary();
    world.emulator.addFault({ ...fault, operation: 'messages.create', count: 1 });
    await summarizeOne();

    const counter = counters()['2026-11-22'];
    expect(counter?.open).toEqual([]);
    expect(counter?.unseenNano).toBe(counter?.usedNano);
    expect((counter?.usedNano ?? 0) > 0).toBe(unseen > 0);
  });

  test('of a document that was removed while Claude was asked is settled with the true cost', async () => {
    const options = { config: config({ dailyUsd: 1 }) };
    await begin(options);
    await waitsForSummary();
    const calls = await callsOf('summarize', waitsForSummary, options);
    const before = calls.slice(0, calls.indexOf('claude.createMessage'));
    const written = before.filter((call) => call === 'table.update').length;
    const paying = await pausedBefore('table.update', (gate) => summarizeOne({ gate }), written);
    remove('a.txt');
    while (await world.work({ only: ['intake', 'upload'] }));
    await paying.resume();
    await world.drain();
    await settleDown(world);

    expect(await status('a.txt')).toBe('removed');
    expect(counters()['2026-11-22']).toMatchObject({ usedNano: await spentNano(), open: [] });
    expect(await spentNano()).toBeGreaterThan(0);
  });

  test('of a call over midnight counts for the day before', async () => {
    await begin({ config: config({ dailyUsd: 1, monthlyUsd: 1 }) });
    world.advance(12 * hour - 1_000);
    await waitsForSummary();
    const paying = await pausedBeforePaying();
    world.advance(60_000);
    await paying.resume();
    await world.drain();
    dropAll('b');
    await world.drain();
    await world.reconcile({ sweep: true });

    const [a, b] = await costEntries();
    expect([a?.reservedOn, b?.reservedOn].toSorted()).toEqual(['2026-11-22', '2026-11-23']);
    const day = counters()['2026-11-22']?.usedNano ?? 0;
    const next = counters()['2026-11-23']?.usedNano ?? 0;
    expect(Math.min(day, next)).toBeGreaterThan(0);
    expect(day + next).toBe(await spentNano());
    expect(counters()['2026-11']?.usedNano).toBe(await spentNano());
  });
});

describe('a budget that is set in the middle of a month', () => {
  test('counts what was spent before', async () => {
    await begin();
    dropAll('a');
    await world.drain();
    world.advance(24 * hour);
    dropAll('b');
    await world.drain();
    const before = await costEntries();
    world.config = config({ dailyUsd: 1, monthlyUsd: 1 });
    dropAll('c');
    await world.drain();

    const used = await spentNano();
    expect(counters()['2026-11']?.usedNano).toBe(used);
    const ofA = before.find(({ at }) => at.startsWith('2026-11-22'))?.costUsd ?? 0;
    expect(counters()['2026-11-23']?.usedNano).toBe(used - Math.ceil(ofA * 1e9));
  });
});

describe('counting', () => {
  test.each([
    ['is limited', { kind: 'error', status: 429 } as const],
    ['is down', { kind: 'error', status: 529 } as const],
  ])('that %s is waited for', async (_, fault) => {
    await begin({ config: config({ dailyUsd: 1 }) });
    world.emulator.addFault({ ...fault, operation: 'messages.count_tokens', count: 3 });
    dropAll('a');
    await world.drain();

    const record = await present('a.txt');
    expect(record).toMatchObject({ status: 'ready', usage: { calls: 1 } });
    expect(record.attempts.summarize).toBe(1);
  });

  test('that is not possible is replaced by the size', async () => {
    await begin({ config: config({ dailyUsd: 1 }) });
    world.emulator.addFault({ kind: 'error', status: 400, operation: 'messages.count_tokens' });
    dropAll('a');
    await world.drain();

    expect(await status('a.txt')).toBe('ready');
    expect(countCalls()).toBe(0);
  });

  test('finds out that the file is gone, and it is uploaded again', async () => {
    await begin({ config: config({ dailyUsd: 1 }) });
    await waitsForSummary();
    await world.emulator.vanishFile((await present('a.txt')).fileId ?? '');
    await world.drain();

    expect(await present('a.txt')).toMatchObject({ status: 'ready', usage: { calls: 1 } });
    expect(counters()['2026-11-22']).toMatchObject({ usedNano: await spentNano(), open: [] });
  });
});
