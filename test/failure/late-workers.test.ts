import { afterEach, describe, expect, test } from 'vitest';
import { type PastVersion, pastVersionSchema } from '../../shared/ledger/document-item.ts';
import { pointsOf } from '../world/crash.ts';
import { checkInvariants } from '../world/invariants.ts';
import { mailWith } from '../world/mail.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import type { KillPoint } from '../world/mortal.ts';
import { settleDown } from '../world/settle-down.ts';
import { inbox, partOf, World, type WorldOptions } from '../world/world.ts';

/*
 * Workers that are slow, doubled or killed while others go on: each case was found by a review of the protocol,
 * and failed before its rule was written.
 */

let world: World;
afterEach(() => world.close());
const begin = async (options?: WorldOptions) => {
  world = await World.create(memoryLedger(), options);
};

const hour = 3_600_000;
const first = 'First version. Sales rose by 12 percent. Staff grew to 40 people.';
const second = 'Second version. Costs fell by a third. Nothing else changed at all.';
const binary = Buffer.from([0, 1, 2, 3, 255, 254, 0, 0, 1, 9, 8, 200]);
const mail = mailWith('valves');

const status = async (key: string) => (await world.record(key))?.status;
const fileIds = () => world.emulator.files().map(({ id }) => id);
const paid = () => world.calls('messages.create').length;

/** The version of a key that was replaced first. */
async function pastVersion(key: string): Promise<PastVersion | undefined> {
  const pk = (await world.record(key))?.pk ?? '';
  const range = { name: 'sk', beginsWith: 'V#' };
  const { items } = await world.table.query({ hash: { name: 'pk', value: pk }, range });
  return items[0] && pastVersionSchema.parse(items[0]);
}

/** A gate that holds the nth call of a name until it is opened; `reached` tells when a worker waits there. */
function holdAt(name: string, nth = 0) {
  const opened = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  let seen = 0;
  const gate = async (call: string) => {
    if (call !== name) return;
    seen += 1;
    if (seen !== nth + 1) return;
    reached.resolve();
    await opened.promise;
  };
  return { gate, open: () => opened.resolve(), reached: reached.promise };
}

/** The calls that a worker makes for a message of a queue after the same has happened in a world of its own. */
async function callsOf(
  queue: 'upload' | 'summarize',
  happen: (w: World) => Promise<void>,
  options?: WorldOptions,
): Promise<string[]> {
  const probe = await World.create(memoryLedger(), options);
  await happen(probe);
  const life = await probe.work({ only: [queue] });
  await probe.close();
  return life?.calls ?? [];
}

/** A text that was overwritten, the newer version of which waits for its upload. */
async function overwritten(w: World): Promise<void> {
  w.deliver(w.drop('a.txt', first));
  await w.drain();
  w.deliver(w.drop('a.txt', second));
  await w.work({ only: ['intake'] });
}

/** A text that waits for its summary. */
async function uploaded(w: World): Promise<void> {
  w.deliver(w.drop('a.txt', first));
  await w.work({ only: ['intake'] });
  await w.work({ only: ['upload'] });
}

describe('no reference, file or part is left behind', () => {
  test('by an attempt that joined a content after its document was removed, and failed', async () => {
    await begin();
    world.deliver(world.drop('a.txt', first));
    await world.work({ only: ['intake'] });
    const join = holdAt('table.put');
    const slow = world.work({ only: ['upload'], gate: join.gate });
    await join.reached;
    world.deliver(world.remove('a.txt'));
    while (await world.work());
    world.emulator.addFault({ kind: 'error', status: 413, operation: 'files.upload' });
    join.open();
    await slow;
    await world.drain();

    world.deliver(world.drop('b.txt', first));
    await world.drain();
    world.deliver(world.remove('b.txt'));
    await world.drain();
    await settleDown(world, 3);

    expect([await status('a.txt'), await status('b.txt')]).toEqual(['removed', 'removed']);
    expect(fileIds()).toEqual([]);
  });

  test('by an upload that died before it let go of the past, where a stopped lane then held the document', async () => {
    const sent = (await callsOf('upload', overwritten)).indexOf('queues.send');
    await begin();
    await overwritten(world);
    await world.work({ only: ['upload'], kill: { call: sent, when: 'after' } });
    world.emulator.addFault({ kind: 'error', status: 401, operation: 'messages.create' });
    await world.work({ only: ['summarize'] });
    expect(await status('a.txt')).toBe('held');

    world.advance(hour);
    while (await world.work());
    await settleDown(world, 3);

    expect(await status('a.txt')).toBe('ready');
    expect(fileIds()).toEqual([(await world.record('a.txt'))?.fileId]);
  });

  test.each([
    ['summarised', undefined],
    ['refused', { kind: 'refusal', operation: 'messages.create' } as const],
  ])(
    'by a worker that died before it let go of the past, once the document was %s',
    async (_, fault) => {
      const sent = (await callsOf('upload', overwritten)).indexOf('queues.send');
      const waiting = async (w: World) => {
        await overwritten(w);
        await w.work({ only: ['upload'], kill: { call: sent, when: 'after' } });
        w.queues.upload.messages.splice(0);
        if (fault) w.emulator.addFault({ ...fault, count: 1 });
      };
      const calls = await callsOf('summarize', waiting);
      await begin();
      await waiting(world);
      const releasePast = calls.indexOf('queues.send');
      await world.work({ only: ['summarize'], kill: { call: releasePast, when: 'before' } });
      expect(await status('a.txt')).toBe(fault ? 'failed' : 'ready');
      expect(fileIds()).toHaveLength(2);

      world.advance(hour);
      await world.drain();

      expect(fileIds()).toEqual([(await world.record('a.txt'))?.fileId]);
      expect(paid()).toBe(2);
    },
  );

  test('by an upload whose last delivery died before it let go of the past', async () => {
    const sent = (await callsOf('upload', overwritten)).indexOf('queues.send');
    await begin();
    await overwritten(world);
    for (let delivery = 1; delivery < 5; delivery += 1) {
      await world.work({ only: ['upload'], kill: { call: 0, when: 'before' } });
      world.advance(hour);
    }
    await world.work({ only: ['upload'], kill: { call: sent, when: 'after' } });
    world.advance(hour);
    await world.drain();
    await settleDown(world, 3);

    expect(await status('a.txt')).toBe('ready');
    expect(fileIds()).toEqual([(await world.record('a.txt'))?.fileId]);
  });

  test('by a worker that still stages the parts of a mail when it is removed', async () => {
    await begin();
    const reached = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const put = world.buckets.putFile.bind(world.buckets);
    world.buckets.putFile = async (target, file) => {
      reached.resolve();
      await goOn.promise;
      return put(target, file);
    };
    world.deliver(world.drop('a.eml', mail));
    const slow = world.work({ only: ['intake'] });
    await reached.promise;
    world.deliver(world.remove('a.eml'));
    while (await world.work());
    goOn.resolve();
    await slow;
    await world.drain();
    await settleDown(world, 3);

    expect(await status('a.eml')).toBe('removed');
    expect(await status(partOf('a.eml', 'valves.txt'))).toBe('removed');
    expect(fileIds()).toEqual([]);
  });
});

describe('a document is paid for once', () => {
  test('although the reconciler finds a dead letter of it during the call', async () => {
    await begin();
    await uploaded(world);
    const body = world.queues.summarize.messages[0]?.body ?? '';
    world.queues.summarize.deadLetters.push({ id: 'twin', body, visibleAt: 0, receives: 6 });
    const call = holdAt('claude.createMessage');
    const paying = world.work({ only: ['summarize'], gate: call.gate });
    await call.reached;
    await world.reconcile();
    call.open();
    await paying;
    await world.drain();
    world.queues.summarize.redrive(world.now());
    await world.drain();

    expect(await status('a.txt')).toBe('ready');
    expect(paid()).toBe(1);
  });

  test('although its lane is stopped during the call, and a second delivery finds it stopped', async () => {
    await begin();
    world.deliver(world.drop('a.txt', first), world.drop('b.txt', second));
    await world.work({ only: ['intake'] });
    await world.work({ only: ['upload'] });
    world.queues.summarize.redeliver(world.now());
    // One has read the record, and is about to look at the circuit; the other pays meanwhile.
    const circuit = holdAt('table.get', 1);
    const call = holdAt('claude.createMessage');
    const looking = world.work({ only: ['summarize'], gate: circuit.gate });
    await circuit.reached;
    const paying = world.work({ only: ['summarize'], gate: call.gate });
    await call.reached;
    world.emulator.addFault({ kind: 'error', status: 403, operation: 'files.upload' });
    while (await world.work({ only: ['intake', 'upload'] }));
    expect(await status('b.txt')).toBe('held');
    circuit.open();
    await looking;
    call.open();
    await paying;

    expect(await status('a.txt')).toBe('ready');
    await world.drain();
    await settleDown(world, 3);
    expect(paid()).toBe(2);
  });

  test('although it is dropped again unchanged during the call', async () => {
    await begin();
    await uploaded(world);
    const call = holdAt('claude.createMessage');
    const paying = world.work({ only: ['summarize'], gate: call.gate });
    await call.reached;
    world.deliver(world.drop('a.txt', first));
    await world.work({ only: ['intake'] });
    await world.work({ only: ['upload'] });
    // The newer version waits for what the past one is paying for.
    await world.work({ only: ['summarize'] });
    expect(await status('a.txt')).toBe('uploaded');
    call.open();
    await paying;
    await world.drain();

    const record = await world.record('a.txt');
    expect(record).toMatchObject({ status: 'ready', usage: { calls: 0, costUsd: 0 } });
    expect(paid()).toBe(1);
    const version = await pastVersion('a.txt');
    expect(version).toMatchObject({ status: 'ready', usage: { calls: 1 } });
    expect(version?.usage?.costUsd).toBeGreaterThan(0);
    expect(version).not.toHaveProperty('lease');
  });

  test('also wherever the worker dies that pays for the version which was dropped again', async () => {
    const droppedAgain = async (kill?: KillPoint) => {
      await uploaded(world);
      const call = holdAt('claude.createMessage');
      const paying = world.work({ only: ['summarize'], gate: call.gate, kill });
      // Killed before the call it never gets there.
      await Promise.race([call.reached, paying]);
      world.deliver(world.drop('a.txt', first));
      await world.work({ only: ['intake'] });
      call.open();
      return paying;
    };
    await begin();
    const calls = (await droppedAgain())?.calls ?? [];
    await world.close();
    expect(calls.filter((call) => call === 'table.update').length).toBeGreaterThan(2);

    for (const point of pointsOf(calls)) {
      await begin();
      await droppedAgain(point);
      await world.drain();
      await settleDown(world);
      const where = `killed ${point.when} call ${point.call} (${calls[point.call]})`;
      await checkInvariants(world, { 'a.txt': 'Sales rose' }, 1).catch((cause: unknown) => {
        throw new Error(where, { cause });
      });
      await world.close();
    }
    await begin();
  });

  test.each([
    ['is refused', { kind: 'refusal' } as const, 'failed', 'summarize.refused'],
    ['fails', { kind: 'error', status: 400 } as const, 'failed', 'summarize.invalid_request'],
    ['is lost', { kind: 'error', status: 500 } as const, 'uploaded', undefined],
  ])(
    'also where the call %s for a version that was dropped again meanwhile',
    async (_, fault, ended, code) => {
      await begin();
      await uploaded(world);
      world.emulator.addFault({ ...fault, operation: 'messages.create', count: 1 });
      const call = holdAt('claude.createMessage');
      const paying = world.work({ only: ['summarize'], gate: call.gate });
      await call.reached;
      world.deliver(world.drop('a.txt', first));
      await world.work({ only: ['intake'] });
      call.open();
      await paying;
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

  test('although the worker dies once its refusal was written down', async () => {
    const refusal = { kind: 'refusal', operation: 'messages.create', count: 'all' } as const;
    const refused = async (w: World) => {
      w.emulator.addFault(refusal);
      await uploaded(w);
    };
    const calls = await callsOf('summarize', refused);
    const written = calls.indexOf('table.update', calls.indexOf('claude.createMessage'));
    await begin();
    await refused(world);
    await world.work({ only: ['summarize'], kill: { call: written, when: 'after' } });
    expect((await world.record('a.txt'))?.usage?.outputTokens).toBeGreaterThan(0);

    world.advance(hour);
    await world.drain();

    expect(await world.record('a.txt')).toMatchObject({
      status: 'failed',
      error: { code: 'summarize.refused' },
      attempts: { summarize: 1 },
    });
    expect(paid()).toBe(1);
  });

  test('although the reconciler lists the bucket before it is overwritten and reads the record after', async () => {
    await begin();
    world.deliver(world.drop('a.txt', first));
    await world.drain();
    world.advance(7 * hour);
    const list = world.buckets.list.bind(world.buckets);
    const call = holdAt('claude.createMessage');
    let paying: Promise<unknown> | undefined;
    world.buckets.list = async (bucket, options) => {
      const page = await list(bucket, options);
      if (bucket !== inbox || paying) return page;
      world.deliver(world.drop('a.txt', second));
      await world.work({ only: ['intake'] });
      await world.work({ only: ['upload'] });
      paying = world.work({ only: ['summarize'], gate: call.gate });
      await call.reached;
      return page;
    };

    const { report } = await world.reconcile();
    while (await world.work({ only: ['intake'] }));
    call.open();
    await paying;
    await world.drain();

    expect(report?.counts).toEqual({});
    expect(await status('a.txt')).toBe('ready');
    expect(paid()).toBe(2);
  });

  test('and never at all where it is not to be summarised, although its uploader dies', async () => {
    const options = { containerUploads: ['data/'] };
    const dropped = async (w: World) => {
      w.deliver(w.drop('data/x.bin', binary));
      await w.work({ only: ['intake'] });
    };
    const calls = await callsOf('upload', dropped, options);
    await begin(options);
    await dropped(world);
    // The last write says that it is ready.
    const ready = calls.lastIndexOf('table.update');
    await world.work({ only: ['upload'], kill: { call: ready, when: 'before' } });
    expect(await status('data/x.bin')).toBe('uploaded');

    world.advance(hour);
    await world.drain();

    expect(await status('data/x.bin')).toBe('ready');
    expect(world.emulator.journal({ operation: 'messages.create' })).toEqual([]);
  });
});

describe('a content is uploaded once', () => {
  test('although a second delivery of the past version comes before the file is dropped again', async () => {
    await begin();
    world.deliver(world.drop('a.txt', first));
    await world.work({ only: ['intake'] });
    const body = world.queues.upload.messages[0]?.body ?? '';
    await world.drain();
    world.deliver(world.drop('a.txt', first));
    await world.work({ only: ['intake'] });
    world.queues.upload.messages.unshift({ id: 'late', body, visibleAt: 0, receives: 0 });
    await world.drain();

    expect(await status('a.txt')).toBe('ready');
    expect(world.calls('files.upload')).toHaveLength(1);
  });

  test('although the file is dropped again unchanged during the upload', async () => {
    await begin();
    world.deliver(world.drop('a.txt', first));
    await world.work({ only: ['intake'] });
    const call = holdAt('claude.uploadFile');
    const uploading = world.work({ only: ['upload'], gate: call.gate });
    await call.reached;
    world.deliver(world.drop('a.txt', first));
    await world.work({ only: ['intake'] });
    call.open();
    await uploading;
    await world.drain();

    expect(await status('a.txt')).toBe('ready');
    expect(world.calls('files.upload')).toHaveLength(1);
  });

  test('although a dead letter of the past version is found before the file dropped again is uploaded', async () => {
    await begin();
    world.deliver(world.drop('a.txt', first));
    await world.work({ only: ['intake'] });
    const body = world.queues.upload.messages[0]?.body ?? '';
    await world.drain();
    world.deliver(world.drop('a.txt', first));
    await world.work({ only: ['intake'] });
    world.queues.upload.deadLetters.push({ id: 'twin', body, visibleAt: 0, receives: 6 });
    await world.reconcile();
    await world.drain();

    expect(await status('a.txt')).toBe('ready');
    expect(world.calls('files.upload')).toHaveLength(1);
  });
});

test('a file that a dead deleter deleted is not given to a newcomer', async () => {
  const options = { containerUploads: ['data/'] };
  const removed = async (w: World) => {
    w.deliver(w.drop('data/a.bin', binary));
    await w.drain();
    w.deliver(w.remove('data/a.bin'));
    await w.work({ only: ['intake'] });
  };
  const deletion = (await callsOf('upload', removed, options)).indexOf('claude.deleteFile');
  await begin(options);
  await removed(world);
  await world.work({ only: ['upload'], kill: { call: deletion, when: 'after' } });
  expect(fileIds()).toEqual([]);
  world.advance(hour);
  // The next deleter has taken the content and looks for references once more; a newcomer joins in between.
  const look = holdAt('table.query', 1);
  const deleting = world.work({ only: ['upload'], gate: look.gate });
  await look.reached;
  world.deliver(world.drop('data/b.bin', binary));
  await world.work({ only: ['intake'] });
  const joined = holdAt('table.get', 1);
  const joining = world.work({ only: ['upload'], gate: joined.gate });
  await joined.reached;
  look.open();
  await deleting;
  joined.open();
  await joining;
  await world.drain();

  expect(await status('data/b.bin')).toBe('ready');
  expect(fileIds()).toEqual([(await world.record('data/b.bin'))?.fileId]);
});

test('an older event changes nothing of a newer version that was given up', async () => {
  await begin();
  const old = world.drop('a.txt', first);
  world.deliver(world.drop('a.txt', second));
  await world.work({ only: ['intake'], kill: { call: 1, when: 'before' } });
  world.advance(hour);
  while (world.queues.intake.messages.length > 0) {
    await world.work({ only: ['intake'], kill: { call: 0, when: 'before' } });
    world.advance(hour);
  }
  await world.reconcile();
  const before = await world.record('a.txt');
  expect(before?.error?.code).toBe('normalize.dead_letter');

  world.deliver(old);
  await world.drain();

  expect(await world.record('a.txt')).toEqual(before);
});

test('the sweep leaves alone the parts that a version under way is about to announce again', async () => {
  await begin();
  const part = partOf('a.eml', 'valves.txt');
  world.deliver(world.drop('a.eml', mail));
  await world.drain();
  const before = await world.record(part);
  world.advance(7 * hour);
  world.deliver(world.drop('a.eml', mail));
  // Its worker dies once the record is written.
  const receive = 3;
  await world.work({ only: ['intake'], kill: { call: receive, when: 'after' } });
  expect(await status('a.eml')).toBe('received');

  await world.reconcile();
  while (await world.work());
  expect(await status(part)).toBe('ready');
  await world.drain();

  expect(await world.record(part)).toMatchObject({ status: 'ready', fileId: before?.fileId });
});

test('a dead letter of the normalize step is no reason to give up what is being printed', async () => {
  await begin();
  const event = world.drop('a.txt', first);
  world.deliver(event);
  await world.work({ only: ['intake'], kill: { call: 1, when: 'before' } });
  const document = await world.record('a.txt');
  if (!document) throw new Error('no record');
  await world.documents.move(document, 'received', { rendering: true });
  world.queues.intake.messages.splice(0);
  world.queues.intake.deadLetters.push({ id: 'twin', body: event.body, visibleAt: 0, receives: 6 });

  const { report } = await world.reconcile();

  expect(report?.counts).toEqual({});
  expect(await status('a.txt')).toBe('received');
});
