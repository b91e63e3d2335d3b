import { contentIdOfItem } from '../ledger/contents.ts';
import { indexes, shardCount } from '../ledger/keys.ts';
import { deleteContent } from '../steps/release.ts';
import type { Duty, ReconcileTools } from './duty.ts';
import { note, type ReconcileReport } from './report.ts';

const pageSize = 100;

/**
 * Deletes what is kept for a while after it was replaced, once its time has come: past versions of documents, and the
 * answers about contents that no document refers to. The index has them by that time, oldest first.
 */
export const forgetPast: Duty = async (cursor, tools, report) => {
  const { shard, after } = cursor
    ? (JSON.parse(cursor) as { shard: number; after?: Record<string, unknown> })
    : { shard: 0, after: undefined };
  const page = await tools.table.query({
    index: indexes.byState.name,
    hash: { name: indexes.byState.hash, value: `past#${shard}` },
    limit: pageSize,
    cursor: after,
  });
  const now = new Date(tools.now()).toISOString();
  const due = page.items.filter((item) => String(item[indexes.byState.range]) <= now);
  for (const item of due) await forget(String(item.pk), String(item.sk), tools, report);
  if (page.cursor && due.length === page.items.length) {
    return JSON.stringify({ shard, after: page.cursor });
  }
  return shard + 1 < shardCount ? JSON.stringify({ shard: shard + 1 }) : undefined;
};

async function forget(
  pk: string,
  sk: string,
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<void> {
  const id = pk.slice(pk.indexOf('#') + 1);
  if (sk !== 'CONTENT') {
    note(report, 'pastVersionsDeleted', id);
    if (!tools.dryRun)
      await tools.documents.forgetPast({ documentId: id, order: sk.slice('V#'.length) });
    return;
  }
  const seen = await tools.contents.get(id);
  // A run that died may have begun to delete it.
  const isDue =
    seen?.state === 'past' || (seen?.state === 'deleting' && seen.leaseUntil < tools.now());
  if (!isDue || (await tools.contents.isReferenced(contentIdOfItem(seen)))) return;
  note(report, 'answersDeleted', id);
  if (!tools.dryRun) await deleteContent(seen, true, tools);
}
