import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { checkInvariants } from '../world/invariants.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { settleDown } from '../world/settle-down.ts';
import { type InboxEvent, World } from '../world/world.ts';
import {
  begin,
  drop,
  fileIds,
  first,
  normalizeOne,
  pausedBefore,
  remove,
  second,
  uploadOne,
  workVisible,
  world,
} from './support.ts';

afterEach(() => world.close());

test('a removal during an upload wins in the end', async () => {
  await begin();
  drop('a.txt', first);
  await normalizeOne();
  // The removal is applied while the upload is paused before its call.
  const uploading = await pausedBefore('claude.uploadFile', (gate) => uploadOne({ gate }));
  remove('a.txt');
  await workVisible();
  expect((await world.record('a.txt'))?.status).toBe('removed');
  await uploading.resume();
  await world.drain();

  expect(world.calls('files.upload')).toHaveLength(1);
  expect(world.emulator.files()).toEqual([]);
  expect(world.calls('messages.create')).toEqual([]);
});

test('the last of two documents takes the remote file with it', async () => {
  await begin();
  world.deliver(world.drop('a.txt', first), world.drop('b.txt', first));
  await world.drain();

  remove('a.txt');
  await world.drain();
  expect(world.emulator.files()).toHaveLength(1);

  remove('b.txt');
  await world.drain();
  expect(world.emulator.files()).toEqual([]);
});

test('a file that was removed and dropped again is uploaded again, but not paid for again', async () => {
  await begin();
  drop('a.txt', first);
  await world.drain();
  remove('a.txt');
  await world.drain();

  drop('a.txt', first);
  await world.drain();

  const record = await world.record('a.txt');
  expect(record).toMatchObject({ status: 'ready', usage: { calls: 0 } });
  expect(world.calls('files.upload')).toHaveLength(2);
  expect(world.calls('messages.create')).toHaveLength(1);
  expect(fileIds()).toEqual([record?.fileId]);
});

test('the removal of a file that was never announced is recorded', async () => {
  await begin();
  world.drop('a.txt', first);

  remove('a.txt');
  await world.drain();

  expect((await world.record('a.txt'))?.status).toBe('removed');
});

test('a removal after a failure clears the error', async () => {
  await begin();
  drop('empty.txt', '');
  await world.drain();

  remove('empty.txt');
  await world.drain();

  const record = await world.record('empty.txt');
  expect(record?.status).toBe('removed');
  expect(record?.error).toBeUndefined();
});

describe.each([
  ['removed by a marker', true],
  ['removed for good', false],
])('whatever the order of their events, objects %s', (_how, versioned) => {
  test('end as the newest event says', async () => {
    /** Create, remove, create again: delivered in any order, each one to three times. */
    const deliveries = fc.record({
      repeats: fc.tuple(...[1, 2, 3].map(() => fc.integer({ min: 1, max: 3 }))),
      order: fc.array(fc.nat(), { minLength: 9, maxLength: 9 }),
      events: fc.integer({ min: 1, max: 3 }),
      picks: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 5 }),
      between: fc.boolean(),
    });

    await fc.assert(
      fc.asyncProperty(deliveries, async ({ repeats, order, events, picks, between }) => {
        let picked = 0;
        const pick = () => picks[picked++ % picks.length] ?? 0;
        const one = await World.create(memoryLedger(), { versioned, pick });
        try {
          const all = [
            one.drop('a.txt', first),
            ...(events > 1 ? [one.remove('a.txt')] : []),
            ...(events > 2 ? [one.drop('a.txt', second)] : []),
          ];
          for (const event of shuffled(all, repeats, order)) {
            one.deliver(event);
            if (between) await one.work();
          }
          await one.drain();
          await settleDown(one, 1);

          const last = [first, null, 'Costs fell'][events - 1] ?? null;
          const expected = { 'a.txt': last === first ? 'Sales rose' : last };
          await checkInvariants(one, expected, 0);
        } finally {
          await one.close();
        }
      }),
      { seed: 20261122, numRuns: 60 },
    );
    await begin();
  });
});

/** Each event as often as `repeats` says, ordered by `keys`. */
function shuffled(events: InboxEvent[], repeats: number[], keys: number[]): InboxEvent[] {
  return events
    .flatMap((event, index) => Array.from({ length: repeats[index] ?? 1 }, () => event))
    .map((event, index) => ({ event, key: keys[index] ?? 0 }))
    .sort((a, b) => a.key - b.key)
    .map(({ event }) => event);
}

describe('in a bucket without versions', () => {
  test('a document is only read with the content that was announced', async () => {
    await begin({ versioned: false });
    const announced = world.drop('a.txt', first);
    world.drop('a.txt', second);

    world.deliver(announced);
    await world.drain();

    expect(await world.record('a.txt')).toMatchObject({
      status: 'failed',
      error: { code: 'normalize.object_changed' },
    });
    expect(world.calls('files.upload')).toEqual([]);
  });

  test('a file overwritten before its upload is not uploaded', async () => {
    await begin({ versioned: false });
    drop('a.txt', first);
    await normalizeOne();
    const newer = world.drop('a.txt', second);

    await world.drain();
    const meanwhile = await world.record('a.txt');
    world.deliver(newer);
    await world.drain();

    expect(meanwhile).toMatchObject({ status: 'failed', error: { code: 'upload.source_lost' } });
    expect(await world.record('a.txt')).toMatchObject({ status: 'ready' });
    expect(world.calls('files.upload')).toHaveLength(1);
  });

  test('a file removed before its upload is not uploaded', async () => {
    await begin({ versioned: false });
    drop('a.txt', first);
    await normalizeOne();
    const removal = world.remove('a.txt');

    await world.drain();
    world.deliver(removal);
    await world.drain();

    expect(await world.record('a.txt')).toMatchObject({ status: 'removed' });
    expect(world.calls('files.upload')).toEqual([]);
  });
});

describe('when one version is deleted for good', () => {
  test('an old one changes nothing, and costs nothing', async () => {
    await begin();
    const old = world.drop('a.txt', first);
    world.deliver(old);
    await world.drain();
    drop('a.txt', second);
    await world.drain();
    const before = await world.record('a.txt');

    world.deliver(world.removeVersion('a.txt', old.versionId ?? ''));
    await world.drain();

    const after = await world.record('a.txt');
    expect(after).toMatchObject({ status: 'ready', order: before?.order, fileId: before?.fileId });
    expect(world.calls('files.upload')).toHaveLength(2);
    expect(world.calls('messages.create')).toHaveLength(2);
  });

  test('the only one removes the document', async () => {
    await begin();
    const only = world.drop('a.txt', first);
    world.deliver(only);
    await world.drain();

    world.deliver(world.removeVersion('a.txt', only.versionId ?? ''));
    await world.drain();

    expect((await world.record('a.txt'))?.status).toBe('removed');
    expect(world.emulator.files()).toEqual([]);
  });

  test('the newest one restores the version before it, including its summary', async () => {
    await begin();
    const newest = () => world.drop('a.txt', second);
    drop('a.txt', first);
    await world.drain();
    const event = newest();
    world.deliver(event);
    await world.drain();

    world.deliver(world.removeVersion('a.txt', event.versionId ?? ''));
    await world.drain();

    const record = await world.record('a.txt');
    expect(record?.status).toBe('ready');
    expect(record?.summary?.text).toContain('Sales rose');
    expect(fileIds()).toEqual([record?.fileId]);
  });

  test('a delete marker restores the object', async () => {
    await begin();
    drop('a.txt', first);
    await world.drain();
    const removal = world.remove('a.txt');
    world.deliver(removal);
    await world.drain();

    const restored = world.removeVersion('a.txt', removal.versionId ?? '');
    world.deliver(restored, restored);
    await world.drain();

    expect(await world.record('a.txt')).toMatchObject({ status: 'ready', usage: { calls: 0 } });
    expect(world.emulator.files()).toHaveLength(1);
    expect(world.calls('messages.create')).toHaveLength(1);
  });

  test('a late and repeated event of that has no effect', async () => {
    await begin();
    const old = world.drop('a.txt', first);
    const deletion = world.removeVersion('a.txt', old.versionId ?? '');
    drop('a.txt', second);
    await world.drain();

    world.deliver(old, deletion, deletion);
    await world.drain();

    expect(await world.record('a.txt')).toMatchObject({ status: 'ready' });
    expect(world.calls('messages.create')).toHaveLength(1);
  });
});
