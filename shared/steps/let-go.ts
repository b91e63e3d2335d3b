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
export async function letGo(document: DocumentItem, tools: StepTools): Promise<void> {
  if (!document.releases && !document.retiresParts) return;
  const { documentId } = document;
  for (const { contentSha256, order } of document.releases ?? []) {
    await tools.send({ step: 'release', documentId, order, contentSha256 });
  }
  if (document.retiresParts) await retireParts(document, tools);
  await tools.documents.letGo(document);
}
