import { expect, test } from 'vitest';
import { illustratedReport } from '../fixtures/documents.ts';
import { checkInvariants, type Expected } from '../world/invariants.ts';
import { mailWith } from '../world/mail.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { type InboxEvent, partOf, World } from '../world/world.ts';

/**
 * AWS throttles each call of a worker in turn, for longer than the SDK retries: before the call has its effect, or after. No
 * document loses an attempt, no message becomes a dead letter, however long that lasts.
 */

interface Scenario {
  name: string;
  /** What happens before AWS throttles. */
  prepare?: (world: World) => Promise<void>;
  events: (world: World) => InboxEvent[];
  expected: Expected;
}

const illustrated = await illustratedReport();
const server = memoryLedger();

const scenarios: Scenario[] = [
  {
    name: 'a text',
    events: (world) => [world.drop('a.txt', 'Some text. Sales rose by 12 percent. It is short.')],
    expected: { 'a.txt': 'Sales rose' },
  },
  {
    name: 'a mail with an attachment',
    events: (world) => [world.drop('a.eml', mailWith('valves'))],
    expected: { 'a.eml': 'turbines', [partOf('a.eml', 'valves.txt')]: 'valves' },
  },
  {
    name: 'a docx that is printed',
    events: (world) => [world.drop('a.docx', illustrated)],
    expected: { 'a.docx': 'Printed from a docx' },
  },
  {
    name: 'the removal of a mail with an attachment',
    prepare: async (world) => {
      world.deliver(world.drop('a.eml', mailWith('valves')));
      await world.drain();
    },
    events: (world) => [world.remove('a.eml')],
    expected: { 'a.eml': null, [partOf('a.eml', 'valves.txt')]: null },
  },
];

/** The queues whose workers are throttled. What holds a paid reply has rules of its own. */
const throttled = ['intake', 'render', 'upload'] as const;

const tooMany = (): Error =>
  Object.assign(new Error('Throughput exceeds the current capacity'), {
    name: 'ProvisionedThroughputExceededException',
    $metadata: { httpStatusCode: 400 },
  });

/** Throttles the nth call to AWS, then the first one of the next six deliveries, and returns how many calls there were. */
async function play(scenario: Scenario, nth: number, when: 'before' | 'after'): Promise<number> {
  const world = await World.create(server);
  try {
    await scenario.prepare?.(world);
    world.deliver(...scenario.events(world));
    let calls = 0;
    let times = 0;
    for (;;) {
      // Calls are counted over all workers until the one that is throttled comes back.
      const fault = async (name: string, make: () => unknown) => {
        if (name.startsWith('claude.') || name.startsWith('queues.')) return make();
        calls += 1;
        if (calls !== nth || times >= 7) return make();
        calls -= 1;
        times += 1;
        if (when === 'after') await make();
        throw tooMany();
      };
      const life = await world.work({ only: throttled, fault });
      if (life) continue;
      const next = Math.min(...throttled.map((name) => world.queues[name].nextAt() ?? Infinity));
      if (next === Infinity) break;
      world.advance(Math.max(0, next - world.now()));
    }
    for (const key of Object.keys(scenario.expected)) {
      const { attempts, error } = (await world.record(key)) ?? {};
      expect(error).toBeUndefined();
      expect(Object.values(attempts ?? {}).every((count) => count === 1)).toBe(true);
    }
    await world.drain();
    for (const queue of Object.values(world.queues)) expect(queue.deadLetters).toEqual([]);
    await checkInvariants(world, scenario.expected, 0);
    return calls;
  } catch (cause) {
    throw new Error(`throttled ${when} call ${nth}`, { cause });
  } finally {
    await world.close();
  }
}

test.each(scenarios)(
  'the calls for $name may be throttled, each for minutes',
  async (scenario) => {
    const calls = await play(scenario, 0, 'before');
    expect(calls).toBeGreaterThan(8);

    for (let nth = 1; nth <= calls; nth += 1) {
      await play(scenario, nth, 'before');
      await play(scenario, nth, 'after');
    }
  },
  120_000,
);
