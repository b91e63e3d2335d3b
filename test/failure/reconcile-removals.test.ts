import { zipSync } from 'fflate';
import { afterEach, describe, expect, test } from 'vitest';
import { ObjectUnreadable } from '../../shared/aws/objects.ts';
import { checkInvariants } from '../world/invariants.ts';
import { mailWith } from '../world/mail.ts';
import { partOf, results } from '../world/world.ts';
import {
  begin,
  binary,
  drop,
  everything,
  fileIds,
  hour,
  ledger,
  paidCalls,
  present,
  remove,
  settled,
  status,
  text,
  world,
} from './support.ts';

afterEach(() => world.close());

/** A sweep an hour later, and whatever follows from it. */
async function sweepLater() {
  world.advance(hour);
  const { report } = await world.reconcile({ sweep: true });
  await world.drain();
  return report;
}

describe('a removal whose event is lost', () => {
  test('is found, and nothing of the document stays', async () => {
    await begin();
    await settled('a', 'b');
    world.remove('a.txt');

    const report = await sweepLater();

    const { documentId } = await present('a.txt');
    expect(report?.ids.removalsAnnounced).toEqual([documentId]);
    await checkInvariants(world, { 'b.txt': 'b alone' }, 0);
    expect(await status('a.txt')).toBe('removed');
    expect(fileIds()).toHaveLength(1);
    expect((await sweepLater())?.counts).toEqual({});
  });

  test('is found where the bucket has no versions', async () => {
    await begin({ versioned: false });
    await settled('a');
    world.remove('a.txt');

    await sweepLater();

    expect(await status('a.txt')).toBe('removed');
    expect(fileIds()).toEqual([]);
  });

  test.each([
    ['failed', 'broken.pdf', '%PDF-1.7 and nothing else'],
    ['skipped', 'program.bin', binary],
  ])('is found for a document that is %s', async (ended, key, content) => {
    await begin();
    drop(key, content);
    await world.drain();
    expect(await status(key)).toBe(ended);
    world.remove(key);

    await sweepLater();

    expect(await status(key)).toBe('removed');
  });

  test('is found for a document that is held', async () => {
    await begin();
    world.emulator.addFault({ kind: 'error', status: 401, operation: 'files.upload' });
    await settled('a');
    expect(await status('a.txt')).toBe('held');
    world.remove('a.txt');

    // The first run lets it resume, for the key is as good as new.
    await sweepLater();
    await sweepLater();

    expect(await status('a.txt')).toBe('removed');
    expect(fileIds()).toEqual([]);
  });

  test('is found for a mail, whose parts go with it', async () => {
    await begin();
    drop('m.eml', mailWith('one'));
    await world.drain();
    expect(fileIds()).toHaveLength(2);
    world.remove('m.eml');

    await sweepLater();

    expect(await status('m.eml')).toBe('removed');
    expect(await status(partOf('m.eml', 'one.txt'))).toBe('removed');
    expect(fileIds()).toEqual([]);
  });

  test('is found when the event is a dead letter that SQS has dropped', async () => {
    await begin();
    await settled('a');
    remove('a.txt');
    world.queues.intake.messages.splice(0);

    await sweepLater();

    expect(await status('a.txt')).toBe('removed');
  });

  test('is found by a sweep that takes many short runs', async () => {
    await begin();
    world.buckets.pageSize = 2;
    await settled('a', 'b', 'c', 'd', 'e');
    world.remove('b.txt');
    world.remove('e.txt');
    world.advance(hour);
    const heads: string[] = [];
    const { head } = world.buckets;
    world.buckets.head = async (target) => {
      heads.push(target.key);
      return head.call(world.buckets, target);
    };

    for (let unfinished = true; unfinished; ) {
      let pages = 1;
      const { report } = await world.reconcile({ timeLeft: () => pages-- > 0 });
      unfinished = report?.unfinished ?? false;
    }
    await world.drain();

    await checkInvariants(world, { 'a.txt': 'a alone', 'c.txt': 'c alone', 'd.txt': 'd alone' }, 0);
    // S3 is asked about nothing that a listing has shown.
    expect(new Set(heads)).toEqual(new Set(['b.txt', 'e.txt']));
    const { objects } = await world.buckets.list(results, { prefix: 'sweep/present/' });
    expect(objects).toEqual([]);
  });

  test('is found when what the sweep has seen is lost', async () => {
    await begin();
    await settled('a', 'b');
    world.remove('a.txt');
    world.advance(hour);
    const { putText } = world.buckets;
    world.buckets.putText = async (target, body) => {
      if (!target.key.includes('/present/')) await putText.call(world.buckets, target, body);
    };

    const { report } = await world.reconcile({ sweep: true });
    await world.drain();

    expect(report?.counts).toEqual({ removalsAnnounced: 1 });
    await checkInvariants(world, { 'b.txt': 'b alone' }, 0);
  });

  test('changes nothing when the event arrives after all', async () => {
    await begin();
    await settled('a');
    const late = world.remove('a.txt');
    await sweepLater();

    world.deliver(late);
    await world.drain();

    expect(await status('a.txt')).toBe('removed');
    expect(fileIds()).toEqual([]);
  });

  test('gives way to a file dropped since', async () => {
    await begin();
    await settled('a');
    world.remove('a.txt');
    world.advance(hour);
    await world.reconcile({ sweep: true });
    drop('a.txt', text('new'));

    await world.drain();

    await checkInvariants(world, { 'a.txt': 'new alone' }, 0);
  });

  test('is reported by a dry run, which changes nothing', async () => {
    await begin();
    await settled('a', 'b');
    world.remove('a.txt');
    world.advance(hour);
    const before = structuredClone(await everything());

    const { report } = await world.reconcile({ dryRun: true });

    expect(report?.counts).toEqual({ removalsAnnounced: 1 });
    expect(await everything()).toEqual(before);
  });
});

describe('a document stays', () => {
  test('for an hour after its last change: the event may be in transit', async () => {
    await begin();
    await settled('a');
    world.remove('a.txt');
    const changed = Date.parse((await present('a.txt')).updatedAt);
    world.advance(hour - 1 - (world.now() - changed));

    const { report } = await world.reconcile({ sweep: true });

    expect(report?.counts).toEqual({});
  });

  test('while messages wait in the intake queue, for the event may be among them', async () => {
    await begin();
    await settled('a');
    remove('a.txt');
    world.advance(hour);

    const { report } = await world.reconcile({ sweep: true });

    expect(report?.counts).toEqual({ inBacklog: 1 });
    expect(world.queues.intake.messages).toHaveLength(1);
  });

  test('when S3 refuses to describe its object', async () => {
    await begin();
    await settled('a');
    world.advance(hour);
    // As if the listing had not shown it.
    const { list } = world.buckets;
    world.buckets.list = async (bucket, options) =>
      options?.prefix ? list.call(world.buckets, bucket, options) : { objects: [], more: false };
    world.buckets.head = async () => {
      throw new ObjectUnreadable('forbidden', 'no');
    };

    const { report } = await world.reconcile({ sweep: true });

    expect(report?.counts).toEqual({});
  });

  test('when the whole bucket is out of reach', async () => {
    await begin();
    await settled('a');
    world.advance(hour);
    world.buckets.list = async () => {
      throw new Error('no such bucket');
    };
    // What S3 answers to a HEAD in a bucket that does not exist.
    world.buckets.head = async () => undefined;

    const { report } = await world.reconcile({ sweep: true });

    expect(report?.counts.removalsAnnounced).toBeUndefined();
    expect(report?.counts.errors).toBeGreaterThan(0);
    expect(await status('a.txt')).toBe('ready');
  });

  test('when its event is late and the object has come back', async () => {
    await begin();
    await settled('a');
    world.remove('a.txt');
    const again = world.drop('a.txt', text('a'));
    world.advance(hour);

    await world.reconcile({ sweep: true });
    await world.drain();
    world.deliver(again);
    await world.drain();

    await checkInvariants(world, { 'a.txt': 'a alone' }, 0);
    expect(paidCalls()).toBe(1);
  });
});

describe('a part', () => {
  const mail = mailWith('one');

  test('is removed when its mail was, and the event of that is lost', async () => {
    await begin();
    drop('m.eml', mail);
    await world.drain();
    remove('m.eml');
    await world.work({ only: ['intake'] });
    // What the mail announced of its parts is lost.
    world.queues.intake.messages.splice(0);
    await world.drain();
    expect(await status(partOf('m.eml', 'one.txt'))).toBe('ready');

    await sweepLater();

    expect(await status(partOf('m.eml', 'one.txt'))).toBe('removed');
    expect(fileIds()).toEqual([]);
  });

  test('stays, and is announced again, when its mail is and the event of the part is lost', async () => {
    await begin();
    drop('m.eml', mail);
    await world.drain();
    drop('m.eml', mail);
    await world.work({ only: ['intake'] });
    world.queues.intake.messages.splice(0);
    await world.drain();

    const report = await sweepLater();

    expect(report?.counts.removalsAnnounced).toBeUndefined();
    expect(await status(partOf('m.eml', 'one.txt'))).toBe('ready');
  });
});

describe('a part that its archive has, and whose event is lost,', () => {
  const zip = (...names: string[]) =>
    zipSync(Object.fromEntries(names.map((name) => [`${name}.txt`, Buffer.from(text(name))])));
  const changed = () =>
    zipSync({ 'one.txt': Buffer.from(text('other')), 'two.txt': Buffer.from(text('two')) });

  /** The archive is dropped again, and what it announces of its parts is lost. */
  async function partsLost(second: Uint8Array): Promise<void> {
    await begin();
    drop('a.zip', zip('one', 'two'));
    await world.drain();
    drop('a.zip', second);
    await world.work({ only: ['intake'] });
    world.queues.intake.messages.splice(0);
    await world.drain();
  }

  test('is announced by the next sweep when it has no record', async () => {
    await partsLost(zip('one', 'two', 'three'));

    const report = await sweepLater();

    const keys = ['one', 'three', 'two'].map((name) => partOf('a.zip', `${name}.txt`));
    expect(report?.ids.announced?.toSorted()).toEqual(keys);
    expect(await status(partOf('a.zip', 'three.txt'))).toBe('ready');
    expect((await sweepLater())?.counts).toEqual({});
  });

  test('gets its new content when its record tells of the old', async () => {
    await partsLost(changed());

    await sweepLater();

    expect((await present(partOf('a.zip', 'one.txt'))).summary?.text).toContain('other');
    expect(fileIds()).toHaveLength(2);
  });

  test('is only reported by a dry run', async () => {
    await partsLost(zip('one', 'two', 'three'));
    world.advance(hour);

    const { report } = await world.reconcile({ dryRun: true });

    expect(report?.counts).toEqual({ announced: 3 });
    expect(world.queues.intake.messages).toEqual([]);
  });
});

describe('objects without a record', () => {
  test('are not announced again by each sweep while their events wait', async () => {
    await begin();
    const names = Array.from({ length: 10 }, (_, index) => `${index}.txt`);
    world.deliver(...names.map((name) => world.drop(name, text(name))));

    for (let sweeps = 0; sweeps < 3; sweeps += 1) {
      await world.reconcile({ sweep: true });
      world.advance(hour);
    }

    expect(world.queues.intake.messages).toHaveLength(10);
    await world.drain();
    expect(paidCalls()).toBe(10);
  });

  test('are announced once by three sweeps when their events are lost', async () => {
    await begin();
    for (let index = 0; index < 10; index += 1) world.drop(`${index}.txt`, text(`${index}`));

    for (let sweeps = 0; sweeps < 3; sweeps += 1) {
      world.advance(hour);
      await world.reconcile({ sweep: true });
    }

    expect(world.queues.intake.messages).toHaveLength(10);
  });

  test('are announced after a day although some messages always wait', async () => {
    await begin();
    world.drop('lost.txt', text('lost'));
    world.advance(24 * hour);
    world.deliver(world.drop('other.txt', text('other')));

    const { report } = await world.reconcile({ sweep: true });

    expect(report?.ids.announced).toEqual(['lost.txt']);
  });

  test('are announced although S3 refuses to describe them; their records then say why', async () => {
    await begin();
    world.drop('a.txt', text('a'));
    world.advance(hour);
    world.buckets.head = async () => {
      throw new ObjectUnreadable('forbidden', 'no');
    };

    const { report } = await world.reconcile({ sweep: true });

    expect(report?.counts).toEqual({ announced: 1 });
  });
});

describe('references', () => {
  /** Takes the reference of a document away, or gives it one of a version long gone. */
  const contentOf = async (key: string): Promise<string> =>
    (await present(key)).contentSha256 ?? '';

  test('of a version whose release was lost are dropped, and the file with the last', async () => {
    await begin();
    drop('a.txt', text('old'));
    await world.drain();
    drop('a.txt', text('new'));
    while (await world.work({ only: ['intake'] }));
    while (await world.work({ only: ['upload'] })) {
      // The release of the past version never gets through.
      const { messages } = world.queues.upload;
      const kept = messages.filter(({ body }) => JSON.parse(body).step !== 'release');
      messages.splice(0, messages.length, ...kept);
    }
    await world.drain();
    expect(fileIds()).toHaveLength(2);

    const report = await sweepLater();

    expect(report?.counts.referencesReleased).toBe(1);
    expect(fileIds()).toEqual([(await present('a.txt')).fileId]);
    expect((await sweepLater())?.counts).toEqual({});
  });

  test('of two versions of one document to one content become one', async () => {
    await begin();
    await settled('a');
    const contentId = await contentOf('a.txt');
    const { documentId } = await present('a.txt');
    await world.contents.join(contentId, documentId, '0'.repeat(64));

    const report = await sweepLater();

    expect(report?.counts).toEqual({ referencesReleased: 1 });
    const { references } = await world.contents.references(contentId);
    expect(references.map(({ order }) => order)).toEqual([(await present('a.txt')).order]);
    expect(fileIds()).toHaveLength(1);
  });

  test('that a document lacks are restored, and its file stays', async () => {
    await begin();
    await settled('a');
    const { documentId, order } = await present('a.txt');
    await world.contents.leave(await contentOf('a.txt'), documentId, order);

    const report = await sweepLater();

    expect(report?.counts).toEqual({ referencesRestored: 1 });
    expect(await world.contents.holds(await contentOf('a.txt'), documentId, order)).toBe(true);
    expect(fileIds()).toHaveLength(1);
  });

  test('of a document in progress are left to it', async () => {
    await begin();
    await settled('a');
    drop('a.txt', text('a'));
    await world.work({ only: ['intake'] });
    world.queues.upload.messages.splice(0);
    world.advance(hour);

    const { report } = await world.reconcile({ sweep: true });

    expect(report?.counts.referencesReleased).toBeUndefined();
    await world.drain();
    expect(await status('a.txt')).toBe('ready');
    expect(fileIds()).toHaveLength(1);
    expect(paidCalls()).toBe(1);
  });

  test('are only reported by a dry run', async () => {
    await begin();
    await settled('a', 'b');
    const { documentId, order } = await present('a.txt');
    await world.contents.leave(await contentOf('a.txt'), documentId, order);
    await world.contents.join(await contentOf('b.txt'), documentId, '0'.repeat(64));
    world.advance(hour);
    const before = structuredClone(ledger.items());

    const { report } = await world.reconcile({ dryRun: true });

    expect(report?.counts).toEqual({ referencesReleased: 1, referencesRestored: 1 });
    expect(ledger.items().filter(({ sk }) => sk !== 'PACE')).toEqual(
      before.filter(({ sk }) => sk !== 'PACE'),
    );
  });
});
