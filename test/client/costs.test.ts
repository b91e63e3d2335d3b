import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type CostSum, DroplineReader } from '../../shared/client/index.ts';
import { costKey } from '../../shared/ledger/keys.ts';
import { type LedgerServer, startLedgerServer } from '../world/ledger.ts';
import { mailWith } from '../world/mail.ts';
import { settleDown } from '../world/settle-down.ts';
import { World } from '../world/world.ts';

/* What an app reads about costs, from a ledger that the real functions have written. */

let server: LedgerServer;
let client: DynamoDBClient;
let worlds = 0;
let world: World;

beforeAll(async () => {
  server = await startLedgerServer();
  client = new DynamoDBClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
});
afterAll(() => {
  client.destroy();
  server.close();
});
afterEach(() => world.close());

async function begin(config?: object): Promise<DroplineReader> {
  world = await World.create(server, config ? { config: JSON.stringify(config) } : {});
  worlds += 1;
  return new DroplineReader({ table: `ledger-${worlds}`, client });
}

const day = '2026-11-22';
const next = '2026-11-23';
const words = (name: string) => `The text of ${name}. It is about ${name} alone. It ends here.`;

async function dropped(...keys: string[]): Promise<void> {
  world.deliver(...keys.map((key) => world.drop(key, words(key))));
  await world.drain();
}

const usdOf = (sums: CostSum[]): number => sums.reduce((sum, { costUsd }) => sum + costUsd, 0);

/** What the stand-in has billed, as its journal tells. */
const tokensBilled = () =>
  world.calls('messages.create').reduce((sum, { usage }) => sum + (usage?.outputTokens ?? 0), 0);

const config = {
  profiles: [
    { prefix: 'contracts/', model: 'claude-sonnet-5-5' },
    { prefix: 'x/', name: 'x', prompt: 'What is x?' },
  ],
};

test('costs are summed by day, profile, folder and model', async () => {
  const reader = await begin(config);
  await dropped('a.txt', 'contracts/2026/b.txt', 'contracts/c.txt', 'x/d.txt');
  world.deliver(world.drop('mail.eml', mailWith('pumps')));
  await world.drain();
  world.advance(24 * 3_600_000);
  await dropped('e.txt');

  const by = (group: 'day' | 'profile' | 'prefix' | 'model') =>
    reader.costs({ from: day, to: next, by: group });
  const countsOf = (sums: CostSum[]) => sums.map(({ group, calls }) => [group, calls]);
  expect(countsOf(await by('day'))).toEqual([
    [day, 6],
    [next, 1],
  ]);
  expect(countsOf(await by('profile'))).toEqual([
    ['contracts', 2],
    ['default', 4],
    ['x', 1],
  ]);
  // The attachment of a mail that is in no folder is in none either.
  expect(countsOf(await by('prefix'))).toEqual([
    ['', 4],
    ['contracts/', 2],
    ['x/', 1],
  ]);
  expect(countsOf(await by('model'))).toEqual([
    ['claude-haiku-5-5', 5],
    ['claude-sonnet-5-5', 2],
  ]);
  const records = await Promise.all(
    ['a.txt', 'contracts/2026/b.txt', 'contracts/c.txt', 'x/d.txt', 'e.txt'].map((key) =>
      world.record(key),
    ),
  );
  const known = records.reduce((sum, record) => sum + (record?.usage?.costUsd ?? 0), 0);
  const all = usdOf(await by('day'));
  expect(all).toBeGreaterThan(known);
  expect(usdOf(await by('profile'))).toBeCloseTo(all, 12);
  expect(usdOf(await by('model'))).toBeCloseTo(all, 12);
  expect(await reader.costs({ from: '2026-11-24', to: '2026-12-01', by: 'day' })).toEqual([]);
});

test('every call counts once under redelivery, and stays when its document is removed', async () => {
  const reader = await begin();
  await dropped('a.txt', 'b.txt');
  const query = { from: day, to: day, by: 'profile' } as const;
  const before = await reader.costs(query);
  expect(before).toMatchObject([{ group: 'default', calls: 2, unknownCalls: 0 }]);
  expect(before[0]?.outputTokens).toBe(tokensBilled());

  world.deliver(...world.events);
  for (const queue of Object.values(world.queues)) queue.redeliver(world.now());
  await world.drain();
  world.deliver(world.remove('a.txt'));
  await world.drain();
  await settleDown(world);

  expect(await reader.costs(query)).toEqual(before);
  const entries = (await world.items()).filter(({ pk }) => String(pk).startsWith('COST#'));
  expect(JSON.stringify(entries)).not.toContain('a.txt');
});

test('calls whose cost is not known are counted apart', async () => {
  const reader = await begin();
  world.emulator.addFault({ kind: 'lost_reply', operation: 'messages.create', count: 1 });
  await dropped('a.txt');

  const [sum, ...more] = await reader.costs({ from: day, to: day, by: 'model' });
  expect(more).toEqual([]);
  expect(sum).toMatchObject({ group: 'claude-haiku-5-5', calls: 2, unknownCalls: 1 });
  expect(sum?.costUsd).toBe((await world.record('a.txt'))?.usage?.costUsd);
});

describe('an entry of another version', () => {
  test('without a field is unknown in that group, and its cost counts', async () => {
    const reader = await begin();
    await world.table.put({ ...costKey(day, 3, 'c#q#l#1'), costUsd: 0.25, at: `${day}T01:00:00Z` });
    const sum = { calls: 1, costUsd: 0.25, unknownCalls: 0, inputTokens: 0, outputTokens: 0 };

    for (const by of ['profile', 'prefix', 'model'] as const) {
      expect(await reader.costs({ from: day, to: day, by })).toMatchObject([
        { group: 'unknown', ...sum },
      ]);
    }
    expect(await reader.costs({ from: day, to: day, by: 'day' })).toMatchObject([
      { group: day, ...sum },
    ]);
  });
});

test('many entries are read page by page, and sum up exactly', async () => {
  const reader = await begin();
  // Two pages of a megabyte a shard.
  for (let n = 0; n < 800; n += 1) {
    await world.table.put({
      ...costKey(day, n % 8, `${'c'.repeat(64)}#${'q'.repeat(32)}#life-${n}#1`),
      costUsd: 0.1,
      model: 'm'.repeat(12_000),
    });
  }
  const [sum] = await reader.costs({ from: day, to: day, by: 'day' });
  expect(sum).toMatchObject({ calls: 800, costUsd: 80 });
}, 60_000);

test.each([
  [{ from: '2026-11-2', to: day }, 'from must be a day such as 2026-11-30, not "2026-11-2"'],
  [{ from: day, to: '2026-11-31' }, 'to must be a day such as 2026-11-30, not "2026-11-31"'],
  [{ from: next, to: day }, 'to (2026-11-22) is before from (2026-11-23)'],
])('%j is refused', async (range, message) => {
  const reader = await begin();
  const refused = reader.costs({ ...range, by: 'day' });

  await expect(refused).rejects.toThrow(RangeError);
  await expect(refused).rejects.toThrow(message);
});
