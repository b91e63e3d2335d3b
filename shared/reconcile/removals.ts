import { ObjectUnreadable } from '../aws/objects.ts';
import { eachAtOnce } from '../journey/each-at-once.ts';
import { once } from '../journey/once.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import { indexes, type Key, orderAfter } from '../ledger/keys.ts';
import { isOpen, newestOrder } from '../ledger/version.ts';
import type { Duty, ReconcileTools } from './duty.ts';
import { mayAnnounce, onItsWayMs } from './intake.ts';
import { forgetPresent, presence } from './present.ts';
import { parsedDocument, readDocument } from './read-document.ts';
import { note, type ReconcileReport } from './report.ts';

/** Index entries that are read at once. */
const pageSize = 1_000;

/** Documents in one read. */
const readSize = 100;

/** Requests to S3 that are under way at once. */
const requestsAtOnce = 20;

/**
 * Announces the removal of documents whose objects are gone: their removal events were lost, or ended among the dead
 * letters. It visits every document that the sweep has not seen an object of, and asks S3 about it. A part is gone with
 * its container.
 *
 * The sequencer is the one right after the record's newest event, so any real event that still arrives wins.
 */
export const announceRemoved: Duty = async (cursor, tools, report) => {
  const page = await tools.table.scan({
    index: indexes.byDay.name,
    limit: pageSize,
    cursor: cursor ? (JSON.parse(cursor) as Record<string, unknown>) : undefined,
  });
  const isPresent = await presence(tools, report);
  const absent = page.items
    .map(({ pk, sk }): Key => ({ pk: String(pk), sk: String(sk) }))
    .filter(({ pk }) => !isPresent(pk.slice('DOC#'.length)));
  const inboxIsThere = once(() => tools.objects.list(tools.inboxBucket));
  for (let at = 0; at < absent.length; at += readSize) {
    const items = await tools.table.getMany(absent.slice(at, at + readSize));
    const documents = items.flatMap((item) => parsedDocument(item, report) ?? []);
    await eachAtOnce(documents, requestsAtOnce, async (document) => {
      if (document.status === 'removed') return;
      if (!(await isGone(document, tools, report))) return;
      // S3 answers a HEAD in a bucket that does not exist as it does for an object that does not: this throws.
      await inboxIsThere();
      if (!mayAnnounce(ageOf(document, tools), tools)) {
        note(report, 'inBacklog', document.documentId);
        return;
      }
      note(report, 'removalsAnnounced', document.documentId);
      if (!tools.dryRun) await announceRemoval(document, tools);
    });
  }
  if (page.cursor) return JSON.stringify(page.cursor);
  await forgetPresent(tools);
  return undefined;
};

async function isGone(
  document: DocumentItem,
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<boolean> {
  if (document.parent) return hasLostParent(document, document.parent, tools, report);
  // The object may be newer than the sweep's listing, and its removal event may be in transit.
  if (ageOf(document, tools) < onItsWayMs) return false;
  const { bucket, key } = document;
  // The bucket of a former deployment that used the same table is not ours to judge.
  if (bucket !== tools.inboxBucket) return false;
  try {
    return (await tools.objects.head({ bucket, key })) === undefined;
  } catch (error) {
    // It is there, and may not be read.
    if (error instanceof ObjectUnreadable) return false;
    throw error;
  }
}

/** Whether the container of a part was removed, or ended without this part. */
async function hasLostParent(
  document: DocumentItem,
  parentId: string,
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<boolean> {
  const parent = await readDocument(parentId, tools, report);
  if (!parent || parent.order <= document.order || ageOf(parent, tools) < onItsWayMs) return false;
  // It still has its parts announced, and then retires those that it no longer has.
  return !isOpen(parent.status) && parent.status !== 'held';
}

const announceRemoval = (document: DocumentItem, tools: ReconcileTools): Promise<void> =>
  tools.announce({
    kind: 'removed',
    bucket: document.bucket,
    key: document.key,
    sequencer: orderAfter(newestOrder(document)),
    ...(document.parent ? { parent: document.parent, depth: document.depth } : {}),
  });

const ageOf = ({ updatedAt }: DocumentItem, tools: ReconcileTools): number =>
  tools.now() - Date.parse(updatedAt);
