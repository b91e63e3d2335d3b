import { documentIdOf } from '../journey/ids.ts';
import { partAt } from '../steps/part-keys.ts';
import { retireParts } from '../steps/parts.ts';
import type { Duty } from './duty.ts';
import { announceMissedParts, inProgress, type StagedPart } from './missed-parts.ts';
import { addPresent } from './present.ts';
import { readDocument } from './read-document.ts';
import { note } from './report.ts';

/**
 * Pages through the staging bucket and deletes what superseded versions left there: the converted bytes of a
 * file that was removed or overwritten, and parts that a worker staged after a newer event had retired them.
 * Nothing else uses either: a document with the same content staged bytes of its own. Parts whose events were lost are
 * announced again. It notes which parts it has seen, for the duty that looks for lost removals.
 */
export const sweepStaged: Duty = async (cursor, tools, report) => {
  const page = await tools.objects.list(tools.stagingBucket, { startAfter: cursor });
  const parts: StagedPart[] = [];
  for (const { key: staged, sizeBytes } of page.objects) {
    const [kind, containerId = '', version = ''] = staged.split('/');
    // Of parts with tagged keys, the order has a mark behind it.
    const order = version.replace('!', '');
    const document = await readDocument(containerId, tools, report);
    if (!document) continue;
    // A version in progress first announces its own parts, then retires those left from past versions.
    const isOver = order < document.order && !(kind === 'parts' && inProgress(document));
    if (!isOver) {
      if (kind !== 'parts') continue;
      const { key } = partAt(document, staged);
      const documentId = documentIdOf(document.bucket, key);
      parts.push({ documentId, parent: document, order, key, staged, sizeBytes });
      continue;
    }
    note(report, 'unstaged', staged);
    if (tools.dryRun) continue;
    if (kind === 'parts') await retireParts(document, tools);
    else await tools.objects.delete({ bucket: tools.stagingBucket, key: staged });
  }
  await announceMissedParts(parts, tools, report);
  const seen = parts.map(({ documentId }) => documentId);
  await addPresent(seen, tools, report);
  return page.more ? page.objects.at(-1)?.key : undefined;
};
