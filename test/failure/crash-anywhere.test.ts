import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkInvariants, type Expected } from '../world/invariants.ts';
import type { LedgerServer } from '../world/ledger.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import type { KillPoint } from '../world/mortal.ts';
import { settleDown } from '../world/settle-down.ts';
import { type InboxEvent, World } from '../world/world.ts';

/**
 * Kills a worker at every single point in turn, lets the queues deliver again and the reconciler
 * run, and checks the four invariants. A point lies before each call to the outside and after the
 * last one (after a call is before the next: what dies with the worker is only its memory). They
 * are counted in a run without a kill, so a new call in the code is a new point here.
 */

const first = 'First version. Sales rose by 12 percent. Staff grew to 40 people.';
const second = 'Second version. Costs fell by a third. Nothing else changed at all.';

interface Scenario {
  name: string;
  /** What happens before workers may die. */
  prepare?: (world: World) => Promise<void>;
  /** What is delivered to workers that may die. */
  events: (world: World) => InboxEvent[];
  expected: Expected;
}

const scenarios: Scenario[] = [
  {
    name: 'a file is dropped',
    events: (world) => [world.drop('a.txt', first)],
    expected: { 'a.txt': 'Sales rose' },
  },
  {
    name: 'one content is dropped under two keys',
    events: (world) => [world.drop('a.txt', first), world.drop('b.txt', first)],
    expected: { 'a.txt': 'Sales rose', 'b.txt': 'Sales rose' },
  },
  {
    name: 'a file is overwritten with new content',
    prepare: async (world) => {
      world.deliver(world.drop('a.txt', first));
      await world.drain();
    },
    events: (world) => [world.drop('a.txt', second)],
    expected: { 'a.txt': 'Costs fell' },
  },
  {
    name: 'a file is dropped again unchanged',
    prepare: async (world) => {
      world.deliver(world.drop('a.txt', first));
      await world.drain();
    },
    events: (world) => [world.drop('a.txt', first)],
    expected: { 'a.txt': 'Sales rose' },
  },
  {
    name: 'a file is removed',
    prepare: async (world) => {
      world.deliver(world.drop('a.txt', first));
      await world.drain();
    },
    events: (world) => [world.remove('a.txt')],
    expected: { 'a.txt': null },
  },
];

let server: LedgerServer;

beforeAll(async () => {
  server = memoryLedger();
});
afterAll(() => server.close());

/** Where a worker is killed: the nth worker, around its nth call. */
interface Death extends KillPoint {
  worker: number;
}

/** Plays a scenario, kills as told, and returns the calls that each worker made. */
async function play(scenario: Scenario, death?: Death): Promise<string[][]> {
  const world = await World.create(server);
  try {
    await scenario.prepare?.(world);
    world.deliver(...scenario.events(world));
    const calls: string[][] = [];
    for (;;) {
      const life = await world.work({ kill: death?.worker === calls.length ? death : undefined });
      if (!life) break;
      calls.push(life.calls);
    }
    await world.drain();
    await settleDown(world);
    await checkInvariants(world, scenario.expected, death ? 1 : 0);
    return calls;
  } finally {
    await world.close();
  }
}

function pointsOf(calls: string[]): KillPoint[] {
  const before = calls.map((_name, call) => ({ call, when: 'before' }) as const);
  return [...before, { call: calls.length - 1, when: 'after' }];
}

describe.each(scenarios)('when $name', (scenario) => {
  test('the invariants hold wherever a worker dies', async () => {
    const calls = await play(scenario);

    for (const [worker, made] of calls.entries()) {
      for (const point of pointsOf(made)) {
        await play(scenario, { worker, ...point }).catch((cause: unknown) => {
          const where = `${point.when} call ${point.call} (${made[point.call]})`;
          throw new Error(`worker ${worker} was killed ${where}`, { cause });
        });
      }
    }
  }, 120_000);
});

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
    filename: `stray.${'0'.repeat(16)}.txt`,
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
