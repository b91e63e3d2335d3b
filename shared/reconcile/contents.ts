import type { ContentItem } from '../ledger/contents.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import { indexes } from '../ledger/keys.ts';
import { release } from '../steps/release.ts';
import { liveFile } from '../steps/upload.ts';
import type { ReconcileTools, Slice } from './reconcile.ts';
import { note, type Report } from './report.ts';

/** The API looks up at most 100 ids in one call. */
const pageSize = 100;

/**
 * Looks after the live files, 100 contents and documents at a time: one that is gone or about to
 * expire is uploaded again and its documents told; a content that nobody refers to is released.
 *
 * Documents are visited as well as contents, so that a run that died between a new upload and the
 * telling of its documents is made up for: what stands on a file that is gone is found either way.
 */
export const sweepContents: Slice = async (cursor, tools, report) => {
  const page = await tools.table.scan({
    index: indexes.byFile.name,
    limit: pageSize,
    cursor: cursor ? (JSON.parse(cursor) as Record<string, unknown>) : undefined,
  });
  const entries = page.items.map((item) => ({ pk: String(item.pk), fileId: String(item.fileId) }));
  const lasting = await lastingOf(new Set(entries.map(({ fileId }) => fileId)), tools, report);
  for (const { pk, fileId } of entries) {
    const [kind, id = ''] = pk.split('#');
    if (kind === 'CONTENT') await lookAfterContent(id, fileId, lasting, tools, report);
    else if (!lasting.has(fileId)) await lookAfterDocument(id, fileId, tools, report);
  }
  return page.cursor ? JSON.stringify(page.cursor) : undefined;
};

/** Those of the files that exist and will for a while. */
async function lastingOf(
  ids: Set<string>,
  tools: ReconcileTools,
  report: Report,
): Promise<Set<string>> {
  const until = tools.now() + tools.refreshMs;
  if (tools.dialect === 'beta') return allRemote(tools, report);
  const files = await tools.claude.listFilesByIds([...ids]);
  const lasting = files.filter(({ expiresAt }) => !expiresAt || Date.parse(expiresAt) > until);
  return new Set(lasting.map((file) => file.id));
}

/** Ids of all remote files, by run: the beta dialect has no look-up by ids, and no expiry. */
const remoteByRun = new WeakMap<Report, Set<string>>();

async function allRemote(tools: ReconcileTools, report: Report): Promise<Set<string>> {
  let known = remoteByRun.get(report);
  if (!known) {
    known = new Set();
    for await (const file of tools.claude.iterateFiles()) known.add(file.id);
    remoteByRun.set(report, known);
  }
  return known;
}

async function lookAfterContent(
  sha256: string,
  fileId: string,
  lasting: Set<string>,
  tools: ReconcileTools,
  report: Report,
): Promise<void> {
  if (!(await tools.contents.isReferenced(sha256))) {
    if (tools.keepRemoteFiles) return;
    note(report, 'released', sha256);
    if (!tools.dryRun) await release({ ...nobody, contentSha256: sha256 }, tools);
    return;
  }
  if (lasting.has(fileId)) return;
  const content = await tools.contents.get(sha256);
  if (content?.state !== 'live' || content.fileId !== fileId) return;
  note(report, content.expiresAt ? 'expiring' : 'gone', fileId);
  if (tools.dryRun) return;

  if (!content.expiresAt) await tools.contents.evict(sha256, fileId);
  const users = await usersOf(sha256, tools);
  const source = users.find((document) => document.source);
  if (!source) {
    note(report, 'unrepairable', sha256);
    return;
  }
  const file = await refreshed(content, source, tools);
  for (const document of users) await tell(document, fileId, file, tools);
}

/** A document on a file that is gone, although its content may have another by now. */
async function lookAfterDocument(
  documentId: string,
  fileId: string,
  tools: ReconcileTools,
  report: Report,
): Promise<void> {
  const document = await tools.documents.get(documentId);
  if (document?.fileId !== fileId || !document.contentSha256 || !document.mimeType) return;
  const content = await tools.contents.get(document.contentSha256);
  // The content's own entry in the index is looked after by itself.
  if (content?.state === 'live' && content.fileId === fileId) return;
  note(report, 'retold', documentId);
  if (tools.dryRun) return;
  const { contentSha256, mimeType } = document;
  await tools.contents.join(contentSha256, documentId, document.order);
  const file = await refreshed({ contentSha256, mimeType }, document, tools);
  await tell(document, fileId, file, tools);
}

/** A reference that no document has, to release a content that has none. */
const nobody = { documentId: 'nobody', order: '0' };

type File = Awaited<ReturnType<typeof liveFile>>;

/** The content's file, uploaded again from a document's source where it has to be. */
async function refreshed(
  { contentSha256, mimeType }: Pick<ContentItem, 'contentSha256' | 'mimeType'>,
  { source }: DocumentItem,
  tools: ReconcileTools,
): Promise<File> {
  if (!source) throw new Error(`a document on content ${contentSha256} has no source`);
  const content = { contentSha256, mimeType, source };
  return liveFile(content, { ...tools, expiryMarginMs: tools.refreshMs });
}

/** The documents that refer to the content in their present version. */
async function usersOf(sha256: string, tools: ReconcileTools): Promise<DocumentItem[]> {
  const users: DocumentItem[] = [];
  let cursor: unknown;
  do {
    const page = await tools.contents.references(sha256, { cursor });
    for (const { documentId, order } of page.references) {
      const document = await tools.documents.get(documentId);
      if (document?.order === order) users.push(document);
    }
    cursor = page.cursor;
  } while (cursor);
  return users;
}

async function tell(
  document: DocumentItem,
  was: string,
  file: File,
  tools: ReconcileTools,
): Promise<void> {
  if (document.fileId !== was) return;
  await tools.documents.move(document, document.status, {
    fileId: file.fileId,
    fileExpiresAt: file.expiresAt,
  });
}
