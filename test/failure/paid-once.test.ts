import { zipSync } from 'fflate';
import { afterEach, describe, expect, test } from 'vitest';
import { pointsOf } from '../world/crash.ts';
import { checkInvariants } from '../world/invariants.ts';
import type { KillPoint } from '../world/mortal.ts';
import { settleDown } from '../world/settle-down.ts';
import { inbox, partOf, type World } from '../world/world.ts';
import {
  begin,
  binary,
  callsOf,
  costEntries,
  deadLetterTwin,
  drop,
  first,
  hour,
  normalizeOne,
  type Paused,
  paidCalls,
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
  const [cost, ...more] = await costEntries();
  expect(cost).toMatchObject({ outcome: 'answered' });
  expect(cost?.costUsd).toBeGreaterThan(0);
  expect(more).toEqual([]);
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
  expect(calls.filter((call) => call === 'table.update').length).toBeGreaterThan(1);

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
  // The refusal was paid for, and is as good for the newer version.
  [
    'is refused',
    { kind: 'refusal' } as const,
    { status: 'failed', usage: { calls: 0 } },
    ['refused'],
  ],
  // That call was not billed.
  [
    'fails',
    { kind: 'error', status: 400 } as const,
    { status: 'ready', usage: { calls: 1 } },
    ['answered'],
  ],
  [
    'is lost',
    { kind: 'error', status: 500 } as const,
    { status: 'ready', usage: { calls: 2, costUnknownCalls: 1 } },
    ['answered', 'unknown'],
  ],
])(
  'a document is paid for once although the call %s for a version that was dropped again meanwhile',
  async (_, fault, ended, outcomes) => {
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
    expect(await world.record('a.txt')).toMatchObject(ended);
    expect((await costEntries()).map(({ outcome }) => outcome).sort()).toEqual(outcomes);
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
  expect((await world.record('a.txt'))?.status).toBe('uploaded');
  world.advance(hour);
  await world.drain();

  expect(await world.record('a.txt')).toMatchObject({
    status: 'failed',
    error: { code: 'summarize.refused' },
    attempts: { summarize: 1 },
    usage: { calls: 1 },
  });
  expect((await world.record('a.txt'))?.usage?.outputTokens).toBeGreaterThan(0);
  expect(paidCalls()).toBe(1);
  expect(await costEntries()).toMatchObject([{ outcome: 'refused' }]);
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

describe('a content is paid for once', () => {
  test('although it is dropped under two keys', async () => {
    await begin();
    world.deliver(world.drop('a.txt', first), world.drop('b.txt', first));
    await world.drain();

    const [a, b] = [await world.record('a.txt'), await world.record('b.txt')];
    expect([a?.status, b?.status]).toEqual(['ready', 'ready']);
    expect(a?.summary?.text).toBe(b?.summary?.text);
    expect(paidCalls()).toBe(1);
    const payer = [a, b].find((record) => record?.usage?.calls === 1);
    const sharer = [a, b].find((record) => record?.usage?.calls === 0);
    expect(sharer?.answers?.summary?.sharedFrom).toBe(payer?.documentId);
    expect(sharer?.usage?.costUsd).toBe(0);
  });

  test('although the second document comes during the call, and is woken by its end', async () => {
    await begin();
    await waitsForSummary();

    const paying = await pausedBeforePaying();
    world.deliver(world.drop('b.txt', first));
    while (await world.work({ only: ['intake', 'upload'] }));
    await summarizeOne();
    expect(await world.record('b.txt')).toMatchObject({
      status: 'uploaded',
      waiting: { reason: 'answer' },
    });
    await paying.resume();
    const before = world.now();
    await world.drain();

    const record = await world.record('b.txt');
    expect(record?.status).toBe('ready');
    expect(record?.waiting).toBeUndefined();
    expect(world.now()).toBe(before);
    expect(paidCalls()).toBe(1);
  });

  test('although other content comes between under the same key', async () => {
    await begin();
    for (const content of [first, second, first]) {
      drop('a.txt', content);
      await world.drain();
    }

    expect((await world.record('a.txt'))?.summary?.text).toContain('Sales rose');
    expect(paidCalls()).toBe(2);
  });

  test('by a hundred equal files of an archive', async () => {
    await begin();
    const zip = zipSync(
      Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`${n}.txt`, Buffer.from(first)])),
    );
    drop('a.zip', zip);
    await world.drain();

    expect((await world.record(partOf('a.zip', '99.txt')))?.status).toBe('ready');
    expect(paidCalls()).toBe(1);
    expect(world.calls('files.upload')).toHaveLength(1);
  });

  test('and again once its answers have been kept for as long as they are', async () => {
    await begin();
    for (const content of [first, second]) {
      drop('a.txt', content);
      await world.drain();
    }
    world.advance(7 * 24 * hour + 1);
    await world.reconcile({ sweep: true });
    const answers = (await world.items()).filter(({ sk }) => String(sk).startsWith('ANSWER#'));
    expect(answers).toHaveLength(1);

    drop('a.txt', first);
    await world.drain();

    expect(paidCalls()).toBe(3);
  });
});

test('a reply that the ledger does not take for minutes is paid for once, and recorded', async () => {
  await begin();
  await waitsForSummary();
  let refusals = 5;
  const update = world.table.update.bind(world.table);
  world.table.update = async (key, changes, condition) => {
    const isReply = String(key.sk).startsWith('ANSWER#') && changes.set?.state === 'answered';
    if (isReply && refusals > 0) {
      refusals -= 1;
      throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
    }
    return update(key, changes, condition);
  };

  await world.drain();

  const record = await world.record('a.txt');
  expect(record).toMatchObject({
    status: 'ready',
    attempts: { summarize: 1 },
    usage: { calls: 1 },
  });
  expect(record?.usage?.costUsd).toBeGreaterThan(0);
  expect(paidCalls()).toBe(1);
});

test('a reply that the ledger does not take at all is found by the next delivery', async () => {
  await begin();
  await waitsForSummary();
  let throttled = true;
  const { update, put } = world.table;
  const refuse = () => {
    if (throttled) throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
  };
  world.table.update = async (key, ...rest) => {
    if (String(key.sk).startsWith('ANSWER#') && paidCalls() > 0) refuse();
    return update.call(world.table, key, ...rest);
  };
  world.table.put = async (item, ...rest) => {
    if (String(item.pk).startsWith('COST#')) refuse();
    return put.call(world.table, item, ...rest);
  };
  await summarizeOne();
  throttled = false;

  world.advance(hour);
  await world.drain();

  const record = await world.record('a.txt');
  expect(record).toMatchObject({ status: 'ready', usage: { calls: 1 } });
  expect(record?.usage?.costUsd).toBeGreaterThan(0);
  expect(paidCalls()).toBe(1);
  expect(await costEntries()).toMatchObject([{ outcome: 'answered' }]);
});

test('only a retry by hand asks a refused question again, once for all that share it', async () => {
  await begin();
  world.emulator.addFault({ kind: 'refusal', operation: 'messages.create', count: 1 });
  world.deliver(world.drop('a.txt', first), world.drop('b.txt', first));
  await world.drain();
  expect([await status('a.txt'), await status('b.txt')]).toEqual(['failed', 'failed']);
  drop('a.txt', first);
  await world.drain();
  expect(await status('a.txt')).toBe('failed');
  expect(paidCalls()).toBe(1);

  await world.reconcile({ retry: ['summarize.refused'] });
  await world.drain();

  expect([await status('a.txt'), await status('b.txt')]).toEqual(['ready', 'ready']);
  expect(paidCalls()).toBe(2);
});
