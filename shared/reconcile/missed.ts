import { documentIdOf } from '../journey/ids.ts';
import { orderAfter } from '../ledger/keys.ts';
import { newestOrder } from '../ledger/version.ts';
import type { Duty } from './duty.ts';
import { readDocument } from './read-document.ts';
import { note } from './report.ts';

/** How long an event may be in transit before its object counts as missed, in milliseconds. */
const onItsWayMs = 3_600_000;

/**
 * Announces objects of the inbox that are missing from the ledger: their events were lost, or they were in the
 * bucket before Dropline was deployed.
 *
 * The sequencer that S3 assigned cannot be looked up. If there is no record, the lowest possible one is used; if
 * the record describes other bytes (or a removal), the one right after the record's newest event. So any real
 * event that still arrives wins, and finds its content known.
 */
export const announceMissed: Duty = async (cursor, tools, report) => {
  const page = await tools.objects.list(tools.inboxBucket, { startAfter: cursor });
  for (const { key, etag, modifiedAt } of page.objects) {
    const document = await readDocument(documentIdOf(tools.inboxBucket, key), tools, report);
    if (document === null) continue;
    const isKnown = document && document.status !== 'removed' && document.etag === etag;
    if (isKnown || (document && tools.now() - modifiedAt < onItsWayMs)) continue;
    const head = await tools.objects.head({ bucket: tools.inboxBucket, key });
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
  return page.more ? page.objects.at(-1)?.key : undefined;
};
