import { expect, test } from 'vitest';
import { pointsOf } from '../world/crash.ts';
import { checkInvariants, type Expected } from '../world/invariants.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { settleDown } from '../world/settle-down.ts';
import { deployment, staging, World } from '../world/world.ts';

const first = 'First version. Sales rose by 12 percent. Staff grew to 40 people.';
const second = 'Second version. Costs fell by a third. Nothing else changed at all.';

const server = memoryLedger();

/** A world in which every duty of the reconciler has something to do. */
async function disorder(): Promise<World> {
  // What was replaced is due to be deleted at the end.
  const world = await World.create(server, { keepPastDays: 0.1 });
  world.deliver(
    world.drop('gone.txt', first),
    world.drop('left.txt', second),
    world.drop('over.txt', 'An old text. Somebody will write over it. It has three sentences.'),
    world.drop('page.html', '<h1>A page</h1><p>It was converted. Then it was replaced.</p>'),
  );
  await world.drain();
  world.deliver(world.drop('page.html', '<h1>A page</h1><p>It replaces another. It is new.</p>'));
  // The API rejects one upload, and refuses the key for another.
  const fault = { kind: 'error', operation: 'files.upload' } as const;
  world.emulator.addFault({ ...fault, status: 400, filename: 'failed*' });
  world.deliver(world.drop('failed.txt', 'A failed file. The API rejected it. It takes it now.'));
  await world.drain();
  world.emulator.addFault({ ...fault, status: 401, count: 1, filename: 'held*' });
  world.deliver(world.drop('held.txt', 'A held file. Its key was bad. Somebody gave a good one.'));
  await world.drain();
  // A remote file is gone, two events are lost, a message is lost, and there is a stray file.
  const gone = await world.record('gone.txt');
  await world.emulator.vanishFile(gone?.fileId ?? '');
  world.drop('over.txt', 'A new text. Its event was lost. The reconciler has to find it.');
  world.drop('missed.txt', 'A missed file. Nobody was told of it. It holds three sentences.');
  world.deliver(world.drop('stuck.txt', 'A stuck file. Its message was lost. Somebody must help.'));
  await world.work();
  world.queues.upload.messages.splice(0);
  await world.emulator.addFile({
    downloadable: false,
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
  'over.txt': 'Its event was lost',
  'page.html': 'It replaces another',
  'failed.txt': 'A failed file',
  'held.txt': 'A held file',
};

/** What a person asks for who knows why the API rejected it. */
const asked = { retry: ['upload.invalid_request'] };

async function check(world: World, kills: number): Promise<void> {
  await world.drain();
  await settleDown(world);
  await checkInvariants(world, order, kills);
  expect((await world.buckets.list(staging)).objects).toHaveLength(1);
}

test('the reconciler repairs everything, wherever it dies', async () => {
  const whole = await disorder();
  const { life, report } = await whole.reconcile(asked);
  await check(whole, 0);
  await whole.close();
  expect(report?.counts).toEqual({
    announced: 2,
    resent: 1,
    retried: 1,
    resumed: 1,
    gone: 1,
    unstaged: 1,
    pastVersionsDeleted: 1,
    answersDeleted: 1,
    orphansDeleted: 1,
  });

  for (const point of pointsOf(life.calls)) {
    const world = await disorder();
    await world.reconcile({ ...asked, kill: point });
    // The first run returned nothing, so a person asks again.
    await world.reconcile(asked);
    await check(world, 1).catch((cause: unknown) => {
      throw new Error(`killed ${point.when} call ${point.call} (${life.calls[point.call]})`, {
        cause,
      });
    });
    await world.close();
  }
}, 120_000);
