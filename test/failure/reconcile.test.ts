import { strToU8, zipSync } from 'fflate';
import { afterEach, describe, expect, test } from 'vitest';
import { changesOf } from '../../shared/aws/events.ts';
import { deploymentTag } from '../../shared/claude/filename.ts';
import type { ReconcileTools } from '../../shared/reconcile/duty.ts';
import { sweepOrphans } from '../../shared/reconcile/orphans.ts';
import { sha256Of } from '../world/digest.ts';
import { checkInvariants } from '../world/invariants.ts';
import { mailWith } from '../world/mail.ts';
import { type MemoryLedger, memoryLedger } from '../world/memory-dynamodb.ts';
import { deployment, inbox, results, staging, World, type WorldOptions } from '../world/world.ts';

let world: World;
afterEach(() => world.close());

let ledger: MemoryLedger;
const begin = async (options?: WorldOptions) => {
  ledger = memoryLedger();
  world = await World.create(ledger, options);
};
const hour = 3_600_000;
const text = (name: string) =>
  `The text of ${name}. It speaks of ${name} alone. And of nothing else.`;
const present = async (key: string) => {
  const record = await world.record(key);
  if (!record) throw new Error(`no record of ${key}`);
  return record;
};
const sequencerOf = ({ body }: { body: string }): string =>
  JSON.parse(body).Records[0].s3.object.sequencer;
const fileIds = () => world.emulator.files().map((file) => file.id);

/** Drops files and waits until all have ended. */
async function settled(...names: string[]): Promise<void> {
  world.deliver(...names.map((name) => world.drop(`${name}.txt`, text(name))));
  await world.drain();
}

const dialects = [{ dialect: 'ga' }, { dialect: 'beta' }] as const;

describe.each(dialects)('in the $dialect dialect', ({ dialect }) => {
  test('nothing is done where nothing is wrong', async () => {
    await begin({ emulator: { dialect } });
    await settled('a', 'b');

    const { report } = await world.reconcile();

    expect(report).toMatchObject({ counts: {}, ids: {}, unfinished: false, dryRun: false });
    expect(report).toMatchObject({ remoteFiles: 2 });
    const bytes = Buffer.byteLength(text('a')) + Buffer.byteLength(text('b'));
    expect(report?.storageBytes).toBe(bytes);
  });

  test('a file that is gone is uploaded again and all its documents told', async () => {
    await begin({ emulator: { dialect } });
    world.deliver(world.drop('a.txt', text('one')), world.drop('b.txt', text('one')));
    await world.drain();
    const { fileId = '' } = await present('a.txt');
    await world.emulator.vanishFile(fileId);

    const { report } = await world.reconcile();

    expect(report?.counts).toEqual({ gone: 1 });
    const [a, b] = [await present('a.txt'), await present('b.txt')];
    expect(a.fileId).not.toBe(fileId);
    expect(b.fileId).toBe(a.fileId);
    expect(fileIds()).toEqual([a.fileId]);
    expect(a.status).toBe('ready');
    expect(world.calls('messages.create')).toHaveLength(2);
  });

  test('an orphan of ours is deleted after its grace, one of others never', async () => {
    await begin({ emulator: { dialect } });
    await settled('a');
    const mine = { filename: `stray.${'0'.repeat(16)}-${deployment}.txt`, content: 'stray' };
    const orphan = await world.emulator.addFile({ ...mine, mimeType: 'text/plain' });
    const foreign = await world.emulator.addFile({ filename: 'theirs.txt', content: 'theirs' });
    // Of another deployment of Dropline in the same workspace.
    const sister = await world.emulator.addFile({
      filename: `stray.${'0'.repeat(16)}-${deploymentTag('another-inbox')}.txt`,
      content: 'stray',
    });

    world.advance(6 * hour - 1);
    const early = await world.reconcile();
    world.advance(6 * hour);
    const late = await world.reconcile();

    expect(early.report?.counts).toEqual({});
    expect(late.report?.counts).toEqual({ orphansDeleted: 1 });
    expect(late.report?.ids.orphansDeleted).toEqual([orphan.id]);
    expect(fileIds()).toContain(foreign.id);
    expect(fileIds()).toContain(sister.id);
    expect(fileIds()).not.toContain(orphan.id);
    expect(late.report?.remoteFiles).toBe(1);
    expect(world.emulator.journal({ fileId: foreign.id, operation: 'files.delete' })).toEqual([]);
  });
});

describe('expiry', () => {
  /** Lets the remote file of a document expire at a time. */
  async function expiring(key: string, inMs: number): Promise<string> {
    const { contentSha256 = '', fileId = '' } = await present(key);
    const old = world.emulator.files().find(({ id }) => id === fileId);
    const again = await world.uploadByHand({
      filename: old?.filename ?? '',
      content: text('a'),
      expiresInSeconds: inMs / 1000,
    });
    await world.emulator.vanishFile(fileId);
    const owner = 'by-hand';
    const seen = await world.contents.get(contentSha256);
    if (!seen) throw new Error('no content');
    const { sizeBytes, filename, mimeType } = seen;
    const facts = { contentSha256, sizeBytes, filename, mimeType };
    await world.contents.claim(facts, seen, owner, 1_000);
    const expiresAt = new Date(world.now() + inMs).toISOString();
    await world.contents.setLive(contentSha256, owner, { fileId: again, expiresAt });
    await world.documents.refile(await present(key), fileId, { fileId: again, expiresAt });
    return again;
  }

  test('that is near lets the file be uploaded again ahead of time', async () => {
    await begin();
    await settled('a');
    const old = await expiring('a.txt', 71 * hour);

    const { report } = await world.reconcile();

    expect(report?.counts).toEqual({ expiring: 1 });
    const record = await present('a.txt');
    expect(record.fileId).not.toBe(old);
    expect(record.fileExpiresAt).toBeUndefined();
    expect(record.status).toBe('ready');
    // The old one goes when it is old enough to be an orphan.
    world.advance(7 * hour);
    await world.reconcile();
    expect(fileIds()).toEqual([record.fileId]);
  });

  test('that is far leaves the file alone', async () => {
    await begin();
    await settled('a');
    await expiring('a.txt', 73 * hour);

    expect((await world.reconcile()).report?.counts).toEqual({});
  });

  test('that is far does not hide that the file is gone', async () => {
    await begin();
    await settled('a');
    const old = await expiring('a.txt', 2_000 * hour);
    await world.emulator.vanishFile(old);

    const { report } = await world.reconcile();

    expect(report?.counts).toEqual({ gone: 1 });
    expect(fileIds()).toEqual([(await present('a.txt')).fileId]);
  });

  test('that is near lets the next document that joins upload the content again', async () => {
    await begin();
    await settled('a');
    const old = await expiring('a.txt', 23 * hour);

    world.deliver(world.drop('b.txt', text('a')));
    await world.drain();

    expect((await present('b.txt')).fileId).not.toBe(old);
    await world.reconcile();
    expect((await present('a.txt')).fileId).toBe((await present('b.txt')).fileId);
  });
});

test('a document that failed on its file gets another all the same', async () => {
  await begin();
  world.emulator.addFault({ kind: 'refusal', operation: 'messages.create' });
  await settled('a');
  const before = await present('a.txt');
  await world.emulator.vanishFile(before.fileId ?? '');

  const { report } = await world.reconcile();

  expect(report?.counts).toEqual({ gone: 1 });
  const after = await present('a.txt');
  expect(after.status).toBe('failed');
  expect(fileIds()).toEqual([after.fileId]);
});

test('one content that cannot be mended does not keep the others from it', async () => {
  await begin({ versioned: false });
  const names = ['a', 'b', 'c', 'd'];
  await settled(...names);
  for (const name of names)
    await world.emulator.vanishFile((await present(`${name}.txt`)).fileId ?? '');
  // The bytes of two are gone, and no event told of it.
  world.buckets.remove('inbox', 'a.txt');
  world.buckets.remove('inbox', 'c.txt');

  const { report } = await world.reconcile();

  expect(report?.counts.gone).toBe(4);
  expect(report?.ids.unrepaired?.join()).toContain('upload.source_lost');
  expect(report?.ids.errors).toBeUndefined();
  expect(fileIds()).toHaveLength(2);
});

test('a content whose bytes one document lost is uploaded from another', async () => {
  await begin({ versioned: false });
  world.deliver(world.drop('a.txt', text('one')), world.drop('b.txt', text('one')));
  await world.drain();
  await world.emulator.vanishFile((await present('a.txt')).fileId ?? '');
  const [first = ''] = (await world.contents.references(sha256Of(text('one')))).references.map(
    ({ documentId }) => documentId,
  );
  world.buckets.remove('inbox', (await present('a.txt')).documentId === first ? 'a.txt' : 'b.txt');

  const { report } = await world.reconcile();

  expect(report?.counts).toEqual({ gone: 1 });
  expect(fileIds()).toEqual([(await present('a.txt')).fileId]);
  expect(fileIds()).toEqual([(await present('b.txt')).fileId]);
});

test('a file that a list does not show, but that is there, is left alone', async () => {
  await begin({ emulator: { dialect: 'beta' } });
  await settled('a', 'b');
  const { fileId = '' } = await present('a.txt');
  const { life } = await world.reconcile();
  const calls = life.calls.filter((call) => call === 'claude.getFile').length;
  world.hideFromLists(fileId);
  world.advance(7 * hour);

  const { report, life: again } = await world.reconcile();

  expect(report?.counts).toEqual({});
  expect(calls).toBe(0);
  expect(again.calls).toContain('claude.getFile');
  expect((await present('a.txt')).fileId).toBe(fileId);
});

describe('a content that nobody refers to', () => {
  test('is released', async () => {
    await begin();
    await settled('a');
    const { contentSha256 = '', documentId, order } = await present('a.txt');
    await world.contents.leave(contentSha256, documentId, order);

    const { report } = await world.reconcile();

    expect(report?.counts).toEqual({ released: 1 });
    expect(fileIds()).toEqual([]);
  });

  test('is kept where that is asked for', async () => {
    await begin({ keepRemoteFiles: true });
    await settled('a');
    world.deliver(world.remove('a.txt'));
    await world.drain();
    world.advance(7 * hour);

    const { report } = await world.reconcile();

    expect(report?.counts).toEqual({});
    expect(fileIds()).toHaveLength(1);
  });
});

describe('documents that stopped', () => {
  test.each([
    ['received', 'intake', 'intake'],
    ['normalized', 'upload', 'upload'],
    ['uploaded', 'summarize', 'summarize'],
  ] as const)('when they are %s go back into their queue', async (status, lost, queue) => {
    await begin();
    world.deliver(world.drop('a.txt', text('a')));
    if (status === 'received') await world.work({ kill: { call: 1, when: 'before' } });
    else await world.work({ only: ['intake'] });
    if (status === 'uploaded') await world.work({ only: ['upload'] });
    world.queues[lost].messages.splice(0);
    expect((await present('a.txt')).status).toBe(status);

    world.advance(2 * hour - 1);
    expect((await world.reconcile()).report?.counts).toEqual({});
    world.advance(1);
    expect((await world.reconcile()).report?.counts).toEqual({ resent: 1 });
    expect(world.queues[queue].messages).toHaveLength(1);
    // It is not sent once more while it waits.
    expect((await world.reconcile()).report?.counts).toEqual({});

    await world.drain();
    expect((await present('a.txt')).status).toBe('ready');
  });

  test('are left alone while their queue is far behind, for they most likely wait in it', async () => {
    await begin();
    world.deliver(world.drop('a.txt', text('a')), world.drop('b.txt', text('b')));
    await world.work({ only: ['intake'] });
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

  test('are not taken for stuck once they have ended', async () => {
    await begin();
    await settled('a');
    world.deliver(world.drop('empty.txt', ''));
    await world.drain();
    world.advance(100 * hour);

    expect((await world.reconcile()).report?.counts).toEqual({});
  });
});

describe('objects of which no event came', () => {
  test('are announced, and any event of them still wins', async () => {
    await begin();
    world.drop('a.txt', text('a'));

    const { report } = await world.reconcile();
    await world.drain();

    expect(report?.counts).toEqual({ announced: 1 });
    expect(report?.ids.announced).toEqual(['a.txt']);
    expect(await present('a.txt')).toMatchObject({ status: 'ready', sequencer: '0' });

    world.deliver(world.drop('a.txt', text('new')));
    await world.drain();
    expect((await present('a.txt')).summary?.text).toContain('new');
  });

  test('are announced a page after the other', async () => {
    await begin();
    world.buckets.pageSize = 2;
    for (const name of ['a', 'b', 'c', 'd', 'e']) world.drop(`${name}.txt`, text(name));

    const { report } = await world.reconcile();

    expect(report?.counts).toEqual({ announced: 5 });
  });

  test('are announced too where the record tells of older bytes, once their event is certainly not on its way', async () => {
    await begin();
    await settled('a', 'b');
    world.drop('a.txt', text('new'));
    world.advance(hour - 1);
    expect((await world.reconcile()).report?.counts).toEqual({});

    world.advance(1);
    const { report } = await world.reconcile({ sweep: true });
    await world.drain();

    expect(report).toMatchObject({ counts: { announced: 1 }, ids: { announced: ['a.txt'] } });
    await checkInvariants(world, { 'a.txt': 'new alone', 'b.txt': 'b alone' }, 0);
    // It knows it now.
    expect((await world.reconcile({ sweep: true })).report?.counts).toEqual({});
  });

  test('are announced too where the record tells of a removal', async () => {
    await begin();
    await settled('a');
    world.deliver(world.remove('a.txt'));
    await world.drain();
    world.drop('a.txt', text('again'));
    world.advance(hour);

    await world.reconcile();
    await world.drain();

    await checkInvariants(world, { 'a.txt': 'again alone' }, 0);
  });

  test('cost nothing once more when their event comes after all', async () => {
    await begin();
    await settled('a');
    const late = world.drop('a.txt', text('new'));
    world.advance(hour);
    await world.reconcile();
    await world.drain();

    world.deliver(late);
    await world.drain();

    expect((await present('a.txt')).sequencer).toBe(sequencerOf(late));
    expect(world.calls('messages.create')).toHaveLength(2);
    expect(world.calls('files.upload')).toHaveLength(2);
    await checkInvariants(world, { 'a.txt': 'new alone' }, 0);
  });

  test('leave a newer event that comes late the winner', async () => {
    await begin();
    await settled('a');
    world.drop('a.txt', text('lost'));
    const newest = world.drop('a.txt', text('newest'));
    world.advance(hour);
    world.deliver(newest);
    await world.reconcile();
    await world.drain();

    await checkInvariants(world, { 'a.txt': 'newest alone' }, 0);
  });

  test('are left alone when they are gone by then', async () => {
    await begin();
    world.drop('a.txt', text('a'));
    const { head } = world.buckets;
    world.buckets.head = async () => undefined;

    await world.reconcile();
    world.buckets.head = head;

    expect(world.queues.intake.messages).toEqual([]);
  });
});

/** A world in which every duty has something to do. */
async function disorder(): Promise<void> {
  await begin();
  await settled('gone', 'left');
  await world.emulator.vanishFile((await present('gone.txt')).fileId ?? '');
  world.drop('missed.txt', text('missed'));
  world.deliver(world.drop('stuck.txt', text('stuck')));
  await world.work();
  world.queues.upload.messages.splice(0);
  await world.emulator.addFile({
    filename: `stray.${'0'.repeat(16)}-${deployment}.txt`,
    content: 'a stray',
    mimeType: 'text/plain',
  });
  world.advance(7 * hour);
}

/** Everything that a run may change, but for its report and the pace, to which a dry run keeps too. */
const everything = async () => ({
  items: ledger.items().filter(({ sk }) => sk !== 'PACE'),
  queues: Object.values(world.queues).map(({ messages, deadLetters }) => [messages, deadLetters]),
  objects: [await world.buckets.list(inbox), await world.buckets.list(staging)],
});

const repairs = { announced: 1, resent: 1, gone: 1, orphansDeleted: 1 };

test('a dry run says what would be done and changes nothing', async () => {
  await disorder();
  const before = structuredClone(await everything());
  const calls = world.emulator.journal().length;

  const { report } = await world.reconcile({ dryRun: true });

  expect(report).toMatchObject({ dryRun: true, counts: repairs });
  expect(await everything()).toEqual(before);
  const made = world.emulator.journal().slice(calls);
  expect(made.filter(({ method }) => method !== 'GET')).toEqual([]);
  // The same is still to be done.
  expect((await world.reconcile()).report?.counts).toEqual(repairs);
});

/** Lets runs do a page each until the sweep has come to a duty; the first is asked what `first` says. */
async function onePageUntil(duty: string, first: { sweep: boolean }): Promise<void> {
  const place = () => ledger.items().find(({ pk }) => pk === 'RECONCILE')?.sweep;
  for (let runs = 0; (place() as { duty: string } | undefined)?.duty !== duty; runs += 1) {
    expect(runs).toBeLessThan(100);
    let pages = 1;
    const asked = runs === 0 ? first : {};
    const { report } = await world.reconcile({ ...asked, timeLeft: () => pages-- > 0 });
    expect(report?.unfinished).toBe(true);
  }
}

test('a dry run tells of everything although a sweep was just made, and of what a run under way has done', async () => {
  await disorder();
  await world.reconcile();
  await world.drain();
  await onePageUntil('orphans', { sweep: true });
  await world.emulator.vanishFile((await present('left.txt')).fileId ?? '');
  world.drop('later.txt', text('later'));

  const { report } = await world.reconcile({ dryRun: true });

  expect(report?.counts).toEqual({ announced: 1, gone: 1 });
  expect(report?.unfinished).toBe(false);
  // A run for real goes on with the remote files, and is not due for the rest yet.
  expect((await world.reconcile()).report?.counts).toEqual({});
});

test('a sweep is made when a person asks for one, by a later run where the first is too short', async () => {
  await begin();
  await settled('a');
  await world.reconcile();
  world.drop('missed.txt', text('missed'));
  expect((await world.reconcile()).report?.counts).toEqual({});

  const { report } = await world.reconcile({ sweep: true });
  expect(report?.counts).toEqual({ announced: 1 });

  await world.drain();
  world.drop('again.txt', text('again'));
  let pages = 1;
  const { report: short } = await world.reconcile({ sweep: true, timeLeft: () => pages-- > 0 });
  expect(short).toMatchObject({ counts: {}, unfinished: true });
  expect((await world.reconcile()).report?.counts).toEqual({ announced: 1 });
});

describe('documents that failed', () => {
  /** Two that the API refused in an upload and failed in a summary, and one that is no good itself. */
  async function failures(): Promise<void> {
    await begin();
    const error = { kind: 'error', count: 'all' } as const;
    const refused = { ...error, status: 400, operation: 'files.upload' } as const;
    world.emulator.addFault({ ...refused, filename: 'a*' });
    world.emulator.addFault({ ...error, status: 500, operation: 'messages.create' });
    await settled('a', 'b');
    world.deliver(world.drop('empty.txt', ''));
    await world.drain();
    world.emulator.clearFaults();
    expect(await statuses()).toEqual(['failed', 'failed', 'failed']);
  }
  const codes = ['claude.server_error', 'upload.invalid_request'];
  const statuses = () =>
    Promise.all(['a.txt', 'b.txt', 'empty.txt'].map(async (key) => (await present(key)).status));

  test('are brought back by the code of their error, with attempts anew', async () => {
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
    // The five calls that failed may have been paid; the record says so.
    expect((await present('b.txt')).usage?.calls).toBe(6);
    expect(fileIds()).toHaveLength(2);
    await checkInvariants(world, { 'a.txt': 'a alone', 'b.txt': 'b alone' }, 0);
  });

  test('may fail again, with the same number of attempts', async () => {
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

  test('are brought back to normalize too', async () => {
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

  test('stay as they are in a dry run, which says what would come back', async () => {
    await failures();
    const before = structuredClone(await everything());

    const { report } = await world.reconcile({ retry: codes, dryRun: true });

    expect(report?.counts).toEqual({ retried: 2 });
    expect(await everything()).toEqual(before);
  });

  test('stay as they are without a code', async () => {
    await failures();

    const { report } = await world.reconcile();

    expect(report?.counts).toEqual({});
    expect(await statuses()).toEqual(['failed', 'failed', 'failed']);
  });
});

test('each run leaves a report that people can read', async () => {
  await disorder();

  const { report } = await world.reconcile();

  const key = `reconcile/${report?.startedAt}.json`;
  const { body } = await world.buckets.open({ bucket: results, key });
  const stored = JSON.parse(Buffer.concat(await body.toArray()).toString());
  expect(stored).toEqual(report);
  expect(stored.ids.announced).toEqual(['missed.txt']);
  expect(Date.parse(stored.endedAt)).toBeGreaterThanOrEqual(Date.parse(stored.startedAt));
});

describe('slices', () => {
  /** Runs until it is finished, with time for so many pages each. */
  async function inSlices(
    pages: number,
  ): Promise<{ runs: number; counts: Record<string, number> }> {
    const counts: Record<string, number> = {};
    for (let runs = 1; ; runs += 1) {
      let left = pages;
      const { report } = await world.reconcile({ timeLeft: () => left-- > 0 });
      for (const [what, count] of Object.entries(report?.counts ?? {})) {
        counts[what] = (counts[what] ?? 0) + count;
      }
      if (!report?.unfinished) return { runs, counts };
      expect(report.storageBytes).toBeUndefined();
      expect(runs).toBeLessThan(400);
    }
  }

  test.each([1, 2, 3, 7])(
    'of %i pages go on where the one before ended, and do everything once',
    async (pages) => {
      await disorder();

      const { runs, counts } = await inSlices(pages);
      await world.drain();

      expect(counts).toEqual(repairs);
      expect(runs).toBeGreaterThan(20 / pages / 2);
      await checkInvariants(
        world,
        {
          'gone.txt': 'gone alone',
          'left.txt': 'left alone',
          'missed.txt': 'missed alone',
          'stuck.txt': 'stuck alone',
        },
        0,
      );
    },
  );

  /** Time for the quick duties, and for some ten pages more. */
  const someTime = () => {
    let left = 30;
    return () => left-- > 0;
  };

  test('of a long sweep each begin with what unblocks documents', async () => {
    await begin();
    world.buckets.pageSize = 1;
    await settled(...Array.from({ length: 40 }, (_, n) => `document ${n}`));
    const first = await world.reconcile({ timeLeft: someTime() });
    expect(first.report?.unfinished).toBe(true);
    world.deliver(world.drop('stuck.txt', text('stuck')));
    await world.work();
    world.queues.upload.messages.splice(0);
    world.advance(3 * hour);

    const second = await world.reconcile({ timeLeft: someTime() });

    expect(second.report).toMatchObject({ unfinished: true, counts: { resent: 1 } });
  });

  test('sweep again only after a while', async () => {
    await begin();
    await settled('a');
    await world.reconcile();
    world.drop('missed.txt', text('missed'));

    world.advance(6 * hour - 1);
    const early = await world.reconcile();
    world.advance(1);
    const late = await world.reconcile();

    expect(early.report).toMatchObject({ counts: {}, unfinished: false });
    expect(early.report?.storageBytes).toBeUndefined();
    expect(late.report).toMatchObject({ counts: { announced: 1 }, remoteFiles: 1 });
  });

  test('wait at the very page for which the API asked to wait', async () => {
    await begin();
    await settled('a');
    await world.emulator.vanishFile((await present('a.txt')).fileId ?? '');
    const refused = { kind: 'error', status: 429, retryAfter: 60, count: 'all' } as const;
    world.emulator.addFault({ ...refused, operation: 'files.list' });

    const first = await world.reconcile();
    expect(first.report).toMatchObject({ unfinished: true, counts: {} });

    world.emulator.clearFaults();
    world.advance(60_000);
    const second = await world.reconcile();
    expect(second.report).toMatchObject({ unfinished: false, counts: { gone: 1 } });
  });

  test('do not let one duty that fails keep the others from being done', async () => {
    await begin();
    await settled('a');
    world.drop('missed.txt', text('missed'));
    world.buckets.list = async () => {
      throw new Error('no such bucket');
    };
    await world.emulator.vanishFile((await present('a.txt')).fileId ?? '');

    const { report } = await world.reconcile();

    expect(report?.ids.errors).toEqual(['missed: no such bucket', 'staged: no such bucket']);
    expect(report?.counts).toMatchObject({ errors: 2, gone: 1 });
  });
});

describe('what versions staged that are no more', () => {
  const page = (name: string) => `<h1>${name}</h1><p>It speaks of ${name} alone.</p>`;
  const stagedKeys = async () => (await world.buckets.list(staging)).objects.map(({ key }) => key);

  test('is deleted when the file was removed or overwritten, and kept while it stands', async () => {
    await begin();
    const keys = ['kept.html', 'removed.html', 'overwritten.html'];
    world.deliver(...keys.map((key) => world.drop(key, page(key))));
    await world.drain();
    const before = await stagedKeys();
    expect(before).toHaveLength(3);
    world.deliver(world.remove('removed.html'), world.drop('overwritten.html', page('new')));
    await world.drain();

    const { report } = await world.reconcile();

    expect(report?.counts).toEqual({ unstaged: 2 });
    const kept = [await present('kept.html'), await present('overwritten.html')];
    expect(await stagedKeys()).toEqual(kept.map(({ source }) => source?.key).toSorted());
    // The file can still be made anew.
    await world.emulator.vanishFile(kept[1]?.fileId ?? '');
    await world.reconcile({ sweep: true });
    expect(fileIds()).toContain((await present('overwritten.html')).fileId);
  });

  test('belongs to each of two documents with the same content by itself', async () => {
    await begin();
    world.deliver(world.drop('a.html', page('same')), world.drop('b.html', page('same')));
    await world.drain();
    expect(fileIds()).toHaveLength(1);
    world.deliver(world.remove('a.html'));
    await world.drain();
    await world.reconcile();

    await world.emulator.vanishFile((await present('b.html')).fileId ?? '');
    const { report } = await world.reconcile({ sweep: true });

    expect(report?.counts).toEqual({ gone: 1 });
    expect(await stagedKeys()).toEqual([(await present('b.html')).source?.key]);
  });

  test('is named, not deleted, in a dry run', async () => {
    await begin();
    world.deliver(world.drop('a.html', page('a')));
    await world.drain();
    world.deliver(world.remove('a.html'));
    await world.drain();

    const { report } = await world.reconcile({ dryRun: true });

    expect(report?.ids.unstaged).toEqual(await stagedKeys());
    expect(report?.ids.unstaged).toHaveLength(1);
  });

  test('ends with its parts, where a worker announced them after they had been retired', async () => {
    await begin();
    const archive = Buffer.from(zipSync({ 'one.txt': strToU8(text('one')) }));
    // The worker that takes the archive apart is slow: it has got no further than to the record.
    const [dropped] = changesOf(world.drop('a.zip', archive).body);
    if (!dropped) throw new Error('no change');
    const { document: late } = await world.documents.receive(dropped, 'default');
    world.deliver(world.remove('a.zip'));
    await world.drain();
    // Now it goes on, and puts and announces what it found.
    const original = { bucket: staging, key: `parts/${late.documentId}/${late.order}/one.txt` };
    world.buckets.put(staging, original.key, Buffer.from(text('one')));
    const { bucket, sequencer, documentId: parent } = late;
    const change = { kind: 'created', bucket, key: 'a.zip!/one.txt', sequencer, original, parent };
    world.queues.intake.send(
      JSON.stringify({ dropline: 'change', change: { ...change, sizeBytes: 60, depth: 1 } }),
      world.now(),
    );
    await world.drain();
    expect(await present('a.zip!/one.txt')).toMatchObject({ status: 'ready' });

    const { report } = await world.reconcile();
    await world.drain();

    expect(report?.ids.unstaged).toEqual([original.key]);
    expect(await present('a.zip!/one.txt')).toMatchObject({ status: 'removed' });
    expect(await stagedKeys()).toEqual([]);
    expect(fileIds()).toEqual([]);
  });
});

test('in the beta dialect the last file of a page stays for the next sweep, for the next page begins after it', async () => {
  const names = ['a', 'b'].map((name) => `${name}.${'0'.repeat(16)}-${deployment}.txt`);
  const files = names.map((filename) => ({
    id: filename,
    filename,
    sizeBytes: 1,
    createdAt: '2026-01-01T00:00:00Z',
  }));
  const sweptIn = async (dialect: 'ga' | 'beta', next: string | undefined) => {
    const deleted: string[] = [];
    const tools = {
      dialect,
      deployment,
      now: () => Date.parse('2026-11-22T12:00:00Z'),
      orphanGraceMs: hour,
      table: { query: async () => ({ items: [] }) },
      claude: {
        listFiles: async () => ({ files, next }),
        deleteFile: async (id: string) => deleted.push(id),
      },
    } as unknown as ReconcileTools;
    const report = { startedAt: '', dryRun: false, unfinished: false, counts: {}, ids: {} };
    expect(await sweepOrphans(undefined, tools, report)).toBe(next);
    return deleted;
  };

  expect(await sweptIn('beta', 'b')).toEqual([names[0]]);
  expect(await sweptIn('beta', undefined)).toEqual(names);
  expect(await sweptIn('ga', 'token')).toEqual(names);
});

test('parts of a mail are looked after from where they are staged', async () => {
  await begin();
  const mail = mailWith('valves');
  world.deliver(world.drop('a.eml', mail));
  await world.drain();
  const part = await present('a.eml!/valves.txt');
  await world.emulator.vanishFile(part.fileId ?? '');

  const { report } = await world.reconcile();

  expect(report?.counts).toEqual({ gone: 1 });
  expect(part.source?.bucket).toBe(staging);
  expect(fileIds()).toContain((await present('a.eml!/valves.txt')).fileId);
});

test('an item that cannot be read is reported, and keeps no other document from being resumed', async () => {
  await begin();
  world.deliver(world.drop('broken.txt', text('broken')), world.drop('good.txt', text('good')));
  while (await world.work({ only: ['intake'] }));
  const broken = await present('broken.txt');
  await world.table.update({ pk: broken.pk, sk: broken.sk }, { remove: ['contentSha256'] });
  world.queues.upload.messages.splice(0);
  world.advance(2 * hour);

  const { report } = await world.reconcile();
  await world.drain();

  expect(report?.ids).toMatchObject({ unreadable: [broken.documentId] });
  expect((await present('good.txt')).status).toBe('ready');
  world.deliver(world.drop('broken.txt', text('mended')));
  await world.drain();
  expect((await present('broken.txt')).status).toBe('ready');
});
