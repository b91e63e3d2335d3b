import { afterEach, describe, expect, test } from 'vitest';
import { configOf as config, counters } from './money.ts';
import {
  begin,
  costEntries,
  drop,
  first,
  paidCalls,
  present,
  status,
  text,
  world,
} from './support.ts';

/* What one document may cost, and models whose price is not known. */

afterEach(() => world.close());

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

describe('a price that is not known', () => {
  const unknown = { prefix: 'x/', model: 'my-model' };

  test('holds where there is a budget, until it is known', async () => {
    await begin({ config: config({ dailyUsd: 1 }, unknown) });
    drop('x/a.txt', first);
    await world.drain();
    expect(await present('x/a.txt')).toMatchObject({
      status: 'held',
      error: { code: 'summarize.budget_price_unknown' },
    });
    await reconciled();
    expect(await status('x/a.txt')).toBe('held');
    expect(world.emulator.journal({ operation: 'messages.create' })).toEqual([]);

    world.config = config({ dailyUsd: 1 }, { ...unknown, model: 'claude-haiku-5-5' });
    await reconciled();
    expect(await status('x/a.txt')).toBe('ready');
  });

  test('is paid where the profile allows it, and not counted', async () => {
    await begin({ config: config({ dailyUsd: 1 }, { ...unknown, allowUnknownPrice: true }) });
    drop('x/a.txt', first);
    await world.drain();

    // The stand-in does not have the model: it was asked.
    expect((await present('x/a.txt')).error?.code).toBe('summarize.model_not_found');
    expect(counters()).toEqual({});
  });
});

describe('a limit for one document', () => {
  test('fails it before anything is paid, with the estimate', async () => {
    await begin({ config: config({}, { prefix: '', maxUsdPerDocument: 0.002 }) });
    dropAll('a');
    await world.drain();

    const record = await present('a.txt');
    expect(record).toMatchObject({ status: 'failed', error: { code: 'summarize.too_expensive' } });
    expect(record.error?.message).toMatch(
      /may cost up to \$0\.00208\d; maxUsdPerDocument is \$0\.002\./,
    );
    expect(paidCalls()).toBe(0);
    expect(record.usage?.calls).toBe(0);

    world.config = config({}, { prefix: '', maxUsdPerDocument: 0.003 });
    await world.reconcile({ retry: ['summarize.too_expensive'] });
    await world.drain();
    expect(await status('a.txt')).toBe('ready');
  });

  test('counts only where the size alone does not show that it is kept', async () => {
    await begin({ config: config({}, { prefix: '', maxUsdPerDocument: 0.0023 }) });
    dropAll('a');
    drop('b.txt', first.repeat(40));
    await world.drain();

    expect(await statuses('a', 'b')).toEqual(['ready', 'ready']);
    expect(countCalls()).toBe(1);
  });

  test('counts what an answer that was cut off has cost', async () => {
    const limit = (maxUsdPerDocument: number) => config({}, { prefix: '', maxUsdPerDocument });
    await begin({ config: limit(0.005) });
    world.emulator.addFault({ kind: 'max_tokens', count: 1 });
    dropAll('a');
    await world.drain();

    const record = await present('a.txt');
    expect(record.error).toMatchObject({ code: 'summarize.too_expensive' });
    expect(record.error?.message).toContain('were paid for an answer that was cut off');
    expect(paidCalls()).toBe(1);
    expect(await costEntries()).toMatchObject([{ outcome: 'cut' }]);

    world.config = limit(0.02);
    await world.reconcile({ retry: ['summarize.too_expensive'] });
    await world.drain();
    expect(await present('a.txt')).toMatchObject({ status: 'ready', usage: { calls: 2 } });
  });
});
