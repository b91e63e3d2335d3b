import { afterEach, expect, test } from 'vitest';
import { documentIdOf } from '../../shared/journey/ids.ts';
import { s3Event } from '../world/events.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { inbox, World } from '../world/world.ts';

let world: World;
afterEach(() => world.close());

test('an event of another bucket makes no record and becomes a dead letter', async () => {
  world = await World.create(memoryLedger());
  const object = { versionId: 'v1', etag: 'e', size: 10 };
  const foreign = s3Event('another', 'a.txt', 'ObjectCreated:Put', 1, object);
  world.deliver(foreign, world.drop('a.txt', 'Our own file. It has two sentences.'));

  await world.drain();

  expect(await world.documents.get(documentIdOf('another', 'a.txt'))).toBeUndefined();
  expect((await world.record('a.txt'))?.bucket).toBe(inbox);
  expect(world.queues.intake.deadLetters.map(({ body }) => body)).toEqual([foreign.body]);
});
