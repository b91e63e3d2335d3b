import { afterEach, expect, test } from 'vitest';
import { pointsOf } from '../world/crash.ts';
import { checkInvariants } from '../world/invariants.ts';
import type { KillPoint } from '../world/mortal.ts';
import { settleDown } from '../world/settle-down.ts';
import type { World } from '../world/world.ts';
import { configOf, counters, spentNano } from './money.ts';
import { begin, callsOf, summarizeOne, waitsForSummary, world } from './support.ts';

afterEach(() => world.close());

const budget = configOf({ dailyUsd: 1, monthlyUsd: 1 });
const scenarios: [string, (w: World) => Promise<void>][] = [
  ['around one call', async (w) => waitsForSummary(w)],
  [
    'around two calls',
    async (w) => {
      w.emulator.addFault({ kind: 'max_tokens', count: 1 });
      await waitsForSummary(w);
    },
  ],
  [
    'around a call whose reply is lost',
    async (w) => {
      w.emulator.addFault({ kind: 'lost_reply', operation: 'messages.create', count: 1 });
      await waitsForSummary(w);
    },
  ],
];

test.each(scenarios)(
  'wherever a worker dies %s, the counters are never too low, and right in the end',
  async (_, happen) => {
    const calls = await callsOf('summarize', happen, { config: budget });
    expect(calls).toContain('claude.countTokens');
    for (const point of pointsOf(calls)) {
      await begin({ config: budget });
      await happen(world);
      await killed(point, calls);
      await world.close();
    }
    await begin();
  },
  120_000,
);

async function killed(point: KillPoint, calls: string[]): Promise<void> {
  const where = `killed ${point.when} call ${point.call} (${calls[point.call]})`;
  await summarizeOne({ kill: point });
  await notTooLow(where);
  await world.drain();
  await notTooLow(where);
  await settleDown(world);
  await checkInvariants(world, { 'a.txt': 'Sales rose' }, 2);
  const all = counters();
  expect(Object.keys(all).length, where).toBeGreaterThanOrEqual(2);
  for (const [period, { usedNano, unseenNano, open }] of Object.entries(all)) {
    expect(open, `${where}: open in ${period}`).toEqual([]);
    expect(usedNano, `${where}: ${period}`).toBe((await spentNano()) + unseenNano);
  }
}

/** A paid call is in the counters, wherever it is in the books. */
async function notTooLow(where: string): Promise<void> {
  const spent = await spentNano();
  const paid = world.calls('messages.create').length;
  if (paid === 0) return;
  for (const period of ['2026-11-22', '2026-11']) {
    const used = counters()[period]?.usedNano ?? 0;
    expect(used, `${where}: ${period}`).toBeGreaterThanOrEqual(spent);
    expect(used, `${where}: ${period}`).toBeGreaterThan(0);
  }
}
