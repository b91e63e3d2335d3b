import type { DocumentItem } from '../ledger/document-item.ts';
import { retireParts } from './parts.ts';
import type { StepTools } from './tools.ts';

/**
 * Lets go of what the versions before this one held: their references to contents, and their parts.
 *
 * Called when this version has a file of its own or has ended, never before: a file dropped again
 * unchanged would otherwise lose its remote file for a moment and pay for it again. Releases stay
 * in the record until they were sent, so a crash repeats them; they are idempotent.
 */
export async function releasePast(document: DocumentItem, tools: StepTools): Promise<void> {
  if (!document.releases && !document.retiresParts) return;
  const { documentId } = document;
  for (const { contentSha256, order } of document.releases ?? []) {
    await tools.send({ step: 'release', documentId, order, contentSha256 });
  }
  if (document.retiresParts) await retireParts(document, tools);
  await tools.documents.clearReleases(document);
}

/** As many past versions wait to be let go before those without a file are let go early. */
const many = 50;

/**
 * Lets go of past versions that never had a file, once they are many: a file that is overwritten again and
 * again while its lane is stopped must not let its record grow for ever. Those that had one wait, for this version
 * may go on with it.
 */
export async function releasePastEarly(document: DocumentItem, tools: StepTools): Promise<void> {
  const { documentId, releases = [] } = document;
  if (releases.length <= many) return;
  for (const { contentSha256, order, hadFile } of releases) {
    if (!hadFile) await tools.send({ step: 'release', documentId, order, contentSha256 });
  }
  await tools.documents.keepReleases(
    document,
    releases.filter(({ hadFile }) => hadFile),
  );
}

/**
 * Whether a newer version of the document has yet to let go of a past one, and may go on with its file: it
 * waits to have one of its own. Once it has, or has ended, its releases are sent or about to be.
 */
export function mayReusePast(present: DocumentItem | undefined, past: { order: string }): boolean {
  const waits = present?.status === 'held' ? present.heldFrom : present?.status;
  if (waits !== 'received' && waits !== 'normalized') return false;
  return present?.releases?.some(({ order }) => order === past.order) ?? false;
}
