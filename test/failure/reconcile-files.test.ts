import { afterEach, describe, expect, test } from 'vitest';
import { deploymentTag } from '../../shared/claude/filename.ts';
import type { DutyTools } from '../../shared/reconcile/duty.ts';
import { sweepOrphans } from '../../shared/reconcile/orphans.ts';
import { sha256Of } from '../world/digest.ts';
import { mailWith } from '../world/mail.ts';
import { deployment, partOf, staging } from '../world/world.ts';
import { begin, drop, fileIds, hour, present, remove, settled, text, world } from './support.ts';

afterEach(() => world.close());

const dialects = [{ dialect: 'ga' }, { dialect: 'beta' }] as const;

describe.each(dialects)('in the $dialect dialect', ({ dialect }) => {
  test('nothing is done when nothing is wrong', async () => {
    await begin({ emulator: { dialect } });
    await settled('a', 'b');

    const { report } = await world.reconcile();

    expect(report).toMatchObject({ counts: {}, ids: {}, unfinished: false, dryRun: false });
    expect(report).toMatchObject({ remoteFiles: 2 });
    const bytes = Buffer.byteLength(text('a')) + Buffer.byteLength(text('b'));
    expect(report?.storageBytes).toBe(bytes);
  });

  test('a file that is gone is uploaded again and all its documents get the new one', async () => {
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
    expect(world.calls('messages.create')).toHaveLength(1);
  });

  test('an orphan of ours is deleted after its grace period, those of others never', async () => {
    await begin({ emulator: { dialect } });
    await settled('a');
    const mine = { filename: `stray.${'0'.repeat(16)}-${deployment}.txt`, content: 'stray' };
    const orphan = await world.emulator.addFile({
      ...mine,
      mimeType: 'text/plain',
      downloadable: false,
    });
    const foreign = await world.emulator.addFile({
      filename: 'theirs.txt',
      content: 'theirs',
      downloadable: false,
    });
    // It belongs to another deployment of Dropline in the same workspace.
    const sister = await world.emulator.addFile({
      downloadable: false,
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
  /** Replaces the remote file of a document by one that expires in `inMs`. */
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

  test('that is near makes the reconciler upload the file again early', async () => {
    await begin();
    await settled('a');
    const old = await expiring('a.txt', 71 * hour);

    const { report } = await world.reconcile();

    expect(report?.counts).toEqual({ expiring: 1 });
    const record = await present('a.txt');
    expect(record.fileId).not.toBe(old);
    expect(record.fileExpiresAt).toBeUndefined();
    expect(record.status).toBe('ready');
    // The old one is deleted when it is old enough to be an orphan.
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

  test('that is near makes the next document with the same content upload it again', async () => {
    await begin();
    await settled('a');
    const old = await expiring('a.txt', 23 * hour);

    drop('b.txt', text('a'));
    await world.drain();

    expect((await present('b.txt')).fileId).not.toBe(old);
    await world.reconcile();
    expect((await present('a.txt')).fileId).toBe((await present('b.txt')).fileId);
  });
});

test('a document that failed gets a new file, too', async () => {
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

test('content that cannot be uploaded again does not stop the repair of the rest', async () => {
  await begin({ versioned: false });
  const names = ['a', 'b', 'c', 'd'];
  await settled(...names);
  for (const name of names)
    await world.emulator.vanishFile((await present(`${name}.txt`)).fileId ?? '');
  // The bytes of two are gone, without an event.
  world.buckets.remove('inbox', 'a.txt');
  world.buckets.remove('inbox', 'c.txt');

  const { report } = await world.reconcile();

  expect(report?.counts.gone).toBe(4);
  expect(report?.ids.unrepaired?.join()).toContain('upload.source_lost');
  expect(report?.ids.errors).toBeUndefined();
  expect(fileIds()).toHaveLength(2);
});

test('content whose bytes one document lost is uploaded from another', async () => {
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

test('a file that exists but is missing from a list is left alone', async () => {
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

describe('content that no document refers to', () => {
  test('is released', async () => {
    await begin();
    await settled('a');
    const { contentSha256 = '', documentId, order } = await present('a.txt');
    remove('a.txt');
    await world.work({ only: ['intake'] });
    // The worker that released it died after it had dropped the reference.
    world.queues.upload.messages.splice(0);
    await world.contents.leave(contentSha256, documentId, order);

    const { report } = await world.reconcile();

    expect(report?.counts).toEqual({ released: 1 });
    expect(fileIds()).toEqual([]);
  });

  test('is kept when remote files are to be kept', async () => {
    await begin({ keepRemoteFiles: true });
    await settled('a');
    remove('a.txt');
    await world.drain();
    world.advance(7 * hour);

    const { report } = await world.reconcile();

    expect(report?.counts).toEqual({});
    expect(fileIds()).toHaveLength(1);
  });
});

test('in the beta dialect the last file of a page is kept until the next sweep, because the next page begins after it', async () => {
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
    } as unknown as DutyTools;
    const report = { startedAt: '', dryRun: false, unfinished: false, counts: {}, ids: {} };
    expect(await sweepOrphans(undefined, tools, report)).toBe(next);
    return deleted;
  };

  expect(await sweptIn('beta', 'b')).toEqual([names[0]]);
  expect(await sweptIn('beta', undefined)).toEqual(names);
  expect(await sweptIn('ga', 'token')).toEqual(names);
});

test('parts of a mail are uploaded again from where they are staged', async () => {
  await begin();
  const mail = mailWith('valves');
  drop('a.eml', mail);
  await world.drain();
  const part = await present(partOf('a.eml', 'valves.txt'));
  await world.emulator.vanishFile(part.fileId ?? '');

  const { report } = await world.reconcile();

  expect(report?.counts).toEqual({ gone: 1 });
  expect(part.source?.bucket).toBe(staging);
  expect(fileIds()).toContain((await present(partOf('a.eml', 'valves.txt'))).fileId);
});
