import { afterEach, expect, test } from 'vitest';
import { checkInvariants } from '../world/invariants.ts';
import { settleDown } from '../world/settle-down.ts';
import { configOf, counters, spentNano } from './money.ts';
import { begin, callsOf, ledger, waitsForSummary, world } from './support.ts';

/* Calls of the worker that pays, which do not go as they should although it lives on. */

afterEach(() => world.close());

const options = { config: configOf({ dailyUsd: 1, monthlyUsd: 1 }) };

const tooMany = (): Error =>
  Object.assign(new Error('Throughput exceeds the current capacity'), {
    name: 'ProvisionedThroughputExceededException',
    $metadata: { httpStatusCode: 400 },
  });

/** The counters hold what was spent, and nothing else but what nobody saw. */
async function settled(where: string): Promise<void> {
  const spent = await spentNano();
  for (const [period, { usedNano, unseenNano, open }] of Object.entries(counters())) {
    expect(open, `${where}: open in ${period}`).toEqual([]);
    expect(usedNano, `${where}: ${period}`).toBe(spent + unseenNano);
  }
}

const isWrite = (name: string) => /^table\.(update|put|delete)$/.test(name);

test('the acknowledgement of each write may be lost', async () => {
  const calls = (await callsOf('summarize', waitsForSummary, options)).filter(isWrite);
  expect(calls.length).toBeGreaterThan(8);

  for (const nth of calls.keys()) {
    await begin(options);
    await waitsForSummary();
    let writes = 0;
    await summarizeOneWith(async (name, make) => {
      if (isWrite(name) && writes++ === nth) ledger.loseAcknowledgement();
      return make();
    });
    const where = `write ${nth} of ${calls.length}`;
    expect(Object.keys(counters()), where).toHaveLength(2);
    await settled(where);
    for (const { unseenNano } of Object.values(counters())) expect(unseenNano, where).toBe(0);
    await checkInvariants(world, { 'a.txt': 'Sales rose' }, 0);
    await world.close();
  }
  await begin();
}, 120_000);

test.each(['before', 'after'] as const)(
  'each call to the ledger may be throttled, once: %s it has its effect',
  async (when) => {
    const calls = (await callsOf('summarize', waitsForSummary, options)).filter(isOfTheTable);

    for (const nth of calls.keys()) {
      await begin(options);
      await waitsForSummary();
      let made = 0;
      const life = await summarizeOneWith(async (name, make) => {
        if (!isOfTheTable(name) || made++ !== nth) return make();
        if (when === 'after') await make();
        throw tooMany();
      });
      const where = `${when} call ${nth} (${calls[nth]})`;
      expect(life?.dead, where).toBe(false);
      await world.drain();
      await settleDown(world);
      await settled(where);
      await checkInvariants(world, { 'a.txt': 'Sales rose' }, 0);
      await world.close();
    }
    await begin();
  },
  120_000,
);

const isOfTheTable = (name: string) => name.startsWith('table.');

/** One worker takes the message that waits for the paid call. */
const summarizeOneWith = (fault: (call: string, make: () => unknown) => Promise<unknown>) =>
  world.work({ fault, only: ['summarize'] });
