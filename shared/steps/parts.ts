import type { Part } from '../formats/index.ts';
import { hashFile } from '../journey/hash.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import { orderAfter } from '../ledger/keys.ts';
import type { StepTools } from './tools.ts';

/** The key of a part, as its own document has it: no object of the inbox can end in this by chance. */
export const partKey = (parentKey: string, name: string): string => `${parentKey}!/${name}`;

const prefixOf = (documentId: string): string => `parts/${documentId}/`;

/**
 * Stores the files found inside a document in the staging bucket and announces each as a document
 * of its own, under the sequencer of its parent's version: what is announced twice is known.
 */
export async function announceParts(
  document: DocumentItem,
  parts: Part[],
  tools: StepTools,
): Promise<void> {
  if (parts.length === 0) return;
  const marked = await tools.documents.move(document, document.status, { hasParts: true });
  if (!marked) return;
  for (const part of parts) {
    const original = {
      bucket: tools.stagingBucket,
      key: `${prefixOf(document.documentId)}${document.order}/${part.name}`,
    };
    await tools.objects.putFile(original, {
      path: part.path,
      sizeBytes: part.sizeBytes,
      sha256: await hashFile(part.path),
      contentType: part.contentType ?? 'application/octet-stream',
    });
    await tools.announce({
      kind: 'created',
      bucket: document.bucket,
      key: partKey(document.key, part.name),
      sequencer: document.sequencer,
      sizeBytes: part.sizeBytes,
      original,
      parent: document.documentId,
      depth: (document.depth ?? 0) + 1,
    });
  }
}

/**
 * Announces the removal of every part that past versions had and this one has not, and deletes
 * their staged bytes. A part that this version has too was announced anew under its sequencer.
 */
export async function retireParts(document: DocumentItem, tools: StepTools): Promise<void> {
  const prefix = prefixOf(document.documentId);
  const present = new Set<string>();
  const past: { key: string; order: string; name: string }[] = [];
  let startAfter: string | undefined;
  for (;;) {
    const page = await tools.objects.list(tools.stagingBucket, { prefix, startAfter });
    for (const { key } of page.objects) {
      startAfter = key;
      const [order = '', ...rest] = key.slice(prefix.length).split('/');
      const name = rest.join('/');
      if (order === document.order) present.add(name);
      else if (order < document.order) past.push({ key, order, name });
    }
    if (!page.more) break;
  }

  for (const { key, order, name } of past) {
    if (!present.has(name)) {
      await tools.announce({
        kind: 'removed',
        bucket: document.bucket,
        key: partKey(document.key, name),
        // Just after the version that had it, and before any newer one.
        sequencer: orderAfter(order),
        parent: document.documentId,
        depth: (document.depth ?? 0) + 1,
      });
    }
    await tools.objects.delete({ bucket: tools.stagingBucket, key });
  }
}
