import { contentIdOf, contentName } from '../ledger/content-id.ts';
import type { DocumentItem, Release } from '../ledger/document-item.ts';
import { retireParts } from './parts.ts';
import type { StepTools } from './tools.ts';

/**
 * Releases what the versions before this one held: their references to contents, and their parts.
 *
 * Called when this version has a file of its own or has ended, never before: a file dropped again
 * unchanged would otherwise lose its remote file for a moment and pay for it again. Releases stay
 * in the record until they were sent, so a crash repeats them; they are idempotent.
 */
export async function releasePast(document: DocumentItem, tools: StepTools): Promise<void> {
  const { releases = [], retiresParts, purgesBefore } = document;
  if (releases.length === 0 && !retiresParts && !purgesBefore) return;
  for (const release of releases) await send(document, release, tools);
  if (purgesBefore) await purge(document, purgesBefore, tools);
  if (retiresParts) await retireParts(document, tools);
  await tools.documents.clearReleases(document);
}

/** As many past versions wait to be released before those without a file are released early. */
const many = 50;

/**
 * Releases past versions that never had a file, once they are many: a file that is overwritten again and again
 * while its lane is stopped must not let its record grow without limit. Versions that had a file wait, because
 * this version may reuse it.
 */
export async function releasePastEarly(document: DocumentItem, tools: StepTools): Promise<void> {
  const { releases = [] } = document;
  if (releases.length <= many) return;
  for (const release of releases) if (!release.hadFile) await send(document, release, tools);
  await tools.documents.keepReleases(
    document,
    releases.filter(({ hadFile }) => hadFile),
  );
}

/**
 * Whether a newer version of the document has yet to release a past one, and may reuse its file: it is
 * waiting for a file of its own. Once it has one, or has ended, its releases are sent or about to be.
 */
export function mayReusePast(present: DocumentItem | undefined, past: { order: string }): boolean {
  const waits = present?.status === 'held' ? present.heldFrom : present?.status;
  if (waits !== 'received' && waits !== 'normalized') return false;
  return present?.releases?.some(({ order }) => order === past.order) ?? false;
}

const send = (
  { documentId, purgesBefore = '' }: DocumentItem,
  { contentSha256, contentId, order }: Release,
  tools: StepTools,
): Promise<void> =>
  tools.send({
    step: 'release',
    documentId,
    order,
    ...contentName(contentIdOf({ contentSha256, contentId })),
    ...(order < purgesBefore ? { purge: true } : {}),
  });

/**
 * Deletes what a removed document left behind: past versions that are kept for a while, what was asked about
 * their contents, and staged bytes.
 */
async function purge(document: DocumentItem, before: string, tools: StepTools): Promise<void> {
  const { documentId } = document;
  for await (const past of tools.documents.past(documentId)) {
    const { contentSha256, contentId, order } = past;
    // What came after the removal is not its business.
    if (order >= before) continue;
    if (contentSha256) {
      await send(document, { contentSha256, contentId, order }, tools);
    }
    await tools.documents.forgetPast(past);
  }
  await tools.documents.forgetBudgets(documentId, before);
  const prefix = `staged/${documentId}/`;
  let startAfter: string | undefined;
  for (;;) {
    const page = await tools.objects.list(tools.stagingBucket, { prefix, startAfter });
    for (const { key } of page.objects) {
      startAfter = key;
      // A newer version may be staging its own.
      const [order = ''] = key.slice(prefix.length).split('/');
      if (order < before) await tools.objects.delete({ bucket: tools.stagingBucket, key });
    }
    if (!page.more) return;
  }
}
