import { afterEach, describe, expect, test } from 'vitest';
import { changesOf } from '../../shared/aws/events.ts';
import { stuckMs } from '../../shared/journey/steps.ts';
import { checkInvariants } from '../world/invariants.ts';
import {
  begin,
  drop,
  everything,
  fileIds,
  hour,
  normalizeOne,
  present,
  settled,
  text,
  uploadOne,
  world,
} from './support.ts';

afterEach(() => world.close());

describe('stuck documents', () => {
  test.each([
    ['received', 'intake', 'intake'],
    ['normalized', 'upload', 'upload'],
    ['uploaded', 'summarize', 'summarize'],
  ] as const)('that are %s go back into their queue', async (status, lost, queue) => {
    await begin();
    drop('a.txt', text('a'));
    if (status === 'received') await world.work({ kill: { call: 1, when: 'before' } });
    else await normalizeOne();
    if (status === 'uploaded') await uploadOne();
    world.queues[lost].messages.splice(0);
    expect((await present('a.txt')).status).toBe(status);

    world.advance(stuckMs - 1);
    expect((await world.reconcile()).report?.counts).toEqual({});
    world.advance(1);
    expect((await world.reconcile()).report?.counts).toEqual({ resent: 1 });
    expect(world.queues[queue].messages).toHaveLength(1);
    // It is not sent again while it waits.
    expect((await world.reconcile()).report?.counts).toEqual({});

    await world.drain();
    expect((await present('a.txt')).status).toBe('ready');
  });

  test('are left alone while their queue is far behind, because they most likely wait in it', async () => {
    await begin();
    world.deliver(world.drop('a.txt', text('a')), world.drop('b.txt', text('b')));
    await normalizeOne();
    const message = world.queues.upload.messages.splice(0)[0]?.body ?? '';
    for (let n = 0; n < 1_001; n += 1) world.queues.upload.send(message, world.now());
    world.queues.intake.messages.splice(0);
    await world.documents.receive(changesOf(world.events[1]?.body ?? '')[0] as never, 'default');
    world.advance(2 * hour);

    const { report } = await world.reconcile();

    const [a, b] = [await present('a.txt'), await present('b.txt')];
    expect(report?.ids).toMatchObject({ inBacklog: [a.documentId], resent: [b.documentId] });
    expect(world.queues.upload.messages).toHaveLength(1_001);

    world.queues.upload.messages.splice(1_000);
    expect((await world.reconcile()).report?.ids).toMatchObject({ resent: [a.documentId] });
  });

  test('are never those that have ended', async () => {
    await begin();
    await settled('a');
    drop('empty.txt', '');
    await world.drain();
    world.advance(100 * hour);

    expect((await world.reconcile()).report?.counts).toEqual({});
  });
});

describe('documents that failed', () => {
  /** Two that the API refused in an upload and failed in a summary, and one that is itself at fault. */
  async function failures(): Promise<void> {
    await begin();
    const error = { kind: 'error', count: 'all' } as const;
    const refused = { ...error, status: 400, operation: 'files.upload' } as const;
    world.emulator.addFault({ ...refused, filename: 'a*' });
    world.emulator.addFault({ ...error, status: 500, operation: 'messages.create' });
    await settled('a', 'b');
    drop('empty.txt', '');
    await world.drain();
    world.emulator.clearFaults();
    expect(await statuses()).toEqual(['failed', 'failed', 'failed']);
  }
  const codes = ['claude.server_error', 'upload.invalid_request'];
  const statuses = () =>
    Promise.all(['a.txt', 'b.txt', 'empty.txt'].map(async (key) => (await present(key)).status));

  test('are retried by their error code, with their attempt counts reset', async () => {
    await failures();
    const attempts = { normalize: 1, upload: 1 };
    expect(await present('a.txt')).toMatchObject({ attempts });

    const { report } = await world.reconcile({ retry: codes });
    await world.drain();

    expect(report?.counts).toEqual({ retried: 2 });
    expect(await statuses()).toEqual(['ready', 'ready', 'failed']);
    const a = await present('a.txt');
    expect(a).toMatchObject({ attempts: { normalize: 1, upload: 1, summarize: 1 } });
    expect(a.error).toBeUndefined();
    // The five failed calls may have been paid, so the record counts them.
    expect((await present('b.txt')).usage?.calls).toBe(6);
    expect(fileIds()).toHaveLength(2);
    await checkInvariants(world, { 'a.txt': 'a alone', 'b.txt': 'b alone' }, 0);
  });

  test('may fail again, after the same number of attempts', async () => {
    await failures();
    world.emulator.addFault({
      kind: 'error',
      status: 500,
      operation: 'messages.create',
      count: 'all',
    });

    await world.reconcile({ retry: codes });
    await world.drain();

    expect(await present('b.txt')).toMatchObject({ status: 'failed', attempts: { summarize: 5 } });
  });

  test('are retried in the normalize step, too', async () => {
    await failures();

    const { report } = await world.reconcile({ retry: ['normalize.empty'] });
    expect(await statuses()).toEqual(['failed', 'failed', 'received']);
    await world.drain();

    expect(report?.ids.retried).toEqual([(await present('empty.txt')).documentId]);
    expect(await present('empty.txt')).toMatchObject({
      status: 'failed',
      attempts: { normalize: 1 },
    });
  });

  test('stay as they are in a dry run, which reports what would be retried', async () => {
    await failures();
    const before = structuredClone(await everything());

    const { report } = await world.reconcile({ retry: codes, dryRun: true });

    expect(report?.counts).toEqual({ retried: 2 });
    expect(await everything()).toEqual(before);
  });

  test('stay as they are when no code is given', async () => {
    await failures();

    const { report } = await world.reconcile();

    expect(report?.counts).toEqual({});
    expect(await statuses()).toEqual(['failed', 'failed', 'failed']);
  });
});

test('an item that cannot be read is reported, and other documents are still resent', async () => {
  await begin();
  world.deliver(world.drop('broken.txt', text('broken')), world.drop('good.txt', text('good')));
  while (await normalizeOne());
  const broken = await present('broken.txt');
  await world.table.update({ pk: broken.pk, sk: broken.sk }, { remove: ['contentSha256'] });
  world.queues.upload.messages.splice(0);
  world.advance(2 * hour);

  const { report } = await world.reconcile();
  await world.drain();

  expect(report?.ids).toMatchObject({ unreadable: [broken.documentId] });
  expect((await present('good.txt')).status).toBe('ready');
  drop('broken.txt', text('mended'));
  await world.drain();
  expect((await present('broken.txt')).status).toBe('ready');
});
