import { documentIdOf } from '../journey/ids.ts';
import { newestOrder } from '../ledger/documents.ts';
import { orderAfter } from '../ledger/keys.ts';
import type { Duty } from './duty.ts';
import { readDocument } from './read-document.ts';
import { note } from './report.ts';

/** How long an event may be on its way before its object counts as missed, in milliseconds. */
const onItsWayMs = 3_600_000;

/**
 * Announces objects of the inbox that the ledger has not heard of: their events were lost, or the bucket was
 * filled before Dropline came.
 *
 * Which sequencer S3 gave is not to be found out. Where there is no record, the lowest there is is taken, and
 * where the record tells of other bytes (or of a removal), the one right after the record's newest event: so
 * any real event that comes still wins, and finds its content known.
 */
export const announceMissed: Duty = async (cursor, tools, report) => {
  const page = await tools.objects.list(tools.inboxBucket, { startAfter: cursor });
  for (const { key, etag, modifiedAt } of page.objects) {
    const document = await readDocument(documentIdOf(tools.inboxBucket, key), tools, report);
    if (document === null) continue;
    const told = document && document.status !== 'removed' && document.etag === etag;
    if (told || (document && tools.now() - modifiedAt < onItsWayMs)) continue;
    const head = await tools.objects.head({ bucket: tools.inboxBucket, key });
    // Removed or overwritten since the listing: then that event is on its way, or came already.
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
