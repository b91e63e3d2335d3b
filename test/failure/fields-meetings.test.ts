import { describe, expect, test } from 'vitest';
import { everyPlan, following, interleave } from '../world/interleave.ts';
import { checkInvariants, type Expected } from '../world/invariants.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import type { Gate } from '../world/mortal.ts';
import { World } from '../world/world.ts';
import { first, waitsForSummary } from './support.ts';

/*
 * Two workers at once on a content that is asked two questions, their calls in every order with up to two switches.
 */

const config = JSON.stringify({
  profiles: [
    {
      prefix: '',
      schema: { type: 'object', properties: { staff: { type: 'integer' } }, required: ['staff'] },
    },
  ],
});

const meetings: { name: string; prepare: (world: World) => Promise<void>; expected: Expected }[] = [
  {
    name: 'the message about the second question is delivered to two workers',
    prepare: async (world) => {
      await waitsForSummary(world);
      await world.work({ only: ['summarize'] });
      world.queues.summarize.redeliver(world.now());
    },
    expected: { 'a.txt': 'Sales rose' },
  },
  {
    name: 'two documents with one content are asked about',
    prepare: async (world) => {
      world.deliver(world.drop('a.txt', first), world.drop('b.txt', first));
      for (let steps = 0; steps < 2; steps += 1) await world.work({ only: ['intake'] });
      for (let steps = 0; steps < 2; steps += 1) await world.work({ only: ['upload'] });
    },
    expected: { 'a.txt': 'Sales rose', 'b.txt': 'Sales rose' },
  },
  {
    name: 'a document is removed while its second question is asked',
    prepare: async (world) => {
      await waitsForSummary(world);
      await world.work({ only: ['summarize'] });
      world.deliver(world.remove('a.txt'));
    },
    expected: { 'a.txt': null },
  },
];

describe.each(meetings)('when $name', ({ prepare, expected }) => {
  test('the invariants hold in every order of their calls', async () => {
    let met = 0;
    await everyPlan(2, async (plan) => {
      const world = await World.create(memoryLedger(), { config });
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
        const { unstaged: _, ...repairs } = report?.counts ?? {};
        expect(repairs).toEqual({});
        for (const [key, content] of Object.entries(expected)) {
          const record = await world.record(key);
          expect(record?.fields?.data, key).toEqual(content === null ? undefined : { staff: 12 });
        }
        met = Math.max(met, busy);
        return reached();
      } catch (cause) {
        throw new Error(`worker ${plan.first} first, changing after ${plan.after}`, { cause });
      } finally {
        await world.close();
      }
    });
    expect(met, 'workers that had something to do').toBe(2);
  }, 120_000);
});
