import { afterEach, describe, expect, test } from 'vitest';
import { queueNames } from '../../shared/journey/steps.ts';
import { nanoUsd } from '../../shared/ledger/reserved.ts';
import { pointsOf } from '../world/crash.ts';
import type { KillPoint } from '../world/mortal.ts';
import { settleDown } from '../world/settle-down.ts';
import type { WorldOptions } from '../world/world.ts';
import { counters } from './money.ts';
import {
  begin,
  costEntries,
  drop,
  first,
  hour,
  ledger,
  paidCalls,
  present,
  second,
  status,
  text,
  workVisible,
  world,
} from './support.ts';

/** Questions in Message Batches: paid for once and at half the price, whatever happens around them. */

afterEach(() => world.close());

const minute = 60_000;
const fields = {
  type: 'object',
  properties: { total: { type: 'number' } },
  required: ['total'],
  additionalProperties: false,
};
const budget = { dailyUsd: 1 };
const config = JSON.stringify({
  profiles: [
    { prefix: '', mode: 'batch' },
    { prefix: 'now/', mode: 'now' },
    { prefix: 'fields/', mode: 'batch', summary: false, schema: fields },
    { prefix: 'auto/', mode: 'auto', batchAbove: 2 },
  ],
  budget,
});

const start = (options: WorldOptions = {}) => begin({ config, ...options });

/** Questions that batches have answered, which is what is paid for of them. */
const answeredInBatches = (): number => world.calls('batch.request').length;

/** Workers take what is visible, and time passes only to the next message, until a time has come. */
async function playUntil(end: number, kill?: KillPoint & { worker: number }): Promise<string[][]> {
  const calls: string[][] = [];
  for (;;) {
    const life = await world.work({ kill: kill?.worker === calls.length ? kill : undefined });
    if (life) {
      calls.push(life.calls);
      continue;
    }
    const next = Math.min(...queueNames.map((name) => world.queues[name].nextAt() ?? Infinity));
    if (next > end) return calls;
    world.advance(Math.max(0, next - world.now()));
  }
}

/** The questions have been collected, and their batch exists at Claude but has not ended. */
async function inBatch(): Promise<void> {
  await playUntil(world.now() + 5 * minute);
  expect(world.calls('batches.create')).toHaveLength(1);
  expect(answeredInBatches()).toBe(0);
}

/** Nothing is left of batches, here or at Claude; the books have every paid call, and the budget is what they say. */
async function isSettled(where?: string): Promise<void> {
  const left = ledger.items().filter(({ pk }) => /^BATCH#(?!TURN)/.test(String(pk)));
  expect(left, where).toEqual([]);
  expect(world.calls('batches.delete').length, where).toBe(world.calls('batches.create').length);
  const entries = await costEntries();
  const known = entries.filter(({ outcome }) => outcome !== 'unknown');
  expect(known, where).toHaveLength(paidCalls() + answeredInBatches());
  const spent = entries.reduce((sum, { costUsd = 0 }) => sum + nanoUsd(costUsd), 0);
  for (const { usedNano, unseenNano, open } of Object.values(counters())) {
    expect(open, where).toEqual([]);
    expect(usedNano, where).toBe(spent + unseenNano);
  }
}

const slow = { emulator: { batchDelayMs: hour } };

describe('a batch', () => {
  test('answers all that was collected, at half the price of calls', async () => {
    await start();
    drop('a.txt', first);
    drop('b.txt', second);
    drop('now/a.txt', text('now'));
    await world.drain();

    for (const key of ['a.txt', 'b.txt', 'now/a.txt']) expect(await status(key)).toBe('ready');
    expect(world.calls('batches.create')).toHaveLength(1);
    expect([answeredInBatches(), paidCalls()]).toEqual([2, 1]);
    const { usage, waiting } = await present('a.txt');
    const { inputTokens = 0, outputTokens = 0, costUsd } = usage ?? {};
    expect(costUsd).toBeCloseTo((inputTokens * 0.1 + outputTokens * 0.5) / 2e6, 12);
    expect(waiting).toBeUndefined();
    await isSettled();
  });

  test('is waited for by the record, which is not stuck, and by others with the content', async () => {
    await start(slow);
    drop('a.txt', first);
    await inBatch();
    drop('same.txt', first);
    drop('now/same.txt', first);
    await workVisible();

    for (const key of ['a.txt', 'same.txt', 'now/same.txt']) {
      expect((await present(key)).waiting, key).toMatchObject({ reason: 'batch' });
    }
    world.advance(20 * minute);
    const { report } = await world.reconcile();
    expect(report?.ids.resent).toBeUndefined();
    await world.drain();

    for (const key of ['a.txt', 'same.txt', 'now/same.txt'])
      expect(await status(key)).toBe('ready');
    expect([answeredInBatches(), paidCalls()]).toEqual([1, 0]);
    expect((await present('same.txt')).usage?.calls).toBe(0);
    await isSettled();
  });

  test('is used by "auto" only while many wait', async () => {
    await start();
    drop('auto/alone.txt', first);
    await world.drain();
    expect([answeredInBatches(), paidCalls()]).toEqual([0, 1]);

    for (const name of ['a', 'b', 'c', 'd', 'e']) drop(`auto/${name}.txt`, text(name));
    while (await world.work({ only: ['intake', 'upload'] }));
    await world.drain();
    expect(answeredInBatches()).toBeGreaterThan(0);
    expect(answeredInBatches() + paidCalls()).toBe(6);
    await isSettled();
  });

  test('is not filled twice by messages that come twice', async () => {
    await start(slow);
    drop('a.txt', first);
    for (let times = 0; times < 12; times += 1) {
      for (const name of queueNames) world.queues[name].redeliver(world.now());
      await playUntil(world.now() + 3 * minute);
    }
    await world.drain();
    expect(await status('a.txt')).toBe('ready');
    expect([answeredInBatches(), paidCalls()]).toEqual([1, 0]);
    await isSettled();
  });
});

/** The points at which a death makes a difference: before a read nothing is other than before the write after it. */
const writesOf = (calls: string[]): KillPoint[] =>
  pointsOf(calls).filter(
    ({ call, when }) =>
      when === 'after' || /put|update|delete|send|create|evict/i.test(calls[call] ?? ''),
  );

describe('wherever a worker dies', () => {
  const ends: [string, () => void, string, number][] = [
    ['and the reply is good', () => {}, 'a.txt', 1],
    [
      'and the reply is cut off',
      () => world.emulator.addFault({ kind: 'max_tokens', operation: 'batch.request', count: 1 }),
      'a.txt',
      2,
    ],
    [
      'and the line fails',
      () => world.emulator.addFault({ kind: 'error', status: 529, operation: 'batch.request' }),
      'a.txt',
      1,
    ],
  ];

  test.each(ends)(
    '%s, the question is paid for once',
    async (name, prepare, key, paid) => {
      const isOther = name !== ends[0]?.[0];
      const play = async (kill?: KillPoint & { worker: number }) => {
        await start();
        prepare();
        drop(key, first);
        const calls = await playUntil(world.now() + 2 * hour, kill);
        if (kill) await settleDown(world);
        const where = kill && `killed ${kill.when} ${kill.worker}: ${calls[kill.worker]?.at(-1)}`;
        expect(await status(key), where).toBe('ready');
        const single = paidCalls();
        // A worker that dies in a call of its own may have paid without a trace but its count.
        const extra = kill && calls[kill.worker]?.includes('claude.createMessage') ? 1 : 0;
        expect(answeredInBatches() + single, where).toBeLessThanOrEqual(paid + extra);
        if (extra === 0) {
          const outcomes = (await costEntries()).map(({ outcome }) => outcome);
          expect(
            outcomes.filter((one) => one !== 'unknown'),
            where,
          ).toHaveLength(paid);
          // A worker that dies right after its claim may have been about to call.
          expect(outcomes.length, where).toBeLessThanOrEqual(paid + 1);
          await isSettled(where);
        }
        await world.close();
        return calls;
      };
      const calls = await play();
      expect(calls.flat()).toContain('claude.batches.create');
      expect(calls.flat()).toContain('claude.batches.delete');
      for (const [worker, made] of calls.entries()) {
        // Steps before have their own tests; so has, for the other ends, all that comes before the results.
        if (worker < 2 || (isOther && !made.includes('claude.batches.results'))) continue;
        for (const point of writesOf(made)) await play({ worker, ...point });
      }
      await start();
    },
    120_000,
  );
});
