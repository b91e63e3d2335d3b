import { beforeEach, describe, expect, test } from 'vitest';
import { StopLane } from '../../shared/journey/errors.ts';
import { Circuits, LaneClosed, laneOf } from '../../shared/ledger/circuit.ts';
import type { Table } from '../../shared/ledger/table.ts';
import { emptyLedger } from './support.ts';

let table: Table;
let clock: { now: number };
let circuits: Circuits;

beforeEach(async () => {
  ({ table, clock } = await emptyLedger());
  circuits = worker();
});

/** Another worker: the same table, its own memory. */
const worker = () => new Circuits(table, () => clock.now);
const unauthorized = new StopLane({ code: 'claude.unauthorized', message: 'bad key' });
const billing = new StopLane({ code: 'claude.billing', message: 'unpaid' });
const full = new StopLane({ code: 'claude.storage_full', message: 'full' });
const minutes = 60_000;

test('a lane without a circuit lets every call through', async () => {
  await expect(circuits.check('claude')).resolves.toBeUndefined();
  await expect(circuits.admission('claude')).resolves.toMatchObject({ admits: 'all' });
  await expect(circuits.get('claude')).resolves.toBeUndefined();
});

test('full storage stops uploads only; everything else stops all calls', () => {
  expect(laneOf(full)).toBe('upload');
  expect(laneOf(unauthorized)).toBe('claude');
  expect(laneOf(billing)).toBe('claude');
});

describe('an open lane', () => {
  test('turns every worker away with the error that opened it', async () => {
    await circuits.open(unauthorized, 10 * minutes);

    for (const each of [circuits, worker()]) {
      const thrown = await each.check('claude').catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(LaneClosed);
      expect(thrown).toBeInstanceOf(StopLane);
      expect(thrown).toMatchObject({ code: 'claude.unauthorized', message: 'bad key' });
    }
    expect(await table.get({ pk: 'CIRCUIT#claude', sk: 'CIRCUIT' })).toBeDefined();
    expect(await worker().get('claude')).toEqual({
      state: 'open',
      code: 'claude.unauthorized',
      message: 'bad key',
      since: '2026-11-22T12:00:00.000Z',
      retryAt: clock.now + 10 * minutes,
    });
  });

  test('leaves the other lane alone', async () => {
    await circuits.open(full, 10 * minutes);

    await expect(worker().check('claude')).resolves.toBeUndefined();
    await expect(worker().check('upload')).rejects.toThrow('full');
  });

  test('is not prolonged by other failures meanwhile', async () => {
    await circuits.open(unauthorized, 10 * minutes);
    clock.now += 9 * minutes;

    await worker().open(billing, 10 * minutes);

    expect(await worker().get('claude')).toMatchObject({
      code: 'claude.unauthorized',
      retryAt: clock.now + minutes,
    });
  });

  test('is opened again by a failure after its time is up', async () => {
    await circuits.open(unauthorized, 10 * minutes);
    clock.now += 10 * minutes;

    await worker().open(billing, 10 * minutes);

    expect(await worker().get('claude')).toMatchObject({
      code: 'claude.billing',
      retryAt: clock.now + 10 * minutes,
    });
  });

  test('admits none before its time is up, then one', async () => {
    await circuits.open(unauthorized, 10 * minutes);

    clock.now += 10 * minutes - 1;
    await expect(worker().admission('claude')).resolves.toMatchObject({ admits: 'none' });
    clock.now += 1;
    await expect(worker().admission('claude')).resolves.toMatchObject({ admits: 'one' });
  });
});

describe('a probe', () => {
  beforeEach(async () => {
    await circuits.open(unauthorized, 10 * minutes);
    clock.now += 10 * minutes;
    await circuits.probe('claude', 10 * minutes);
  });

  test('lets calls through, and admits no other document before its time is up', async () => {
    await expect(circuits.check('claude')).resolves.toBeUndefined();
    await expect(worker().check('claude')).resolves.toBeUndefined();
    await expect(worker().admission('claude')).resolves.toMatchObject({ admits: 'none' });

    clock.now += 10 * minutes;
    await expect(worker().admission('claude')).resolves.toMatchObject({ admits: 'all' });
  });

  test('reports which document stopped the lane, if one did', async () => {
    expect((await worker().admission('claude')).circuit).not.toHaveProperty('openedBy');
    await worker().open(billing, 10 * minutes, 'the-document');
    clock.now += 10 * minutes;
    await worker().probe('claude', 10 * minutes);

    expect((await worker().admission('claude')).circuit?.openedBy).toBe('the-document');
    await expect(worker().admission('upload')).resolves.toEqual({
      admits: 'all',
      circuit: undefined,
    });
  });

  test('that fails opens the lane again at once', async () => {
    await worker().open(billing, 10 * minutes);

    expect(await worker().get('claude')).toMatchObject({ state: 'open', code: 'claude.billing' });
  });

  test('that succeeds closes the circuit', async () => {
    await circuits.close('claude');

    expect(await worker().get('claude')).toBeUndefined();
    await expect(circuits.check('claude')).resolves.toBeUndefined();
  });

  test('is not started twice', async () => {
    const before = await worker().get('claude');
    clock.now += minutes;

    await worker().probe('claude', 10 * minutes);

    expect(await worker().get('claude')).toEqual(before);
  });
});

test('closing does not close a lane that was opened again', async () => {
  await circuits.open(unauthorized, 10 * minutes);

  await worker().close('claude');

  expect(await worker().get('claude')).toMatchObject({ state: 'open' });
});

test('closing a closed lane does nothing', async () => {
  await expect(circuits.close('claude')).resolves.toBeUndefined();
});

test('probing a lane that is not open creates no circuit', async () => {
  await circuits.probe('claude', minutes);

  expect(await circuits.get('claude')).toBeUndefined();
});

describe('what a worker read', () => {
  test('is trusted for five seconds', async () => {
    await circuits.check('claude');
    await worker().open(unauthorized, 10 * minutes);

    clock.now += 4_999;
    await expect(circuits.check('claude')).resolves.toBeUndefined();
    clock.now += 1;
    await expect(circuits.check('claude')).rejects.toThrow('bad key');
  });

  test('is kept lane by lane', async () => {
    await circuits.check('claude');
    await worker().open(full, 10 * minutes);

    await expect(circuits.check('upload')).rejects.toThrow('full');
  });

  /** Counts reads from now on. */
  function countReads(): { reads: number } {
    const count = { reads: 0 };
    const get = table.get.bind(table);
    table.get = async (key) => {
      count.reads += 1;
      return get(key);
    };
    return count;
  }

  test('is not read again within that time', async () => {
    const count = countReads();

    for (let n = 0; n < 5; n += 1) await circuits.check('claude');

    expect(count.reads).toBe(1);
  });

  test('is read once by workers that ask at the same time', async () => {
    const count = countReads();

    await Promise.all([circuits.check('claude'), circuits.areFree('claude', 'upload')]);

    expect(count.reads).toBe(2);
  });

  test('may say that a lane is free without a probe of it', async () => {
    const changedKey = new Circuits(
      table,
      () => clock.now,
      async () => 'new',
    );
    await new Circuits(
      table,
      () => clock.now,
      async () => 'old',
    ).open(unauthorized, 10 * minutes);

    expect(await changedKey.areFree('upload')).toBe(true);
    expect(await changedKey.areFree('upload', 'claude')).toBe(false);

    expect(await changedKey.get('claude')).toMatchObject({ state: 'open' });
    await expect(changedKey.check('claude')).resolves.toBeUndefined();
    expect(await changedKey.areFree('claude')).toBe(true);
    expect(await changedKey.get('claude')).toMatchObject({ state: 'probing' });
  });

  test('is not read when it opened the lane itself', async () => {
    const count = countReads();
    await circuits.open(unauthorized, 10 * minutes);

    await expect(circuits.check('claude')).rejects.toThrow('bad key');

    expect(count.reads).toBe(0);
  });

  test('includes at once what it opened itself', async () => {
    await circuits.check('claude');

    await circuits.open(unauthorized, 10 * minutes);

    await expect(circuits.check('claude')).rejects.toThrow('bad key');
  });

  test('is forgotten when it starts a probe or closes the lane', async () => {
    await circuits.open(unauthorized, 10 * minutes);
    await circuits.probe('claude', minutes);
    await expect(circuits.check('claude')).resolves.toBeUndefined();

    await circuits.close('claude');
    await worker().open(billing, 10 * minutes);
    await expect(circuits.check('claude')).rejects.toThrow('unpaid');
  });
});

describe('the key that was refused', () => {
  let secret: string;
  /** A worker that reads the secret when it is told to, and else uses what it knows. */
  const keyed = () => {
    let known: { key: string; at: number } | undefined;
    return new Circuits(
      table,
      () => clock.now,
      async (maxAgeMs = 5 * minutes) => {
        if (!known || clock.now - known.at >= maxAgeMs) {
          if (!secret) throw new StopLane({ code: 'claude.no_key', message: 'none' });
          known = { key: secret, at: clock.now };
        }
        return known.key;
      },
    );
  };
  beforeEach(() => {
    secret = 'wrong';
  });

  test('is kept as a short hash, never itself', async () => {
    await keyed().open(unauthorized, 10 * minutes);

    const circuit = await worker().get('claude');
    expect(circuit?.keyHash).toMatch(/^[0-9a-f]{12}$/);
    expect(JSON.stringify(circuit)).not.toContain('wrong');
  });

  test.each([
    ['a worker', async (circuits: Circuits) => circuits.check('claude').then(() => 'one')],
    ['the reconciler', async (circuits: Circuits) => (await circuits.admission('claude')).admits],
  ])('once it is replaced, %s probes at once', async (_, ask) => {
    const one = keyed();
    await one.open(unauthorized, 10 * minutes);
    await expect(keyed().check('claude')).rejects.toThrow(LaneClosed);
    expect((await keyed().admission('claude')).admits).toBe('none');

    secret = 'right';
    clock.now += 16_000;

    expect(await ask(one)).toBe('one');
  });

  test('once there is a key where there was none, it is probed at once', async () => {
    secret = '';
    await keyed().open(new StopLane({ code: 'claude.no_key', message: 'none' }), 10 * minutes);
    await expect(keyed().check('claude')).rejects.toThrow('none');

    secret = 'right';

    await expect(keyed().check('claude')).resolves.toBeUndefined();
    expect(await worker().get('claude')).toMatchObject({ state: 'probing' });
  });

  test('stops nothing when it was replaced while it was refused', async () => {
    const one = keyed();
    await one.open(full, 10 * minutes);
    secret = 'right';

    expect(await one.open(unauthorized, 10 * minutes)).toBe(false);

    expect(await worker().get('claude')).toBeUndefined();
  });

  test('is read once in 15 seconds while its lane is stopped', async () => {
    let reads = 0;
    const circuits = new Circuits(
      table,
      () => clock.now,
      async () => {
        reads += 1;
        return secret;
      },
    );
    await circuits.open(unauthorized, 10 * minutes);
    reads = 0;

    for (let n = 0; n < 150; n += 1) {
      await circuits.check('claude').catch(() => undefined);
      clock.now += 100;
    }

    expect(reads).toBeLessThanOrEqual(1);
  });

  test('that cannot be read leaves the lane stopped', async () => {
    await keyed().open(unauthorized, 10 * minutes);
    const blind = new Circuits(
      table,
      () => clock.now,
      () => Promise.reject(new Error('throttled')),
    );

    await expect(blind.check('claude')).rejects.toThrow(LaneClosed);
  });
});

describe('what a person says is mended', () => {
  test('is probed before its time', async () => {
    await circuits.open(unauthorized, 10 * minutes);

    expect((await worker().admission('claude')).admits).toBe('none');
    expect((await worker().admission('claude', true)).admits).toBe('one');
  });
});

describe('a call that succeeds', () => {
  const probing = async (step: 'upload' | 'summarize') => {
    await circuits.open(unauthorized, 10 * minutes, 'a', step);
    await circuits.probe('claude', 10 * minutes);
    await circuits.check('claude');
  };
  const works = async (step: 'upload' | 'summarize') => {
    circuits.troubles.worked(step);
    await circuits.settle();
    return worker().admission('claude');
  };

  test('ends the probe of its lane, and who opened it is still known', async () => {
    await probing('upload');

    expect(await works('upload')).toMatchObject({ admits: 'all', circuit: { openedBy: 'a' } });
  });

  test('ends no probe of a lane that another step stopped', async () => {
    await probing('summarize');

    expect(await works('upload')).toMatchObject({ admits: 'none' });
    expect(await works('summarize')).toMatchObject({ admits: 'all' });
  });

  test('writes nothing where there is no trouble', async () => {
    await circuits.check('claude');
    const { update, delete: remove } = table;
    let writes = 0;
    table.update = (...args) => {
      writes += 1;
      return update.apply(table, args);
    };
    table.delete = (...args) => {
      writes += 1;
      return remove.apply(table, args);
    };

    await works('upload');

    expect(writes).toBe(0);
  });
});

test.each([
  ['claude.refused_parameter', 'summarize', 'summarize'],
  ['claude.refused_parameter', 'upload', 'upload'],
  ['summarize.model_not_found', 'summarize', 'summarize'],
  ['claude.unauthorized', 'summarize', 'claude'],
  ['claude.storage_full', 'upload', 'upload'],
] as const)('%s at %s stops the lane %s', (code, step, lane) => {
  expect(laneOf({ code, step })).toBe(lane);
});
