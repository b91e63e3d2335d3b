import { contentIdOf, contentName } from '../ledger/content-id.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import { indexes } from '../ledger/keys.ts';
import { isOpen } from '../ledger/version.ts';
import { release } from '../steps/release.ts';
import type { ReconcileTools } from './duty.ts';
import { readDocument } from './read-document.ts';
import { note, type ReconcileReport } from './report.ts';

interface Reference {
  documentId: string;
  order: string;
}

/** How long a release may be in a queue before its reference counts as forgotten, in milliseconds. */
const releaseIsOnItsWayMs = 3_600_000;

/**
 * Compares the references to a content with the documents, both ways, and repairs the difference: a reference whose
 * version was replaced or removed long ago is released, and a document that uses the file without a reference
 * gets one.
 *
 * Documents are read only where the index by file and the references disagree, so a content in order costs two queries.
 * @returns whether the content is referenced now
 */
export async function checkReferences(
  contentId: string,
  fileId: string,
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<boolean> {
  const users = await usersOfFile(fileId, tools);
  const references = await allReferences(contentId, tools);
  const counts = Map.groupBy(references, ({ documentId }) => documentId);
  let held = 0;
  for (const reference of references) {
    const { documentId } = reference;
    const agrees = users.has(documentId) && counts.get(documentId)?.length === 1;
    if (agrees || !(await isForgotten(reference, contentId, tools, report))) {
      held += 1;
      continue;
    }
    note(report, 'referencesReleased', `${contentId} ${documentId}`);
  }
  for (const documentId of users) {
    if (counts.has(documentId)) continue;
    const document = await readDocument(documentId, tools, report);
    if (!document || !uses(document, contentId, fileId)) continue;
    note(report, 'referencesRestored', `${contentId} ${documentId}`);
    held += 1;
    if (!tools.dryRun) await restore(document, contentId, fileId, tools, report);
  }
  return held > 0;
}

/** The documents that stand on a file, by the index. */
async function usersOfFile(fileId: string, { table }: ReconcileTools): Promise<Set<string>> {
  const users = new Set<string>();
  let cursor: Record<string, unknown> | undefined;
  do {
    const page = await table.query({
      index: indexes.byFile.name,
      hash: { name: indexes.byFile.hash, value: fileId },
      range: { name: indexes.byFile.range, beginsWith: 'DOC#' },
      cursor,
    });
    for (const { pk } of page.items) users.add(String(pk).slice('DOC#'.length));
    cursor = page.cursor;
  } while (cursor);
  return users;
}

async function allReferences(contentId: string, { contents }: ReconcileTools) {
  const all: Reference[] = [];
  let cursor: unknown;
  do {
    const page = await contents.references(contentId, { cursor });
    all.push(...page.references);
    cursor = page.cursor;
  } while (cursor);
  return all;
}

/** Releases a reference that no version needs; false when it is needed, or may be. */
async function isForgotten(
  reference: Reference,
  contentId: string,
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<boolean> {
  const document = await readDocument(reference.documentId, tools, report);
  if (!document || document.order <= reference.order) return false;
  if (tools.now() - Date.parse(document.updatedAt) < releaseIsOnItsWayMs) return false;
  // It may yet take the file over, and releases its past when it has a file or has ended.
  if (isOpen(document.status) || document.status === 'held') return false;
  if (tools.dryRun) return true;
  const purge = document.status === 'removed';
  await release({ ...reference, ...contentName(contentId), purge }, tools);
  return true;
}

/** Gives a document its reference; takes it back where the document was removed or replaced meanwhile. */
async function restore(
  { documentId, order }: DocumentItem,
  contentId: string,
  fileId: string,
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<void> {
  await tools.contents.join(contentId, documentId, order);
  const present = await readDocument(documentId, tools, report);
  const stays = present && present.order === order && uses(present, contentId, fileId);
  if (!stays) await tools.contents.leave(contentId, documentId, order);
}

const uses = (document: DocumentItem, contentId: string, fileId: string): boolean => {
  if (document.fileId !== fileId || !document.contentSha256) return false;
  const { contentSha256 } = document;
  return contentIdOf({ contentSha256, contentId: document.contentId }) === contentId;
};
