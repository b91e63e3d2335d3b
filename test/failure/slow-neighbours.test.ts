import { expect, test } from 'vitest';
import { convert } from '../../shared/convert/convert.ts';
import { Turns } from '../../shared/formats/sandbox/turns.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { World } from '../world/world.ts';

test('healthy files go back to the queue while a slow one has the only conversion process', async () => {
  const world = await World.create(memoryLedger());
  try {
    const slow = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const turns = new Turns(1, 1);
    world.convert = async (input) => {
      await turns.take();
      try {
        if (input.name.startsWith('slow')) {
          started.resolve();
          await slow.promise;
        }
        return await convert(input);
      } finally {
        turns.give();
      }
    };
    const names = ['slow-1.txt', 'slow-2.txt', 'a.txt', 'b.txt', 'c.txt'];
    for (const name of names) world.deliver(world.drop(name, `The text of ${name}. It is short.`));

    // Five messages of one batch, in one process.
    const first = world.work({ only: ['intake'] });
    await started.promise;
    await Promise.all(names.slice(1).map(() => world.work({ only: ['intake'] })));

    // The slow one still runs. The others wait for another worker, none of them counted as an attempt.
    expect(world.queues.intake.messages).toHaveLength(5);
    for (const name of names.slice(1)) {
      expect(await world.record(name)).toMatchObject({ status: 'received', attempts: {} });
    }
    slow.resolve();
    await first;
    await world.drain();
    for (const name of names) expect((await world.record(name))?.status).toBe('ready');
    expect(world.queues.intake.deadLetters).toEqual([]);
  } finally {
    await world.close();
  }
});
