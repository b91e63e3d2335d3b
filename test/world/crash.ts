import { checkInvariants, type Expected } from './invariants.ts';
import type { LedgerServer } from './ledger.ts';
import type { KillPoint } from './mortal.ts';
import { settleDown } from './settle-down.ts';
import { type InboxEvent, World, type WorldOptions } from './world.ts';

/** Something that happens to the pipeline while its workers can die. */
export interface Scenario {
  name: string;
  options?: WorldOptions;
  /** What happens before workers can die. */
  prepare?: (world: World) => Promise<void>;
  /** What is delivered to workers that can die. */
  events: (world: World) => InboxEvent[];
  expected: Expected;
  /** Paid calls beyond one a question: replies that are lost, or cut off and asked for again. */
  moreCalls?: number;
}

/** Which worker is killed, and where. */
interface Death extends KillPoint {
  worker: number;
}

/**
 * Kills a worker at every single point in turn, lets the queues deliver again and the reconciler run, and checks
 * the four invariants. There is a point before each outside call and after the last one (after a call is the same
 * as before the next: only the worker's memory is lost). The points are counted in a run without a kill, so a new
 * call in the code is a new point here.
 * @returns how many points there were
 */
export async function crashEverywhere(server: LedgerServer, scenario: Scenario): Promise<number> {
  const calls = await play(server, scenario);
  let points = 0;
  for (const [worker, made] of calls.entries()) {
    for (const point of pointsOf(made)) {
      points += 1;
      await play(server, scenario, { worker, ...point }).catch((cause: unknown) => {
        const where = `${point.when} call ${point.call} (${made[point.call]})`;
        throw new Error(`worker ${worker} was killed ${where}`, { cause });
      });
    }
  }
  return points;
}

/** Plays a scenario, with a kill if given, and returns the calls that each worker made. */
async function play(server: LedgerServer, scenario: Scenario, death?: Death): Promise<string[][]> {
  const world = await World.create(server, scenario.options);
  try {
    await scenario.prepare?.(world);
    world.deliver(...scenario.events(world));
    const calls: string[][] = [];
    for (;;) {
      const kill = death?.worker === calls.length ? death : undefined;
      const life = await world.work({ kill });
      if (!life) break;
      calls.push(life.calls);
    }
    await world.drain();
    await settleDown(world);
    await checkInvariants(world, scenario.expected, (death ? 1 : 0) + (scenario.moreCalls ?? 0));
    return calls;
  } finally {
    await world.close();
  }
}

/** The points at which a worker that makes these calls can die. */
export function pointsOf(calls: string[]): KillPoint[] {
  const before = calls.map((_name, call) => ({ call, when: 'before' }) as const);
  return [...before, { call: calls.length - 1, when: 'after' }];
}
