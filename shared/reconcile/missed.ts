import { ObjectUnreadable } from '../aws/objects.ts';
import { documentIdOf } from '../journey/ids.ts';
import { orderAfter } from '../ledger/keys.ts';
import { newestOrder } from '../ledger/version.ts';
import type { Duty, ReconcileTools } from './duty.ts';
import { mayAnnounce, onItsWayMs } from './intake.ts';
import { addPresent, forgetPresent } from './present.ts';
import { readDocument } from './read-document.ts';
import { note } from './report.ts';

/**
 * Announces objects of the inbox that are missing from the ledger: their events were lost, or they were in the
 * bucket before Dropline was deployed. It notes which objects it has seen, for the duty that looks for lost removals.
 *
 * The sequencer that S3 assigned cannot be looked up. If there is no record, the lowest possible one is used; if
 * the record describes other bytes (or a removal), the one right after the record's newest event. So any real
 * event that still arrives wins, and finds its content known.
 */
export const announceMissed: Duty = async (cursor, tools, report) => {
  if (cursor === undefined) await forgetPresent(tools);
  const page = await tools.objects.list(tools.inboxBucket, { startAfter: cursor });
  for (const { key, etag, modifiedAt } of page.objects) {
    const document = await readDocument(documentIdOf(tools.inboxBucket, key), tools, report);
    if (document === null) continue;
    if (document && document.status !== 'removed' && document.etag === etag) continue;
    const ageMs = tools.now() - modifiedAt;
    if (ageMs < onItsWayMs) continue;
    if (!mayAnnounce(ageMs, tools)) {
      note(report, 'inBacklog', key);
      continue;
    }
    const head = await headOf(key, etag, tools);
    // Removed or overwritten since the listing: that event is in transit, or has already arrived.
    if (!head || head.etag !== etag) continue;
    note(report, 'announced', key);
    if (tools.dryRun) continue;
    await tools.announce({
      kind: 'created',
      bucket: tools.inboxBucket,
      key,
      etag,
      versionId: head.versionId,
      sequencer: document ? orderAfter(newestOrder(document)) : '0',
      sizeBytes: head.sizeBytes,
    });
  }
  const seen = page.objects.map(({ key }) => documentIdOf(tools.inboxBucket, key));
  await addPresent(seen, tools, report);
  return page.more ? page.objects.at(-1)?.key : undefined;
};

/** The object as S3 describes it. Of one that may not be read, what the listing said: its record tells the reason. */
async function headOf(
  key: string,
  etag: string,
  tools: ReconcileTools,
): Promise<Awaited<ReturnType<ReconcileTools['objects']['head']>>> {
  try {
    return await tools.objects.head({ bucket: tools.inboxBucket, key });
  } catch (error) {
    if (error instanceof ObjectUnreadable) return { etag, sizeBytes: 0 };
    throw error;
  }
}
