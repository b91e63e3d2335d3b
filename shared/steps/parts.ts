import type { Conversion, Limits, Part } from '../formats/index.ts';
import { eachAtOnce } from '../journey/each-at-once.ts';
import { Defer } from '../journey/errors.ts';
import { hashFile } from '../journey/hash.ts';
import type { ObjectChange } from '../journey/messages.ts';
import type { Warning } from '../journey/record.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import type { Documents } from '../ledger/documents.ts';
import { orderAfter } from '../ledger/keys.ts';
import { type PartBudget, partsLeftOut, type Root } from '../ledger/part-budget.ts';
import { documentKeyOf, partAt, stagedKey, stagedPrefix } from './part-keys.ts';
import type { StepTools } from './tools.ts';

/** What announcing parts needs besides what every step has. */
export interface PartTools extends StepTools {
  budget: PartBudget;
  limits: Limits;
  /** How long this invocation may still run, in milliseconds. */
  timeLeftMs: () => number;
}

/** Parts that are staged and announced between two looks at the clock and two writes of the cursor. */
const chunkSize = 100;

/** Requests to S3 that are under way at once. */
const requestsAtOnce = 20;

/** Time that is kept for the document itself: to stage its own bytes, and to write its record. */
const reserveMs = 30_000;

/**
 * Stores the files found inside a document in the staging bucket and announces each as a document
 * of its own, under the sequencer of its parent's version: what is announced twice is known. As many as the budget of
 * the dropped file allows; the document and the root say how many were left out.
 *
 * What a crash leaves: the budget granted, which a redelivery finds; then parts announced up to the cursor
 * `partsAnnounced`, from which a redelivery continues. The parts come in the same order each time, because they are
 * in the order of the file.
 * @returns how many parts of the document are documents now
 * @throws Defer `normalize.announcing` when the time of the invocation is used up
 */
export async function announceParts(
  document: DocumentItem,
  { parts, partsBeyondLimit = 0 }: Conversion,
  tools: PartTools,
): Promise<number> {
  const wanted = parts.length + partsBeyondLimit;
  if (wanted === 0) return 0;
  const root = await rootOf(document, tools.documents);
  const { documentId } = document;
  const grant = await tools.budget.grant(root, documentId, wanted, tools.limits.maxParts);
  const granted = parts.slice(0, grant.granted);
  const count = wanted - granted.length;
  // A version that began with untagged keys, under an older release, finishes with them.
  const partKeys = document.hasParts ? document.partKeys : 'tagged';
  const marked = await tools.documents.move(document, document.status, {
    hasParts: document.hasParts || granted.length > 0 || undefined,
    partKeys,
    // The root's counts its whole tree, and is written below.
    ...(count > 0 &&
      root.documentId !== documentId && { partsLeftOut: { code: partsLeftOut, count } }),
  });
  if (!marked) return granted.length;
  if (grant.leftOut > 0) await tools.budget.report(root, grant.leftOut);

  let next = marked.partsAnnounced ?? 0;
  while (next < granted.length) {
    const chunk = granted.slice(next, next + chunkSize);
    await announceChunk(marked, chunk, tools);
    next += chunk.length;
    if (next >= granted.length) break;
    if (!(await tools.documents.move(document, document.status, { partsAnnounced: next }))) break;
    if (tools.timeLeftMs() < reserveMs) {
      throw new Defer({
        code: 'normalize.announcing',
        message: `${next} of ${granted.length} parts are announced; the next run continues.`,
        delayMs: 0,
      });
    }
  }
  return granted.length;
}

/** The warning that some of a file's parts are no documents, because the dropped file has too many. */
export const leftOutWarning = (leftOut: number, found: number, { maxParts }: Limits): Warning => ({
  code: partsLeftOut,
  message: `${leftOut} of ${found} files inside were left out: one dropped file becomes no more than ${maxParts} documents.`,
});

/** The version of the dropped file that a document came out of, at whatever depth. */
async function rootOf(document: DocumentItem, documents: Documents): Promise<Root> {
  let top: DocumentItem = document;
  while (top.parent) {
    const parent = await documents.get(top.parent);
    if (!parent) break;
    top = parent;
  }
  return { documentId: top.documentId, order: document.order };
}

async function announceChunk(
  document: DocumentItem,
  parts: Part[],
  tools: PartTools,
): Promise<void> {
  const { documentId, order, partKeys } = document;
  const tagged = partKeys === 'tagged';
  const originalOf = ({ name }: Part) => ({
    bucket: tools.stagingBucket,
    key: stagedKey(documentId, { order, name, tagged }),
  });
  await eachAtOnce(parts, requestsAtOnce, async (part) => {
    await tools.objects.putFile(originalOf(part), {
      path: part.path,
      sizeBytes: part.sizeBytes,
      sha256: await hashFile(part.path),
      contentType: part.contentType ?? 'application/octet-stream',
    });
  });
  await tools.announce(
    ...parts.map((part) => {
      const key = documentKeyOf(document, { name: part.name, tagged });
      return partChange(document, key, originalOf(part), part.sizeBytes);
    }),
  );
}

/** The event by which a staged part of a document's present version becomes a document itself. */
export const partChange = (
  { documentId, bucket, sequencer, depth = 0, profileAsked }: DocumentItem,
  key: string,
  original: { bucket: string; key: string },
  sizeBytes: number,
): ObjectChange => ({
  kind: 'created',
  bucket,
  key,
  sequencer,
  sizeBytes,
  original,
  parent: documentId,
  depth: depth + 1,
  ...(profileAsked ? { profileAsked } : {}),
});

/**
 * Announces the removal of every part that past versions had and this one has not, and deletes
 * their staged bytes. A part that this version has too was announced again under its sequencer.
 * Parts are compared by their keys as documents: one whose key got its tag with this version is another document now.
 */
export async function retireParts(document: DocumentItem, tools: StepTools): Promise<void> {
  const present = new Set<string>();
  const past: { staged: string; key: string; order: string }[] = [];
  const prefix = stagedPrefix(document.documentId);
  let startAfter: string | undefined;
  for (;;) {
    const page = await tools.objects.list(tools.stagingBucket, { prefix, startAfter });
    for (const { key: staged } of page.objects) {
      startAfter = staged;
      const { order, key } = partAt(document, staged);
      if (order === document.order) present.add(key);
      else if (order < document.order) past.push({ staged, key, order });
    }
    if (!page.more) break;
  }

  for (let next = 0; next < past.length; next += chunkSize) {
    const chunk = past.slice(next, next + chunkSize);
    const gone = chunk.filter(({ key }) => !present.has(key));
    await tools.announce(
      ...gone.map(
        ({ key, order }): ObjectChange => ({
          kind: 'removed',
          bucket: document.bucket,
          key,
          // Just after the version that had it, and before any newer one.
          sequencer: orderAfter(order),
          parent: document.documentId,
          depth: (document.depth ?? 0) + 1,
        }),
      ),
    );
    await eachAtOnce(chunk, requestsAtOnce, ({ staged }) =>
      tools.objects.delete({ bucket: tools.stagingBucket, key: staged }),
    );
  }
}
