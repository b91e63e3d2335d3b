import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { costKey, shardCount } from '../ledger/keys.ts';

/** Which costs to sum, and by what. */
export interface CostQuery {
  /** First UTC day, `yyyy-mm-dd`. */
  from: string;
  /** Last UTC day, included; `yyyy-mm-dd`. */
  to: string;
  /**
   * `day`: the UTC day of the reply. `profile`: by name. `prefix`: the first folder of the keys (`contracts/`; empty for keys
   * without one). `model`: as the API named it.
   */
  by: 'day' | 'profile' | 'prefix' | 'model';
}

/** What the paid calls of one group come to. */
export interface CostSum {
  /** The day, profile, folder or model; `unknown` where an entry does not tell. */
  group: string;
  /** Calls that were paid, or may have been. */
  calls: number;
  /** Those among them whose cost is not known: nobody saw their reply, or their model has no price. */
  unknownCalls: number;
  /** USD of the others. */
  costUsd: number;
  /** Tokens read, those from the cache not among them. */
  inputTokens: number;
  outputTokens: number;
  /** Those of the output tokens that were thinking, where the API told. */
  thinkingTokens: number;
  cacheReadTokens: number;
}

/** A cost entry as it is in the table, whatever version wrote it. */
type Entry = Record<string, unknown>;

/**
 * Sums the cost entries of the days, each of them once. They are immutable and stay when a document is removed.
 * @throws RangeError when a day is none, or the last is before the first
 */
export async function sumCosts(
  client: DynamoDBDocumentClient,
  table: string,
  { from, to, by }: CostQuery,
): Promise<CostSum[]> {
  const sums = new Map<string, CostSum & { pico: bigint }>();
  for (const day of daysFrom(from, to)) {
    const shards = Array.from({ length: shardCount }, (_, shard) =>
      eachEntry(client, table, costKey(day, shard, '').pk, (entry) => {
        const group = groupOf(entry, by, day);
        const sum = sums.get(group) ?? { ...nothing, group, pico: 0n };
        sums.set(group, sum);
        add(sum, entry);
      }),
    );
    await Promise.all(shards);
  }
  return [...sums.values()]
    .map(({ pico, ...sum }) => ({ ...sum, costUsd: Number(pico) / 1e12 }))
    .sort((a, b) => (a.group < b.group ? -1 : 1));
}

const nothing = {
  calls: 0,
  unknownCalls: 0,
  costUsd: 0,
  inputTokens: 0,
  outputTokens: 0,
  thinkingTokens: 0,
  cacheReadTokens: 0,
};

async function eachEntry(
  client: DynamoDBDocumentClient,
  table: string,
  pk: string,
  visit: (entry: Entry) => void,
): Promise<void> {
  let cursor: Record<string, unknown> | undefined;
  do {
    const page = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': pk },
        ConsistentRead: true,
        ExclusiveStartKey: cursor,
      }),
    );
    for (const item of page.Items ?? []) visit(item);
    cursor = page.LastEvaluatedKey;
  } while (cursor);
}

function groupOf(entry: Entry, by: CostQuery['by'], day: string): string {
  if (by === 'day') return day;
  const value = entry[by];
  if (typeof value !== 'string') return 'unknown';
  return by === 'prefix' ? firstFolder(value) : value;
}

/** The first folder of a key's folders; the parts of a mail or archive at the top are in none. */
function firstFolder(prefix: string): string {
  const first = prefix.slice(0, prefix.indexOf('/') + 1);
  return /![a-z2-7]{12}\/$/.test(first) ? '' : first;
}

/** Adds an entry; USD in whole trillionths, so that the sum does not depend on the order. */
function add(sum: CostSum & { pico: bigint }, entry: Entry): void {
  sum.calls += 1;
  if (typeof entry.costUsd === 'number') sum.pico += BigInt(Math.round(entry.costUsd * 1e12));
  else sum.unknownCalls += 1;
  for (const field of [
    'inputTokens',
    'outputTokens',
    'thinkingTokens',
    'cacheReadTokens',
  ] as const) {
    const tokens = entry[field];
    if (typeof tokens === 'number') sum[field] += tokens;
  }
}

const dayMs = 24 * 3_600_000;

function daysFrom(from: string, to: string): string[] {
  const [first, last] = [startOf(from, 'from'), startOf(to, 'to')];
  if (last < first) throw new RangeError(`to (${to}) is before from (${from})`);
  const days: string[] = [];
  for (let at = first; at <= last; at += dayMs) days.push(new Date(at).toISOString().slice(0, 10));
  return days;
}

function startOf(day: string, name: string): number {
  const at = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  // Date.parse takes 31 November for 1 December.
  if (!Number.isNaN(at) && new Date(at).toISOString().startsWith(day)) return at;
  throw new RangeError(`${name} must be a day such as 2026-11-30, not "${day}"`);
}
