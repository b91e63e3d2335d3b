import { afterEach, expect, test } from 'vitest';
import { pointsOf } from '../world/crash.ts';
import { checkInvariants } from '../world/invariants.ts';
import type { KillPoint } from '../world/mortal.ts';
import { settleDown } from '../world/settle-down.ts';
import { inbox, type World } from '../world/world.ts';
import {
  begin,
  binary,
  callsOf,
  deadLetterTwin,
  drop,
  first,
  hour,
  normalizeOne,
  type Paused,
  paidCalls,
  pastVersion,
  pausedBefore,
  pausedBeforePaying,
  second,
  status,
  summarizeOne,
  uploadOne,
  waitsForSummary,
  world,
} from './support.ts';

/*
 * Each version of a document is paid for once, whatever else happens while its summary is under way. A review of
 * the protocol found each case, and each failed before its rule was written.
 */

afterEach(() => world.close());

/** The file is dropped again, unchanged; its event is applied. */
async function droppedAgain(): Promise<void> {
  drop('a.txt', first);
  await normalizeOne();
}

test('a document is paid for once although the reconciler finds a dead letter of it during the call', async () => {
  await begin();
  await waitsForSummary();
  deadLetterTwin('summarize', world.queues.summarize.messages[0]?.body ?? '');

  const paying = await pausedBeforePaying();
  await world.reconcile();
  await paying.resume();
  await world.drain();
  world.queues.summarize.redrive(world.now());
  await world.drain();

  expect(await status('a.txt')).toBe('ready');
  expect(paidCalls()).toBe(1);
});

test('a document is paid for once although its lane is stopped during the call and a second delivery sees that', async () => {
  await begin();
  world.deliver(world.drop('a.txt', first), world.drop('b.txt', second));
  await normalizeOne();
  await uploadOne();
  world.queues.summarize.redeliver(world.now());

  // One worker has read the record and is about to look at the circuit; the other one pays.
  const looking = await pausedBefore('table.get', (gate) => summarizeOne({ gate }), 1);
  const paying = await pausedBeforePaying();
  // Meanwhile another document stops the lane.
  world.emulator.addFault({ kind: 'error', status: 403, operation: 'files.upload' });
  while (await world.work({ only: ['intake', 'upload'] }));
  expect(await status('b.txt')).toBe('held');
  await looking.resume();
  await paying.resume();

  expect(await status('a.txt')).toBe('ready');
  await world.drain();
  await settleDown(world, 3);
  expect(paidCalls()).toBe(2);
});

test('a document is paid for once although it is dropped again unchanged during the call', async () => {
  await begin();
  await waitsForSummary();

  const paying = await pausedBeforePaying();
  await droppedAgain();
  await uploadOne();
  // The newer version waits for the summary that the past one is paying for.
  await summarizeOne();
  expect(await status('a.txt')).toBe('uploaded');
  await paying.resume();
  await world.drain();

  const record = await world.record('a.txt');
  expect(record).toMatchObject({ status: 'ready', usage: { calls: 0, costUsd: 0 } });
  expect(paidCalls()).toBe(1);
  const version = await pastVersion('a.txt');
  expect(version).toMatchObject({ status: 'ready', usage: { calls: 1 } });
  expect(version?.usage?.costUsd).toBeGreaterThan(0);
  expect(version).not.toHaveProperty('lease');
});

test('a document dropped again during the call is paid for once wherever the paying worker dies', async () => {
  const droppedAgainWhilePaying = async (kill?: KillPoint) => {
    await waitsForSummary();
    const paying: Paused = await pausedBeforePaying(kill);
    await droppedAgain();
    return paying.resume();
  };
  await begin();
  const calls = (await droppedAgainWhilePaying())?.calls ?? [];
  await world.close();
  expect(calls.filter((call) => call === 'table.update').length).toBeGreaterThan(2);

  for (const point of pointsOf(calls)) {
    await begin();
    await droppedAgainWhilePaying(point);
    await world.drain();
    await settleDown(world);
    const where = `killed ${point.when} call ${point.call} (${calls[point.call]})`;
    await checkInvariants(world, { 'a.txt': 'Sales rose' }, 1).catch((cause: unknown) => {
      throw new Error(where, { cause });
    });
    await world.close();
  }
  // For `afterEach` to close.
  await begin();
});

test.each([
  ['is refused', { kind: 'refusal' } as const, 'failed', 'summarize.refused'],
  ['fails', { kind: 'error', status: 400 } as const, 'failed', 'summarize.invalid_request'],
  ['is lost', { kind: 'error', status: 500 } as const, 'uploaded', undefined],
])(
  'a document is paid for once although the call %s for a version that was dropped again meanwhile',
  async (_, fault, ended, code) => {
    await begin();
    await waitsForSummary();
    world.emulator.addFault({ ...fault, operation: 'messages.create', count: 1 });

    const paying = await pausedBeforePaying();
    await droppedAgain();
    await paying.resume();
    const before = world.now();
    await world.drain();

    // It need not wait for the fence of a call that is over.
    expect(world.now() - before).toBeLessThan(60_000);
    const record = await world.record('a.txt');
    expect(record).toMatchObject({ status: 'ready', usage: { calls: 1 } });
    const version = await pastVersion('a.txt');
    expect(version?.status).toBe(ended);
    expect(version?.error?.code).toBe(code);
    expect(version).not.toHaveProperty('lease');
  },
);

test('a refused document is paid for once although its worker dies after recording the refusal', async () => {
  const refused = async (w: World) => {
    w.emulator.addFault({ kind: 'refusal', operation: 'messages.create', count: 'all' });
    await waitsForSummary(w);
  };
  const calls = await callsOf('summarize', refused);
  const recorded = calls.indexOf('table.update', calls.indexOf('claude.createMessage'));
  await begin();
  await refused(world);

  await summarizeOne({ kill: { call: recorded, when: 'after' } });
  expect((await world.record('a.txt'))?.usage?.outputTokens).toBeGreaterThan(0);
  world.advance(hour);
  await world.drain();

  expect(await world.record('a.txt')).toMatchObject({
    status: 'failed',
    error: { code: 'summarize.refused' },
    attempts: { summarize: 1 },
  });
  expect(paidCalls()).toBe(1);
});

test('a document is paid for once although the reconciler lists the bucket before it is overwritten and reads the record after', async () => {
  await begin();
  drop('a.txt', first);
  await world.drain();
  world.advance(7 * hour);
  let paying: Paused | undefined;
  const list = world.buckets.list.bind(world.buckets);
  world.buckets.list = async (bucket, options) => {
    const page = await list(bucket, options);
    if (bucket !== inbox || paying) return page;
    // The list is made, and not yet returned: the file is overwritten, up to the paid call.
    drop('a.txt', second);
    await normalizeOne();
    await uploadOne();
    paying = await pausedBeforePaying();
    return page;
  };

  const { report } = await world.reconcile();
  while (await normalizeOne());
  await paying?.resume();
  await world.drain();

  expect(report?.counts).toEqual({});
  expect(await status('a.txt')).toBe('ready');
  expect(paidCalls()).toBe(2);
});

test('a document that is not to be summarised is never paid for, although its uploader dies', async () => {
  const options = { containerUploads: ['data/'] };
  const dropped = async (w: World) => {
    drop('data/x.bin', binary, w);
    await normalizeOne({}, w);
  };
  const calls = await callsOf('upload', dropped, options);
  // The last write marks it ready.
  const ready = calls.lastIndexOf('table.update');
  await begin(options);
  await dropped(world);

  await uploadOne({ kill: { call: ready, when: 'before' } });
  expect(await status('data/x.bin')).toBe('uploaded');
  world.advance(hour);
  await world.drain();

  expect(await status('data/x.bin')).toBe('ready');
  expect(world.emulator.journal({ operation: 'messages.create' })).toEqual([]);
});
