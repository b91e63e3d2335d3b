import { afterEach, describe, expect, test } from 'vitest';
import { documentIdOf } from '../../shared/journey/ids.ts';
import { shardOf } from '../../shared/ledger/keys.ts';
import { inbox } from '../world/world.ts';
import { begin, drop, remove, status, text, workVisible, world } from './support.ts';

afterEach(() => world.close());

const minutes = 60_000;

/** Lets the waiting time of a stopped lane pass, then runs the reconciler and works off the queues. */
async function later(ms = 11 * minutes): Promise<void> {
  world.advance(ms);
  await world.reconcile();
  await world.drain();
}

describe.each([
  ['a bad key', { kind: 'error', status: 401 }, 'claude.unauthorized'],
  ['an unpaid bill', { kind: 'error', status: 402 }, 'claude.billing'],
  ['a missing right', { kind: 'error', status: 403 }, 'claude.forbidden'],
  ['the spend cap', { kind: 'spend_cap' }, 'claude.spend_limit'],
  ['an empty credit balance', { kind: 'credit_balance' }, 'claude.billing'],
  ['an own spend limit', { kind: 'usage_limit' }, 'claude.spend_limit'],
  ["a workspace's own spend limit", { kind: 'workspace_usage_limit' }, 'claude.spend_limit'],
  ['a disabled organization', { kind: 'organization_disabled' }, 'claude.forbidden'],
  ['a key of several workspaces', { kind: 'workspace_missing' }, 'claude.misconfigured'],
  ['a payer that cannot be billed', { kind: 'linked_billing' }, 'claude.billing'],
] as const)('%s', (_what, fault, code) => {
  test.each(['files.upload', 'messages.create'])(
    'holds all documents without an attempt once %s meets it, and they resume automatically',
    async (operation) => {
      await begin();
      world.emulator.addFault({ ...fault, operation, count: 'all' });
      const keys = ['a.txt', 'b.txt', 'c.txt'];
      world.deliver(...keys.map((key) => world.drop(key, text(key))));
      await world.drain();

      const refusals = world.emulator.journal({ operation }).length;
      for (const key of keys) {
        const record = await world.record(key);
        expect(record).toMatchObject({ status: 'held', error: { code } });
        const step = operation === 'files.upload' ? 'upload' : 'summarize';
        expect(record?.attempts[step]).toBeUndefined();
        expect(record?.usage?.calls ?? 0).toBe(0);
      }
      expect(refusals).toBe(1);

      // One document finds out that it is not over yet; the others are not tried.
      await later();
      expect(world.emulator.journal({ operation })).toHaveLength(refusals + 1);
      expect(await Promise.all(keys.map(status))).toEqual(['held', 'held', 'held']);

      world.emulator.clearFaults();
      await later();
      expect((await Promise.all(keys.map(status))).toSorted()).toEqual(['held', 'held', 'ready']);
      await later();
      expect(await Promise.all(keys.map(status))).toEqual(['ready', 'ready', 'ready']);
    },
  );
});

test('full storage stops only uploads', async () => {
  await begin();
  world.deliver(world.drop('a.txt', text('a')), world.drop('old.txt', text('old')));
  await world.drain();
  world.emulator.addFault({ kind: 'storage_full', operation: 'files.upload', count: 'all' });
  drop('b.txt', text('b'));
  await world.drain();
  expect(await world.record('b.txt')).toMatchObject({
    status: 'held',
    error: { code: 'claude.storage_full' },
  });

  // A file that exists is reused, and deletions, which make room, continue.
  world.deliver(world.drop('twin.txt', text('a')), world.remove('old.txt'));
  await world.drain();

  expect(world.emulator.files()).toHaveLength(1);
  expect(await status('old.txt')).toBe('removed');
  expect(await status('twin.txt')).toBe('ready');
  world.emulator.clearFaults();
  await later();
  await later();
  expect(await status('b.txt')).toBe('ready');
});

test('documents that keep coming do not delay the next try of a stopped lane', async () => {
  await begin();
  world.emulator.addFault({ kind: 'error', status: 401, operation: 'files.upload' });
  drop('first.txt', text('first'));
  await world.drain();

  // One every 20 s, for as long as the lane is stopped and a little longer.
  for (let n = 0; n < 33; n += 1) {
    world.advance(20_000);
    drop(`${n}.txt`, text(`number ${n}`));
    await world.drain();
  }
  await later(0);
  await later();

  expect(await status('first.txt')).toBe('ready');
  expect(await status('32.txt')).toBe('ready');
});

test('a lane whose held documents are all gone is reopened for new ones', async () => {
  await begin();
  world.emulator.addFault({ kind: 'error', status: 401, operation: 'files.upload' });
  drop('a.txt', text('a'));
  await world.drain();
  remove('a.txt');
  await workVisible();

  await later();
  drop('b.txt', text('b'));
  await world.drain();

  expect(await status('b.txt')).toBe('ready');
});

test('a release that meets a bad key waits, and stops the lane for the others', async () => {
  await begin();
  drop('a.txt', text('a'));
  await world.drain();
  world.emulator.addFault({ kind: 'error', status: 401, operation: 'files.delete' });
  world.deliver(world.remove('a.txt'), world.drop('b.txt', text('b')));
  while (await world.work({ only: ['intake'] }));
  while (await world.work({ only: ['upload'] }));

  expect(await status('b.txt')).toBe('held');
  expect(world.queues.upload.deadLetters).toEqual([]);
  await later();
  await later();

  expect(world.emulator.files()).toHaveLength(1);
  expect(await status('b.txt')).toBe('ready');
});

test('a dry run resumes nothing', async () => {
  await begin();
  world.emulator.addFault({ kind: 'error', status: 401, operation: 'files.upload' });
  drop('a.txt', text('a'));
  await world.drain();
  world.advance(11 * minutes);

  const { report } = await world.reconcile({ dryRun: true });
  await world.drain();

  expect(report?.counts.resumed).toBe(1);
  expect(await status('a.txt')).toBe('held');
});

test('one file that does not fit into the storage does not block those that do', async () => {
  await begin();
  const fault = { kind: 'storage_full', operation: 'files.upload', count: 'all' } as const;
  world.emulator.addFault({ ...fault, filename: 'big-*' });
  // It is the first document of the first shard, so it would be tried first each time.
  let n = 0;
  while (shardOf(documentIdOf(inbox, `big-${n}.txt`)) !== 0) n += 1;
  drop(`big-${n}.txt`, text('big'));
  await world.drain();
  const small = [0, 1, 2, 3, 4].map((each) => `small-${each}.txt`);
  world.deliver(...small.map((key) => world.drop(key, text(key))));
  await world.drain();
  expect(await Promise.all(small.map(status))).toEqual(small.map(() => 'held'));

  await later();
  await later();

  expect(await Promise.all(small.map(status))).toEqual(small.map(() => 'ready'));
  expect(await status(`big-${n}.txt`)).toBe('held');
});

test('the only held document is the one that is tried', async () => {
  await begin();
  world.emulator.addFault({ kind: 'error', status: 401, operation: 'files.upload' });
  drop('a.txt', text('a'));
  await world.drain();
  expect((await world.record('a.txt'))?.status).toBe('held');

  await later();

  expect(await status('a.txt')).toBe('ready');
});

test('the record of a file that is overwritten for days in a stopped lane does not grow', async () => {
  await begin();
  drop('a.txt', text('the first'));
  await world.drain();
  const fault = { kind: 'error', status: 401, count: 'all' } as const;
  world.emulator.addFault({ ...fault, operation: 'files.upload' });
  drop('other.txt', text('other'));
  await world.drain();

  for (let n = 0; n < 200; n += 1) {
    drop('a.txt', text(`number ${n}`));
    await workVisible();
    expect((await world.record('a.txt'))?.releases?.length).toBeLessThanOrEqual(51);
  }
  // The past version with a file, which may be reused, is kept.
  expect((await world.record('a.txt'))?.releases?.[0]).toMatchObject({ hadFile: true });

  drop('a.txt', text('the first'));
  await world.drain();
  world.emulator.clearFaults();
  for (let n = 0; n < 3; n += 1) await later();
  const record = await world.record('a.txt');
  expect(record?.status).toBe('ready');
  expect(record?.releases).toBeUndefined();
  expect(world.emulator.files()).toHaveLength(2);
  // The first content was never uploaded again.
  expect(world.calls('files.upload')).toHaveLength(2);
  const references = await world.contents.references(record?.contentSha256 ?? '');
  expect(references.references).toHaveLength(1);
});

describe('a reason that a person has mended', () => {
  const keys = Array.from({ length: 12 }, (_, n) => `${n}.txt`);
  const statuses = async () => [...new Set(await Promise.all(keys.map(status)))];

  /** Holds a dozen documents by a key that is not the right one. */
  async function holdByKey(): Promise<void> {
    await begin({ emulator: { apiKeys: ['right'] } });
    world.apiKey = 'wrong';
    world.deliver(...keys.map((key) => world.drop(key, text(key))));
    await world.drain();
    expect(await statuses()).toEqual(['held']);
  }

  test('a corrected key lets everything resume in the next run, which need not wait', async () => {
    await holdByKey();
    const started = world.now();
    world.apiKey = 'right';

    const { report } = await world.reconcile({ meanwhile: true });
    await world.drain();

    expect(await statuses()).toEqual(['ready']);
    expect(report?.counts.resumed).toBe(keys.length);
    expect(world.now() - started).toBeLessThan(2 * minutes);
    expect(await world.table.get({ pk: 'CIRCUIT#claude', sk: 'CIRCUIT' })).toBeUndefined();
  });

  test('a corrected key lets a new document through at once', async () => {
    await holdByKey();
    world.apiKey = 'right';

    world.deliver(world.drop('new.txt', text('new')));
    await world.drain();
    expect(await status('new.txt')).toBe('ready');

    await world.reconcile();
    await world.drain();
    expect(await statuses()).toEqual(['ready']);
  });

  test('another wrong key is asked about once', async () => {
    await holdByKey();
    const uploads = () => world.emulator.journal({ operation: 'files.upload' }).length;
    const before = uploads();
    world.apiKey = 'also-wrong';

    await world.reconcile({ meanwhile: true });
    await world.reconcile({ meanwhile: true });

    expect(await statuses()).toEqual(['held']);
    expect(uploads()).toBe(before + 1);
  });

  test('a secret that had no key yet is noticed when it has one', async () => {
    await begin();
    world.apiKey = '';
    world.deliver(...keys.map((key) => world.drop(key, text(key))));
    await world.drain();
    expect(await world.record('0.txt')).toMatchObject({ error: { code: 'claude.no_key' } });

    world.apiKey = 'test-key';
    await world.reconcile({ meanwhile: true });
    await world.drain();

    expect(await statuses()).toEqual(['ready']);
  });

  test.each(['files.upload', 'messages.create'])(
    'is found out at once when that person says so, wherever %s met it',
    async (operation) => {
      await begin();
      world.emulator.addFault({ kind: 'usage_limit', operation, count: 'all' });
      world.deliver(...keys.map((key) => world.drop(key, text(key))));
      await world.drain();
      const refusals = world.emulator.journal({ operation }).length;

      await world.reconcile({ resume: true, meanwhile: true });
      expect(await statuses()).toEqual(['held']);
      expect(world.emulator.journal({ operation })).toHaveLength(refusals + 1);

      const started = world.now();
      world.emulator.clearFaults();
      await world.reconcile({ meanwhile: true });
      expect(await statuses()).toEqual(['held']);
      await world.reconcile({ resume: true, meanwhile: true });
      await world.drain();

      expect(await statuses()).toEqual(['ready']);
      expect(world.now() - started).toBeLessThan(2 * minutes);
      expect(world.calls('messages.create')).toHaveLength(keys.length);
    },
  );

  test('a limit that messages meet is not over because uploads get through', async () => {
    await begin();
    world.emulator.addFault({ kind: 'usage_limit', operation: 'messages.create', count: 'all' });
    world.deliver(...keys.map((key) => world.drop(key, text(key))));
    await world.drain();
    const refusals = world.emulator.journal({ operation: 'messages.create' }).length;

    world.advance(11 * minutes);
    world.deliver(world.drop('new.txt', text('new')));
    await world.reconcile({ meanwhile: true });
    await world.drain();

    expect(await statuses()).toEqual(['held']);
    const asked = world.emulator.journal({ operation: 'messages.create' }).length - refusals;
    expect(asked).toBeLessThanOrEqual(2);
  });
});

describe('a model that does not exist', () => {
  const drop = async (from: number, to: number) => {
    for (let n = from; n < to; n += 1) {
      world.deliver(world.drop(`${n}.txt`, text(`number ${n}`)));
      await world.drain();
    }
  };
  const counts = async (count: number) => {
    const seen: Record<string, number> = {};
    for (let n = 0; n < count; n += 1) {
      const is = (await status(`${n}.txt`)) ?? 'none';
      seen[is] = (seen[is] ?? 0) + 1;
    }
    return seen;
  };

  test('fails five documents and holds all others, until it is corrected', async () => {
    await begin();
    world.settings.model = 'claude-haiku-55';
    await drop(0, 20);

    expect(await counts(20)).toEqual({ failed: 5, held: 15 });
    expect(await world.record('9.txt')).toMatchObject({
      heldFrom: 'uploaded',
      error: { code: 'summarize.model_not_found', message: expect.stringMatching(/^The last 5/) },
    });
    // Uploads and removals go on.
    expect(world.emulator.files()).toHaveLength(20);

    world.advance(11 * minutes);
    await world.reconcile({ meanwhile: true });
    await world.drain();
    expect(await counts(20)).toEqual({ failed: 5, held: 15 });

    world.settings.model = 'claude-haiku-5-5';
    await world.reconcile({ resume: true, meanwhile: true });
    await world.drain();
    expect(await counts(20)).toEqual({ failed: 5, ready: 15 });

    await world.reconcile({ retry: ['summarize.model_not_found'] });
    await world.drain();
    expect(await counts(20)).toEqual({ ready: 20 });
  });

  test('a dialect that the address does not speak stops uploads alike', async () => {
    await begin({ emulator: { dialect: 'beta' } });
    world.settings.claudeDialect = 'ga';
    await drop(0, 8);

    expect(await counts(8)).toEqual({ failed: 5, held: 3 });
    expect(await world.record('7.txt')).toMatchObject({
      heldFrom: 'normalized',
      error: { code: 'claude.refused_parameter' },
    });
  });

  test('documents that are themselves refused hold nobody', async () => {
    await begin();
    world.emulator.addFault({
      kind: 'error',
      status: 400,
      message: 'messages.0.content.0: The PDF is encrypted',
      operation: 'messages.create',
      count: 8,
    });
    await drop(0, 10);

    expect(await counts(10)).toEqual({ failed: 8, ready: 2 });
  });
});
