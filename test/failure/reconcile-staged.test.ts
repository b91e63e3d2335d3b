import { strToU8, zipSync } from 'fflate';
import { afterEach, describe, expect, test } from 'vitest';
import { changesOf } from '../../shared/aws/events.ts';
import { staging } from '../world/world.ts';
import { begin, drop, fileIds, present, remove, text, world } from './support.ts';

afterEach(() => world.close());

describe('bytes staged by superseded versions', () => {
  const page = (name: string) => `<h1>${name}</h1><p>It speaks of ${name} alone.</p>`;
  const stagedKeys = async () => (await world.buckets.list(staging)).objects.map(({ key }) => key);

  test('are deleted when the file was removed or overwritten, and kept otherwise', async () => {
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
    // The file can still be uploaded again.
    await world.emulator.vanishFile(kept[1]?.fileId ?? '');
    await world.reconcile({ sweep: true });
    expect(fileIds()).toContain((await present('overwritten.html')).fileId);
  });

  test('are kept separately for two documents with the same content', async () => {
    await begin();
    world.deliver(world.drop('a.html', page('same')), world.drop('b.html', page('same')));
    await world.drain();
    expect(fileIds()).toHaveLength(1);
    remove('a.html');
    await world.drain();
    await world.reconcile();

    await world.emulator.vanishFile((await present('b.html')).fileId ?? '');
    const { report } = await world.reconcile({ sweep: true });

    expect(report?.counts).toEqual({ gone: 1 });
    expect(await stagedKeys()).toEqual([(await present('b.html')).source?.key]);
  });

  test('are reported, not deleted, in a dry run', async () => {
    await begin();
    drop('a.html', page('a'));
    await world.drain();
    remove('a.html');
    await world.drain();

    const { report } = await world.reconcile({ dryRun: true });

    expect(report?.ids.unstaged).toEqual(await stagedKeys());
    expect(report?.ids.unstaged).toHaveLength(1);
  });

  test('are removed together with parts that a worker announced after they had been retired', async () => {
    await begin();
    const archive = Buffer.from(zipSync({ 'one.txt': strToU8(text('one')) }));
    // The worker that unpacks the archive is slow: so far it has only written the record.
    const [dropped] = changesOf(world.drop('a.zip', archive).body);
    if (!dropped) throw new Error('no change');
    const { document: late } = await world.documents.receive(dropped, 'default');
    remove('a.zip');
    await world.drain();
    // Now it resumes, and stages and announces the part.
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
