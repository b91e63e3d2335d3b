import { isOpen } from '../ledger/version.ts';
import { retireParts } from '../steps/parts.ts';
import type { Duty } from './duty.ts';
import { readDocument } from './read-document.ts';
import { note } from './report.ts';

/**
 * Pages through the staging bucket and deletes what superseded versions left there: the converted bytes of a
 * file that was removed or overwritten, and parts that a worker staged after a newer event had retired them.
 * Nothing else uses either: a document with the same content staged bytes of its own.
 */
export const sweepStaged: Duty = async (cursor, tools, report) => {
  const page = await tools.objects.list(tools.stagingBucket, { startAfter: cursor });
  for (const { key } of page.objects) {
    const [kind, documentId = '', version = ''] = key.split('/');
    // Of parts with tagged keys, the order has a mark behind it.
    const order = version.replace('!', '');
    const document = await readDocument(documentId, tools, report);
    if (!document || order >= document.order) continue;
    // A version in progress first announces its own parts, then retires those left from past versions.
    const inProgress = isOpen(document.status) || document.status === 'held';
    if (kind === 'parts' && inProgress) continue;
    note(report, 'unstaged', key);
    if (tools.dryRun) continue;
    if (kind === 'parts') await retireParts(document, tools);
    else await tools.objects.delete({ bucket: tools.stagingBucket, key });
  }
  return page.more ? page.objects.at(-1)?.key : undefined;
};
