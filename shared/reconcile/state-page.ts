import { indexes, shardCount } from '../ledger/keys.ts';
import type { Item } from '../ledger/table.ts';
import type { ReconcileTools } from './duty.ts';

const pageSize = 100;

/** Index entries in one state, and where a duty goes on from them. */
interface StatePage {
  items: Item[];
  /** The cursor behind this page; `undefined` at the end. */
  next: string | undefined;
  /** The cursor at the beginning of the next shard; `undefined` when this is the last. */
  nextShard: string | undefined;
}

/**
 * A page of the index by state, one shard after the other, the oldest entries of each first.
 * @param cursor what the page before gave; from the beginning without it
 */
export async function statePage(
  state: 'open' | 'failed' | 'past',
  cursor: string | undefined,
  { table }: Pick<ReconcileTools, 'table'>,
): Promise<StatePage> {
  const { shard, after } = cursor
    ? (JSON.parse(cursor) as { shard: number; after?: Item })
    : { shard: 0, after: undefined };
  const page = await table.query({
    index: indexes.byState.name,
    hash: { name: indexes.byState.hash, value: `${state}#${shard}` },
    limit: pageSize,
    cursor: after,
  });
  const nextShard = shard + 1 < shardCount ? JSON.stringify({ shard: shard + 1 }) : undefined;
  const next = page.cursor ? JSON.stringify({ shard, after: page.cursor }) : nextShard;
  return { items: page.items, next, nextShard };
}
