import { contentIdOfItem } from '../ledger/contents.ts';
import { indexes } from '../ledger/keys.ts';
import { deleteContent } from '../steps/release.ts';
import type { Duty, ReconcileTools } from './duty.ts';
import { note, type ReconcileReport } from './report.ts';
import { statePage } from './state-page.ts';

/**
 * Deletes what is kept for a while after it was replaced, once its time has come: past versions of documents, and the
 * answers about contents that no document refers to. The index has them by that time, oldest first.
 */
export const forgetPast: Duty = async (cursor, tools, report) => {
  const { items, next, nextShard } = await statePage('past', cursor, tools);
  const now = new Date(tools.now()).toISOString();
  const due = items.filter((item) => String(item[indexes.byState.range]) <= now);
  for (const item of due) await forget(String(item.pk), String(item.sk), tools, report);
  return due.length === items.length ? next : nextShard;
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
