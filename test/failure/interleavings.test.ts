import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { illustratedReport } from '../fixtures/documents.ts';
import { everyPlan, following, interleave } from '../world/interleave.ts';
import { checkInvariants, type Expected } from '../world/invariants.ts';
import type { LedgerServer } from '../world/ledger.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import type { Gate } from '../world/mortal.ts';
import { World } from '../world/world.ts';

/**
 * Two workers at once, whose outside calls are made in every order with up to two switches between them:
 * adding a reference against dropping one, dropping against dropping, an upload against its twin.
 */

const first = 'First version. Sales rose by 12 percent. Staff grew to 40 people.';
const second = 'Second version. Costs fell by a third. Nothing else changed at all.';

interface Meeting {
  name: string;
  /** Puts two messages into the queues, which two workers then take at once. */
  prepare: (world: World) => Promise<void>;
  expected: Expected;
}

const illustrated = await illustratedReport();

const meetings: Meeting[] = [
  {
    name: 'two documents join one new content',
    prepare: async (world) => {
      world.deliver(world.drop('a.txt', first), world.drop('b.txt', first));
      await world.work({ only: ['intake'] });
      await world.work({ only: ['intake'] });
    },
    expected: { 'a.txt': 'Sales rose', 'b.txt': 'Sales rose' },
  },
  {
    name: 'one message is delivered to two workers',
    prepare: async (world) => {
      world.deliver(world.drop('a.txt', first));
      await world.work({ only: ['intake'] });
      world.queues.upload.redeliver(world.now());
    },
    expected: { 'a.txt': 'Sales rose' },
  },
  {
    name: 'a document joins while the last one leaves',
    prepare: async (world) => {
      world.deliver(world.drop('a.txt', first));
      await world.drain();
      world.deliver(world.remove('a.txt'), world.drop('b.txt', first));
      await world.work({ only: ['intake'] });
      await world.work({ only: ['intake'] });
    },
    expected: { 'a.txt': null, 'b.txt': 'Sales rose' },
  },
  {
    name: 'a document joins while the last one leaves what a dead worker uploaded',
    prepare: async (world) => {
      world.deliver(world.drop('a.txt', first));
      await world.work({ only: ['intake'] });
      await world.work({ only: ['upload'], kill: { call: await uploadCall(), when: 'after' } });
      expect(world.emulator.files()).toHaveLength(1);
      // The dead worker's claim has expired.
      world.advance(60_000);
      world.deliver(world.remove('a.txt'), world.drop('b.txt', first));
      await world.work({ only: ['intake'] });
      await world.work({ only: ['intake'] });
    },
    expected: { 'a.txt': null, 'b.txt': 'Sales rose' },
  },
  {
    name: 'a release is delivered to two workers, and no document comes',
    prepare: async (world) => {
      world.deliver(world.drop('a.txt', first));
      await world.drain();
      world.deliver(world.remove('a.txt'));
      await world.work({ only: ['intake'] });
      world.queues.upload.redeliver(world.now());
    },
    expected: { 'a.txt': null },
  },
  {
    name: 'the last two documents leave at once',
    prepare: async (world) => {
      world.deliver(world.drop('a.txt', first), world.drop('b.txt', first));
      await world.drain();
      world.deliver(world.remove('a.txt'), world.remove('b.txt'));
      await world.work({ only: ['intake'] });
      await world.work({ only: ['intake'] });
    },
    expected: { 'a.txt': null, 'b.txt': null },
  },
  {
    name: 'a removal meets the upload of the same document',
    prepare: async (world) => {
      world.deliver(world.drop('a.txt', first));
      await world.work({ only: ['intake'] });
      world.deliver(world.remove('a.txt'));
    },
    expected: { 'a.txt': null },
  },
  {
    name: 'new content meets the upload of the old',
    prepare: async (world) => {
      world.deliver(world.drop('a.txt', first));
      await world.work({ only: ['intake'] });
      world.deliver(world.drop('a.txt', second));
    },
    expected: { 'a.txt': 'Costs fell' },
  },
  {
    name: 'a removal meets the summary of the same document',
    prepare: async (world) => {
      world.deliver(world.drop('a.txt', first));
      await world.work({ only: ['intake'] });
      await world.work({ only: ['upload'] });
      world.deliver(world.remove('a.txt'));
    },
    expected: { 'a.txt': null },
  },
  {
    name: 'two workers get the message for one summary',
    prepare: async (world) => {
      world.deliver(world.drop('a.txt', first));
      await world.work({ only: ['intake'] });
      await world.work({ only: ['upload'] });
      world.queues.summarize.redeliver(world.now());
    },
    expected: { 'a.txt': 'Sales rose' },
  },
  {
    name: 'one docx is printed by two workers',
    prepare: async (world) => {
      world.deliver(world.drop('a.docx', illustrated));
      await world.work({ only: ['intake'] });
      world.queues.render.redeliver(world.now());
    },
    expected: { 'a.docx': 'Printed from a.docx' },
  },
  {
    name: 'a removal meets the printing of the same document',
    prepare: async (world) => {
      world.deliver(world.drop('a.docx', illustrated));
      await world.work({ only: ['intake'] });
      world.deliver(world.remove('a.docx'));
    },
    expected: { 'a.docx': null },
  },
  {
    name: 'new content meets the printing of the old',
    prepare: async (world) => {
      world.deliver(world.drop('a.docx', illustrated));
      await world.work({ only: ['intake'] });
      world.deliver(world.drop('a.docx', second));
    },
    expected: { 'a.docx': 'Costs fell' },
  },
  {
    name: 'a removal meets its own undoing',
    prepare: async (world) => {
      world.deliver(world.drop('a.txt', first));
      await world.drain();
      const removal = world.remove('a.txt');
      world.deliver(removal, world.removeVersion('a.txt', removal.versionId ?? ''));
    },
    expected: { 'a.txt': 'Sales rose' },
  },
  {
    name: 'two events replace the same version',
    prepare: async (world) => {
      world.deliver(world.drop('a.txt', first));
      await world.drain();
      world.deliver(world.drop('a.txt', second), world.drop('a.txt', first));
    },
    expected: { 'a.txt': 'Sales rose' },
  },
];

/** The index of the call with which a worker uploads. */
async function uploadCall(): Promise<number> {
  const world = await World.create(server);
  world.deliver(world.drop('a.txt', first));
  await world.work({ only: ['intake'] });
  const life = await world.work({ only: ['upload'] });
  await world.close();
  return life?.calls.indexOf('claude.uploadFile') ?? -1;
}

let server: LedgerServer;

beforeAll(() => {
  server = memoryLedger();
});
afterAll(() => server.close());

describe.each(meetings)('when $name', ({ prepare, expected }) => {
  test('the invariants hold in every order of their calls', async () => {
    let met = 0;
    const played = await everyPlan(2, async (plan) => {
      const world = await World.create(server);
      try {
        await prepare(world);
        let busy = 0;
        const worker = async (gate: Gate) => {
          if (await world.work({ gate })) busy += 1;
        };
        const { choose, reached } = following(plan);

        await interleave([worker, worker], choose);
        await world.drain();
        world.advance(7 * 3_600_000);
        const { report } = await world.reconcile();

        await checkInvariants(world, expected, 0);
        // No worker died, so there is nothing to repair (converted bytes of superseded versions are swept as always),
        // and no document was given a file that was gone.
        const { unstaged: _, ...repairs } = report?.counts ?? {};
        expect(repairs).toEqual({});
        expect(world.emulator.journal({ status: 404, operation: 'messages.create' })).toEqual([]);
        met = Math.max(met, busy);
        return reached();
      } catch (cause) {
        throw new Error(`worker ${plan.first} first, changing after ${plan.after}`, { cause });
      } finally {
        await world.close();
      }
    });
    expect(met, 'workers that had something to do').toBe(2);
    expect(played).toBeGreaterThan(7);
  }, 120_000);
});
