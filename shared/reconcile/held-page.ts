import type { DocumentIn } from '../ledger/document-item.ts';
import { indexes, type Key, shardCount } from '../ledger/keys.ts';
import type { Item } from '../ledger/table.ts';
import type { ReconcileTools } from './duty.ts';
import { parsedDocument } from './read-document.ts';
import type { ReconcileReport } from './report.ts';

/** Where a pass over the held documents is, in every shard of the index at once. */
export interface HeldPlace {
  /** The last index entry that was visited, by shard; `end` where there are no more. A shard that is missing was not begun. */
  shards: Record<string, Item | 'end'>;
  /** Documents that come last, by documentId. */
  openers: string[];
  /** What the budget will pay for documents that this pass has resumed, in billionths of a dollar. */
  promised?: number;
}

export const firstPlace: HeldPlace = { shards: {}, openers: [] };

/** Index entries of a shard that are read at once. */
const pageSize = 100;

/**
 * The next held documents, the oldest version first, across all shards.
 *
 * A page of each shard is read, and the entries up to the earliest end of those pages are taken: what follows in
 * one shard may be newer than what another has not shown yet.
 * @returns the documents in that order, and where the next ones are; no `next` at the end
 */
export async function heldPage(
  { shards, openers }: HeldPlace,
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<{ documents: DocumentIn<'held'>[]; next: HeldPlace | undefined }> {
  const open = Array.from({ length: shardCount }, (_, shard) => shard).filter(
    (shard) => shards[shard] !== 'end',
  );
  const pages = await Promise.all(
    open.map(async (shard) => {
      const { items, cursor } = await tools.table.query({
        index: indexes.byState.name,
        hash: { name: indexes.byState.hash, value: `held#${shard}` },
        limit: pageSize,
        cursor: shards[shard] as Item | undefined,
      });
      return { shard, items, cursor };
    }),
  );
  const ends = pages.flatMap(({ items, cursor }) =>
    cursor && items.length > 0 ? timeOf(items.at(-1)) : [],
  );
  const until = ends.toSorted()[0];
  const taken: Item[] = [];
  const places: HeldPlace['shards'] = { ...shards };
  for (const { shard, items, cursor } of pages) {
    const now = until === undefined ? items : items.filter((item) => timeOf(item) <= until);
    taken.push(...now);
    const last = now.at(-1);
    if (now.length === items.length) places[shard] = cursor ?? 'end';
    else if (last) places[shard] = last;
  }
  taken.sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : 0));
  const isOver = Object.values(places).filter((place) => place === 'end').length === shardCount;
  return {
    documents: await heldDocuments(taken, tools, report),
    next: isOver ? undefined : { shards: places, openers },
  };
}

const timeOf = (entry: Item | undefined): string => String(entry?.[indexes.byState.range] ?? '');

/** The documents behind index entries, as far as they are still held. */
async function heldDocuments(
  entries: readonly Item[],
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<DocumentIn<'held'>[]> {
  const keys = entries.map(({ pk, sk }): Key => ({ pk: String(pk), sk: String(sk) }));
  const chunks: Key[][] = [];
  for (let at = 0; at < keys.length; at += pageSize) chunks.push(keys.slice(at, at + pageSize));
  const items = (await Promise.all(chunks.map((chunk) => tools.table.getMany(chunk)))).flat();
  const byKey = new Map(items.map((item) => [String(item.pk), item]));
  return keys.flatMap(({ pk }) => {
    const item = byKey.get(pk);
    const document = item && parsedDocument(item, report);
    return document?.status === 'held' ? [document] : [];
  });
}
