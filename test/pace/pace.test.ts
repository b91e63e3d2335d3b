import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { TokenBucket } from '../../infra/local/claude/rate.ts';
import { Defer } from '../../shared/journey/errors.ts';
import type { Table } from '../../shared/ledger/table.ts';
import { Pace, type PaceOptions } from '../../shared/pace/pace.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { VirtualTime } from './virtual-time.ts';

let time: VirtualTime;
let table: Table;

beforeEach(async () => {
  time = new VirtualTime();
  table = await memoryLedger().create();
});

/** 600 a minute, all used, without a burst: a slot every 100 ms. */
const pace = (options: Partial<PaceOptions> = {}) =>
  new Pace(table, {
    api: 'files',
    perMinute: 600,
    share: 1,
    burst: 1,
    now: time.now,
    sleep: time.sleep,
    ...options,
  });

const tat = async () => (await table.get({ pk: 'PACE#files', sk: 'PACE' }))?.tat;

/** The times of `count` turns of one pace, from now. */
async function turns(one: Pace, count: number): Promise<number[]> {
  const began = time.now();
  const came: number[] = [];
  for (let n = 0; n < count; n += 1) {
    await time.run(one.turn());
    came.push(time.now() - began);
  }
  return came;
}

describe('turn', () => {
  test('comes at once the first time, then once per interval', async () => {
    expect(await turns(pace(), 4)).toEqual([0, 100, 200, 300]);
  });

  test('uses 99.5 % of the limit and a burst of five by default', async () => {
    const { now, sleep } = time;

    const came = await turns(new Pace(table, { api: 'files', perMinute: 600, now, sleep }), 8);

    const interval = 100 / 0.995;
    expect(came.map((at) => Math.round(at / interval))).toEqual([0, 0, 0, 0, 0, 1, 2, 3]);
    expect(came[7]).toBeCloseTo(3 * interval, 2);
  });

  test('allows a burst as long as the pause, up to its maximum', async () => {
    const one = pace({ burst: 3 });
    expect(await turns(one, 5)).toEqual([0, 0, 0, 100, 200]);

    await time.run(time.sleep(100));
    expect(await turns(one, 3)).toEqual([0, 100, 200]);

    await time.run(time.sleep(5_000));
    expect(await turns(one, 5)).toEqual([0, 0, 0, 100, 200]);
  });

  test('comes at once after a pause, without making up for unused slots', async () => {
    await turns(pace(), 2);
    await time.run(time.sleep(5_000));

    expect(await turns(pace(), 3)).toEqual([0, 100, 200]);
  });

  test('shares one sequence of slots among workers', async () => {
    const workers = Array.from({ length: 3 }, () => pace());
    const began = time.now();
    const came: number[] = [];

    await time.run(
      Promise.all(
        workers.map(async (worker) => {
          await worker.turn();
          came.push(time.now() - began);
          await worker.turn();
          came.push(time.now() - began);
        }),
      ),
    );

    expect(came).toEqual([0, 100, 200, 300, 400, 500]);
  });

  test('keeps one sequence for each API', async () => {
    await turns(pace(), 2);

    expect(await turns(pace({ api: 'messages' }), 2)).toEqual([0, 100]);
  });

  test('ends its wait at its signal', async () => {
    const stop = new AbortController();
    const signals: unknown[] = [];
    const one = pace({
      sleep: async (_ms, signal) => {
        signals.push(signal);
      },
    });

    await one.turn(stop.signal);
    await one.turn(stop.signal);

    // The first slot was free: no wait.
    expect(signals).toEqual([stop.signal]);
  });

  test('takes a slot exactly at its maximum wait, none beyond', async () => {
    const far = pace({ maxWaitMs: 200, sleep: async () => {} });
    for (let n = 0; n < 3; n += 1) await far.turn();

    const thrown = await far.turn().catch((error: unknown) => error);

    expect(thrown).toBeInstanceOf(Defer);
    expect(thrown).toMatchObject({
      code: 'claude.paced',
      message: 'The next free slot of the files rate limit is 1 s away.',
      delayMs: 300,
    });
    // Nothing was taken.
    expect(await tat()).toBe(time.now() + 300);
  });

  test('does not wait for slots within its burst', async () => {
    const far = pace({ burst: 3, maxWaitMs: 200, sleep: async () => {} });

    for (let n = 0; n < 5; n += 1) await far.turn();

    await expect(far.turn()).rejects.toMatchObject({ delayMs: 500 });
    expect(await tat()).toBe(time.now() + 500);
  });

  test('waits up to 30 s by default', async () => {
    await pace().pushBack(30_000);
    await time.run(pace().turn());
    await pace().pushBack(30_001);

    await expect(pace().turn()).rejects.toMatchObject({ delayMs: 30_001 });
  });

  /** Counts this worker's updates. With `ahead`, others take slots until so many ms from now before its second one. */
  function watched(ahead?: number): { updates: number } {
    const update = table.update.bind(table);
    const seen = { updates: 0 };
    table.update = async (...args) => {
      seen.updates += 1;
      if (seen.updates === 2 && ahead !== undefined)
        await update({ pk: 'PACE#files', sk: 'PACE' }, { set: { tat: time.now() + ahead } });
      return update(...args);
    };
    return seen;
  }

  test('costs one update after a pause and one under load, two when it guesses wrong which it is', async () => {
    const one = pace({ sleep: async () => {} });
    const seen = watched();

    await one.turn();
    const afterPause = seen.updates;
    await one.turn();
    const underLoad = seen.updates - afterPause;
    await pace({ sleep: async () => {} }).turn();
    const guessedWrong = seen.updates - afterPause - underLoad;

    expect([afterPause, underLoad, guessedWrong]).toEqual([1, 1, 2]);
    expect(await tat()).toBe(time.now() + 300);
  });

  test('takes the last slot within its maximum wait when all earlier ones are taken between its two updates', async () => {
    await turns(pace(), 1);
    // Its maximum wait of 200 ms and two slots of burst.
    watched(400);

    await time.run(pace({ burst: 3, maxWaitMs: 200, sleep: async () => {} }).turn());

    expect(await tat()).toBe(time.now() + 500);
  });

  test('shares updates among the callers of one worker, each with a slot of its own', async () => {
    const waits: number[] = [];
    const one = pace({
      sleep: async (ms) => {
        waits.push(ms);
      },
    });
    const seen = watched();

    await Promise.all(Array.from({ length: 10 }, () => one.turn()));

    expect(seen.updates).toBe(2);
    expect(waits).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900]);
    expect(await tat()).toBe(time.now() + 1_000);
  });

  test('gives those of several callers slots that are within the maximum wait, and defers the others', async () => {
    const far = pace({ maxWaitMs: 400, sleep: async () => {} });

    const ended = await Promise.allSettled(Array.from({ length: 10 }, () => far.turn()));

    expect(ended.map(({ status }) => status === 'fulfilled')).toEqual([
      ...Array(5).fill(true),
      ...Array(5).fill(false),
    ]);
    expect(ended[9]).toMatchObject({ reason: { code: 'claude.paced', delayMs: 500 } });
    expect(await tat()).toBe(time.now() + 500);
  });

  test('fails for all callers of an update that fails, and works again after it', async () => {
    const one = pace({ sleep: async () => {} });
    const update = table.update.bind(table);
    table.update = async () => {
      throw new Error('throttled');
    };
    const failed = await Promise.allSettled([one.turn(), one.turn(), one.turn()]);
    table.update = update;

    await one.turn();

    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(await tat()).toBe(time.now() + 100);
  });
});

describe('pushBack', () => {
  test('moves the next slot of every worker', async () => {
    await turns(pace(), 1);

    await pace().pushBack(2_000);

    expect(await turns(pace(), 3)).toEqual([2_000, 2_100, 2_200]);
  });

  test('leaves no burst after the wait', async () => {
    await pace({ burst: 3 }).pushBack(700);

    expect(await turns(pace({ burst: 3 }), 3)).toEqual([700, 800, 900]);
  });

  test('works before the first turn', async () => {
    await pace().pushBack(700);

    expect(await turns(pace(), 2)).toEqual([700, 800]);
  });

  test('never stops the fleet for longer than 15 minutes, whatever is asked for', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, noNaN: true }), async (asked) => {
        time = new VirtualTime();
        table = await memoryLedger().create();

        await pace().pushBack(asked);

        const waits = Number(await tat()) - time.now();
        expect(waits).toBeCloseTo(Math.min(asked, 900_000), 0);
        const turn = await time.run(
          pace()
            .turn()
            .catch((error: unknown) => error),
        );
        if (turn instanceof Defer) expect(turn.delayMs).toBeLessThanOrEqual(900_000);
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['a turn', () => time.run(pace().turn())],
    ['another push', () => pace().pushBack(500)],
  ])('a slot that no version of this code writes is forgotten by %s', async (_, act) => {
    const year = 365 * 86_400_000;
    await table.put({ pk: 'PACE#files', sk: 'PACE', tat: time.now() + year });
    expect(await pace().next()).toBeUndefined();

    await act();

    expect(Number(await tat()) - time.now()).toBeLessThanOrEqual(500);
  });

  test('never moves a slot earlier', async () => {
    const busy = pace({ sleep: async () => {} });
    for (let n = 0; n < 10; n += 1) await busy.turn();

    await pace().pushBack(500);

    expect(await tat()).toBe(time.now() + 1_000);
  });
});

interface Fleet {
  /** One-way latencies of the calls of the table, in milliseconds, used in turn. */
  latencies: number[];
  /** Clock skew of each worker, in milliseconds. */
  clocks: number[];
  /** Milliseconds of other work between a worker's turns. */
  busy: number[];
  turns: number;
}

const fleets = fc.record<Fleet>({
  latencies: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 20 }),
  clocks: fc.array(fc.integer({ min: -200, max: 200 }), { minLength: 1, maxLength: 12 }),
  busy: fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 20 }),
  turns: fc.integer({ min: 1, max: 12 }),
});

/** Runs a fleet; returns the true times of its calls. */
async function work(
  fleet: Fleet,
  options: Partial<PaceOptions> = {},
): Promise<{ calls: number[] }> {
  const ledger = await memoryLedger().create();
  const clock = new VirtualTime();
  const calls: number[] = [];
  let asked = 0;
  const cycle = (values: number[]) => values[asked++ % values.length] ?? 0;
  const slow = (worker: number) => {
    const update: Table['update'] = async (...args) => {
      await clock.sleep(cycle(fleet.latencies) * (worker + 1));
      const item = await ledger.update(...args);
      await clock.sleep(cycle(fleet.latencies));
      return item;
    };
    return { update, get: ledger.get.bind(ledger) } as Table;
  };
  const workers = fleet.clocks.map(async (off, worker) => {
    const now = () => clock.now() + off;
    const one = new Pace(slow(worker), {
      api: 'files',
      perMinute: 600,
      now,
      sleep: clock.sleep,
      ...options,
    });
    for (let n = 0; n < fleet.turns; n += 1) {
      await one.turn();
      calls.push(clock.now());
      await clock.sleep(cycle(fleet.busy));
    }
  });
  await clock.run(Promise.all(workers));
  return { calls };
}

test('no fleet is rejected by an API with a burst of ten, whatever its clocks and delays', async () => {
  await fc.assert(
    fc.asyncProperty(fleets, async (fleet) => {
      const { calls } = await work(fleet);

      let at = calls.toSorted((a, b) => a - b)[0] ?? 0;
      const bucket = new TokenBucket(600, 10, () => at);
      for (const call of calls.toSorted((a, b) => a - b)) {
        at = call;
        expect(bucket.waitMs(1)).toBe(0);
        bucket.take(1);
      }
    }),
    { seed: 20261122, numRuns: 150 },
  );
});

test('no two workers with accurate clocks share a slot', async () => {
  const punctual = fleets.map((fleet) => ({
    ...fleet,
    latencies: [0],
    clocks: fleet.clocks.map(() => 0),
  }));

  await fc.assert(
    fc.asyncProperty(punctual, async (fleet) => {
      const { calls } = await work(fleet, { burst: 1 });

      const sorted = calls.toSorted((a, b) => a - b);
      for (let n = 1; n < sorted.length; n += 1) {
        const gap = (sorted[n] ?? 0) - (sorted[n - 1] ?? 0);
        expect(gap).toBeGreaterThanOrEqual(100 / 0.995 - 1e-3);
      }
    }),
    { seed: 20261122, numRuns: 150 },
  );
});

test.each([1, 4, 16, 64])(
  '%i workers with a backlog use at least 0.97 of the limit',
  async (count) => {
    const backlog = 300;
    const fleet = {
      latencies: [3, 8, 5],
      clocks: Array.from({ length: count }, () => 0),
      // An upload takes time, but less than one worker's interval between slots.
      busy: [40, 20, 60],
      turns: Math.ceil(backlog / count),
    };

    const { calls } = await work(fleet);

    // The burst is free; the rest has to be waited for.
    const sorted = calls.toSorted((a, b) => a - b);
    const minutes = ((sorted.at(-1) ?? 0) - (sorted[0] ?? 0)) / 60_000;
    const used = calls.length / (600 * minutes + 10);
    expect(used).toBeGreaterThan(0.97);
    expect(used).toBeLessThan(1);
  },
);
