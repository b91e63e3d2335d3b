import { afterEach, describe, expect, test } from 'vitest';
import { checkInvariants } from '../world/invariants.ts';
import { begin, drop, hour, present, remove, settled, text, world } from './support.ts';

afterEach(() => world.close());

const sequencerOf = ({ body }: { body: string }): string =>
  JSON.parse(body).Records[0].s3.object.sequencer;

describe('objects whose event is missing', () => {
  test('are announced, and a later event still wins', async () => {
    await begin();
    world.drop('a.txt', text('a'));
    world.advance(hour);

    const { report } = await world.reconcile();
    await world.drain();

    expect(report?.counts).toEqual({ announced: 1 });
    expect(report?.ids.announced).toEqual(['a.txt']);
    expect(await present('a.txt')).toMatchObject({ status: 'ready', sequencer: '0' });

    drop('a.txt', text('new'));
    await world.drain();
    expect((await present('a.txt')).summary?.text).toContain('new');
  });

  test('are announced page by page', async () => {
    await begin();
    world.buckets.pageSize = 2;
    for (const name of ['a', 'b', 'c', 'd', 'e']) world.drop(`${name}.txt`, text(name));
    world.advance(hour);

    const { report } = await world.reconcile();

    expect(report?.counts).toEqual({ announced: 5 });
  });

  test('are announced when the record is about older bytes, once their event cannot be in transit any more', async () => {
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
    // Now the record is up to date.
    expect((await world.reconcile({ sweep: true })).report?.counts).toEqual({});
  });

  test('are announced when the record says that they were removed', async () => {
    await begin();
    await settled('a');
    remove('a.txt');
    await world.drain();
    world.drop('a.txt', text('again'));
    world.advance(hour);

    await world.reconcile();
    await world.drain();

    await checkInvariants(world, { 'a.txt': 'again alone' }, 0);
  });

  test('are not paid for again when their event arrives after all', async () => {
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

  test('do not win over a newer event that comes late', async () => {
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

  test('are left alone when they are gone before they are announced', async () => {
    await begin();
    world.drop('a.txt', text('a'));
    world.advance(hour);
    const { head } = world.buckets;
    world.buckets.head = async () => undefined;

    await world.reconcile();
    world.buckets.head = head;

    expect(world.queues.intake.messages).toEqual([]);
  });
});
