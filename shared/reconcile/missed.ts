import { documentIdOf } from '../ids.ts';
import type { Slice } from './reconcile.ts';
import { note } from './report.ts';

/**
 * Announces objects of the inbox that the ledger has never heard of: their events were lost, or
 * the bucket was filled before Dropline came. The sequencer given is the lowest there is, so that
 * any real event of the key still wins.
 */
export const announceMissed: Slice = async (cursor, tools, report) => {
  const page = await tools.objects.list(tools.inboxBucket, { startAfter: cursor });
  for (const { key, etag, sizeBytes } of page.objects) {
    const document = await tools.documents.get(documentIdOf(tools.inboxBucket, key));
    if (document) continue;
    note(report, 'announced', key);
    if (tools.dryRun) continue;
    const head = await tools.objects.head({ bucket: tools.inboxBucket, key });
    if (!head) continue;
    await tools.announce({
      kind: 'created',
      bucket: tools.inboxBucket,
      key,
      etag: head.etag ?? etag,
      versionId: head.versionId,
      sequencer: '0',
      sizeBytes: head.sizeBytes ?? sizeBytes,
    });
  }
  return page.more ? page.objects.at(-1)?.key : undefined;
};
