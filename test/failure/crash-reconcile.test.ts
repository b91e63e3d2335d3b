import { expect, test } from 'vitest';
import { pointsOf } from '../world/crash.ts';
import { checkInvariants, type Expected } from '../world/invariants.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { settleDown } from '../world/settle-down.ts';
import { deployment, World } from '../world/world.ts';

const first = 'First version. Sales rose by 12 percent. Staff grew to 40 people.';
const second = 'Second version. Costs fell by a third. Nothing else changed at all.';

const server = memoryLedger();

/** A world in which every duty of the reconciler has something to do. */
async function disorder(): Promise<World> {
  const world = await World.create(server);
  world.deliver(world.drop('gone.txt', first), world.drop('left.txt', second));
  await world.drain();
  // The file is gone at Claude, an event was lost, a message was lost, and a stray was made.
  const gone = await world.record('gone.txt');
  await world.emulator.vanishFile(gone?.fileId ?? '');
  world.drop('missed.txt', 'A missed file. Nobody was told of it. It holds three sentences.');
  world.deliver(world.drop('stuck.txt', 'A stuck file. Its message was lost. Somebody must help.'));
  await world.work();
  world.queues.upload.messages.splice(0);
  await world.emulator.addFile({
    filename: `stray.${'0'.repeat(16)}-${deployment}.txt`,
    content: 'a stray',
    mimeType: 'text/plain',
  });
  world.advance(7 * 3_600_000);
  return world;
}

const order: Expected = {
  'gone.txt': 'Sales rose',
  'left.txt': 'Costs fell',
  'missed.txt': 'A missed file',
  'stuck.txt': 'A stuck file',
};

test('the reconciler repairs everything wherever it dies itself', async () => {
  const whole = await disorder();
  const { life, report } = await whole.reconcile();
  await whole.drain();
  await settleDown(whole);
  await checkInvariants(whole, order, 0);
  await whole.close();
  expect(report?.counts).toMatchObject({ announced: 1, resent: 1, gone: 1, orphansDeleted: 1 });

  for (const point of pointsOf(life.calls)) {
    const world = await disorder();
    await world.reconcile({ kill: point });
    await world.drain();
    await settleDown(world);
    await checkInvariants(world, order, 1).catch((cause: unknown) => {
      throw new Error(`killed ${point.when} call ${point.call} (${life.calls[point.call]})`, {
        cause,
      });
    });
    await world.close();
  }
}, 120_000);
