import { afterEach, describe, expect, test } from 'vitest';
import { mailWith } from '../world/mail.ts';
import { settleDown } from '../world/settle-down.ts';
import type { World } from '../world/world.ts';
import {
  begin,
  binary,
  callsOf,
  drop,
  fileIds,
  first,
  hour,
  normalizeOne,
  overwritten,
  paidCalls,
  pausedBefore,
  remove,
  second,
  sendCallOfUpload,
  status,
  summarizeOne,
  uploadOne,
  waitsForUpload,
  workVisible,
  world,
} from './support.ts';

/*
 * Workers that are slow, doubled or killed while others carry on, and what they could leave behind. A review of
 * the protocol found each case, and each failed before its rule was written.
 */

afterEach(() => world.close());

const mail = mailWith('valves');
const container = { containerUploads: ['data/'] };

/** Nothing but the file of `a.txt` is left at Claude. */
async function expectOneFile(): Promise<void> {
  expect(fileIds()).toEqual([(await world.record('a.txt'))?.fileId]);
}

/** A worker that waits before it stages the part of a mail. */
async function pausedBeforeStaging() {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const put = world.buckets.putFile.bind(world.buckets);
  world.buckets.putFile = async (target, file) => {
    reached.resolve();
    await opened.promise;
    return put(target, file);
  };
  const working = normalizeOne();
  await reached.promise;
  return {
    resume: () => {
      opened.resolve();
      return working;
    },
  };
}

describe('no reference, file or part is left behind', () => {
  test('by an attempt that added its reference after the removal of its document, and failed', async () => {
    await begin();
    await waitsForUpload();

    // The document is removed while its upload is about to add a reference to the content.
    const uploading = await pausedBefore('table.put', (gate) => uploadOne({ gate }));
    remove('a.txt');
    await workVisible();
    // Then the upload fails for good.
    world.emulator.addFault({ kind: 'error', status: 413, operation: 'files.upload' });
    await uploading.resume();
    await world.drain();
    // Another document with the same content comes and goes.
    drop('b.txt', first);
    await world.drain();
    remove('b.txt');
    await world.drain();
    await settleDown(world, 3);

    expect([await status('a.txt'), await status('b.txt')]).toEqual(['removed', 'removed']);
    expect(fileIds()).toEqual([]);
  });

  test('by an upload that died before it released the past, when a stopped lane then held the document', async () => {
    const sent = await sendCallOfUpload();
    await begin();
    await overwritten(world);

    // The upload dies after sending its message on; the summary finds the key refused.
    await uploadOne({ kill: { call: sent, when: 'after' } });
    world.emulator.addFault({ kind: 'error', status: 401, operation: 'messages.create' });
    await summarizeOne();
    expect(await status('a.txt')).toBe('held');
    // The message of the dead upload comes back.
    world.advance(hour);
    await workVisible();
    await settleDown(world, 3);

    expect(await status('a.txt')).toBe('ready');
    await expectOneFile();
  });

  test.each([
    ['summarised', undefined],
    ['refused', { kind: 'refusal', operation: 'messages.create' } as const],
  ])(
    'by a worker that died before it released the past, once the document was %s',
    async (_, fault) => {
      const sent = await sendCallOfUpload();
      /** The upload died before it released the past, and its message is lost. */
      const pastNotReleased = async (w: World) => {
        await overwritten(w);
        await uploadOne({ kill: { call: sent, when: 'after' } }, w);
        w.queues.upload.messages.splice(0);
        if (fault) w.emulator.addFault({ ...fault, count: 1 });
      };
      const calls = await callsOf('summarize', pastNotReleased);
      const releasesPast = calls.indexOf('queues.send');
      await begin();
      await pastNotReleased(world);

      // The summarizing worker dies before it releases the past as well.
      await summarizeOne({ kill: { call: releasesPast, when: 'before' } });
      expect(await status('a.txt')).toBe(fault ? 'failed' : 'ready');
      expect(fileIds()).toHaveLength(2);
      // Its message comes back.
      world.advance(hour);
      await world.drain();

      await expectOneFile();
      expect(paidCalls()).toBe(2);
    },
  );

  test('by an upload whose last delivery died before it released the past', async () => {
    const sent = await sendCallOfUpload();
    await begin();
    await overwritten(world);

    for (let delivery = 1; delivery < 5; delivery += 1) {
      await uploadOne({ kill: { call: 0, when: 'before' } });
      world.advance(hour);
    }
    await uploadOne({ kill: { call: sent, when: 'after' } });
    world.advance(hour);
    await world.drain();
    await settleDown(world, 3);

    expect(await status('a.txt')).toBe('ready');
    await expectOneFile();
  });

  test('by a worker that is still staging the parts of a mail when it is removed', async () => {
    await begin();
    drop('a.eml', mail);

    const staging = await pausedBeforeStaging();
    remove('a.eml');
    await workVisible();
    await staging.resume();
    await world.drain();
    await settleDown(world, 3);

    expect(await status('a.eml')).toBe('removed');
    expect(await status('a.eml!/valves.txt')).toBe('removed');
    expect(fileIds()).toEqual([]);
  });
});

test('a new document is not given a file that a dead worker had deleted', async () => {
  const removed = async (w: World) => {
    drop('data/a.bin', binary, w);
    await w.drain();
    remove('data/a.bin', w);
    await normalizeOne({}, w);
  };
  const deletion = (await callsOf('upload', removed, container)).indexOf('claude.deleteFile');
  await begin(container);
  await removed(world);

  // The first deleter dies right after the deletion.
  await uploadOne({ kill: { call: deletion, when: 'after' } });
  expect(fileIds()).toEqual([]);
  world.advance(hour);
  // The next one has claimed the content, and is about to look for references once more.
  const deleting = await pausedBefore('table.query', (gate) => uploadOne({ gate }), 1);
  // A new document adds its reference, and is about to read the content.
  drop('data/b.bin', binary);
  await normalizeOne();
  const joining = await pausedBefore('table.get', (gate) => uploadOne({ gate }), 1);
  await deleting.resume();
  await joining.resume();
  await world.drain();

  expect(await status('data/b.bin')).toBe('ready');
  expect(fileIds()).toEqual([(await world.record('data/b.bin'))?.fileId]);
});

test('an older event does not change a newer version that failed with a dead letter', async () => {
  await begin();
  const old = world.drop('a.txt', first);
  drop('a.txt', second);

  // Every delivery of the newer version kills its worker; the first one leaves a record.
  await normalizeOne({ kill: { call: 1, when: 'before' } });
  world.advance(hour);
  while (world.queues.intake.messages.length > 0) {
    await normalizeOne({ kill: { call: 0, when: 'before' } });
    world.advance(hour);
  }
  await world.reconcile();
  const before = await world.record('a.txt');
  expect(before?.error?.code).toBe('normalize.dead_letter');
  world.deliver(old);
  await world.drain();

  expect(await world.record('a.txt')).toEqual(before);
});

test('the sweep keeps the parts that a version in progress is about to announce again', async () => {
  await begin();
  const part = 'a.eml!/valves.txt';
  drop('a.eml', mail);
  await world.drain();
  const before = await world.record(part);
  world.advance(7 * hour);

  // The mail is dropped again; its worker dies once the record is written.
  drop('a.eml', mail);
  const receive = 3;
  await normalizeOne({ kill: { call: receive, when: 'after' } });
  expect(await status('a.eml')).toBe('received');
  await world.reconcile();
  await workVisible();
  expect(await status(part)).toBe('ready');
  await world.drain();

  expect(await world.record(part)).toMatchObject({ status: 'ready', fileId: before?.fileId });
});
