import { afterEach, expect, test } from 'vitest';
import { ObjectUnreadable } from '../../shared/aws/objects.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { World } from '../world/world.ts';

/** Objects that S3 holds but does not hand out: only a person can change that. */

const text = 'Some text. Sales rose by 12 percent. Staff grew to 40 people.';
let world: World;
afterEach(() => world.close());

test.each(['archived', 'forbidden'] as const)(
  'an object that is %s fails at its first delivery, with a code and advice, and comes back',
  async (reason) => {
    world = await World.create(memoryLedger());
    const { download } = world.buckets;
    let reads = 0;
    world.buckets.download = async () => {
      reads += 1;
      throw new ObjectUnreadable(reason, 'S3 does not hand out s3://inbox/a.txt: its own words');
    };
    world.deliver(world.drop('a.txt', text));
    await world.drain();

    const code = `normalize.${reason}`;
    const failed = await world.record('a.txt');
    expect(failed).toMatchObject({ status: 'failed', attempts: { normalize: 1 }, error: { code } });
    expect(failed?.error?.message).toContain('its own words');
    expect(failed?.error?.advice).toContain(`{"retry":["${code}"]}`);
    expect(reads).toBe(1);

    world.buckets.download = download;
    await world.reconcile({ retry: [code] });
    await world.drain();
    expect(await world.record('a.txt')).toMatchObject({ status: 'ready' });
  },
);

test.each(['archived', 'forbidden'] as const)(
  'an object that became %s before its upload fails there, and comes back',
  async (reason) => {
    world = await World.create(memoryLedger());
    const { open } = world.buckets;
    world.buckets.open = async () => {
      throw new ObjectUnreadable(reason, 'S3 does not hand out s3://inbox/a.txt');
    };
    world.deliver(world.drop('a.txt', text));
    await world.drain();

    const code = `upload.${reason}`;
    expect(await world.record('a.txt')).toMatchObject({
      status: 'failed',
      attempts: { upload: 1 },
      error: { code },
    });
    expect(world.emulator.files()).toEqual([]);

    world.buckets.open = open;
    await world.reconcile({ retry: [code] });
    await world.drain();
    expect(await world.record('a.txt')).toMatchObject({ status: 'ready' });
  },
);
