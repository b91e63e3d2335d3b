import { isFileGone } from '../claude/errors.ts';
import type { ContentItem } from '../ledger/contents.ts';
import { indexes } from '../ledger/keys.ts';
import { release } from '../steps/release.ts';
import type { Claude } from '../steps/tools.ts';
import { liveFile } from '../steps/upload.ts';
import type { ReconcileTools, Slice } from './reconcile.ts';
import { note, type Report } from './report.ts';

/** The API looks up at most 100 ids in one call. */
const pageSize = 100;

/**
 * Looks after the live contents, 100 at a time: a file that is gone or about to expire is uploaded
 * again and every document on it told; a content that nobody refers to any more is released.
 */
export const sweepContents: Slice = async (cursor, tools, report) => {
  const page = await tools.table.scan({
    index: indexes.byFile.name,
    limit: pageSize,
    cursor: cursor ? (JSON.parse(cursor) as Record<string, unknown>) : undefined,
  });
  const contents: ContentItem[] = [];
  for (const key of page.items) {
    if (!String(key.pk).startsWith('CONTENT#')) continue;
    const content = await tools.contents.get(String(key.pk).slice('CONTENT#'.length));
    if (content?.state === 'live' && content.fileId) contents.push(content);
  }
  const existing = await existingOf(contents, tools);
  for (const content of contents) await lookAfter(content, existing, tools, report);
  return page.cursor ? JSON.stringify(page.cursor) : undefined;
};

async function existingOf(contents: ContentItem[], tools: ReconcileTools): Promise<Set<string>> {
  const ids = contents.flatMap((content) => content.fileId ?? []);
  if (tools.dialect === 'ga') {
    const files = await tools.claude.listFilesByIds(ids);
    return new Set(files.map((file) => file.id));
  }
  // The beta dialect has no look-up by ids; paging through everything for each 100 would cost more
  // calls than asking for each.
  const existing = new Set<string>();
  for (const id of ids) if (await exists(id, tools.claude)) existing.add(id);
  return existing;
}

async function exists(fileId: string, claude: Claude): Promise<boolean> {
  try {
    await claude.getFile(fileId);
    return true;
  } catch (error) {
    if (isFileGone(error)) return false;
    throw error;
  }
}

async function lookAfter(
  content: ContentItem,
  existing: Set<string>,
  tools: ReconcileTools,
  report: Report,
): Promise<void> {
  const { contentSha256, fileId } = content;
  if (!fileId) return;
  const gone = !existing.has(fileId);
  const expiring =
    content.expiresAt !== undefined &&
    Date.parse(content.expiresAt) - tools.now() < tools.refreshMs;
  const { references } = await tools.contents.references(contentSha256, { limit: 1 });
  const user = references[0];
  if (!user) {
    if (tools.keepRemoteFiles) return;
    note(report, 'released', contentSha256);
    if (!tools.dryRun) await release({ ...nobody, contentSha256 }, tools);
    return;
  }
  if (!gone && !expiring) return;

  note(report, gone ? 'gone' : 'expiring', fileId);
  if (tools.dryRun) return;
  if (gone) await tools.contents.evict(contentSha256, fileId);
  const file = await uploadAgain(content, tools);
  if (!file) {
    note(report, 'unrepairable', contentSha256);
    return;
  }
  await tellUsers(contentSha256, fileId, file, tools);
}

/** A reference that no document has, to release a content that has none. */
const nobody = { documentId: 'nobody', order: '0' };

/** Uploads the content from the source of any document that uses it. */
async function uploadAgain(content: ContentItem, tools: ReconcileTools) {
  const { contentSha256, mimeType } = content;
  const { references } = await tools.contents.references(contentSha256, { limit: 10 });
  for (const { documentId, order } of references) {
    const document = await tools.documents.get(documentId);
    if (document?.order !== order || !document.source) continue;
    return liveFile(
      { contentSha256, mimeType, source: document.source },
      { ...tools, expiryMarginMs: tools.refreshMs },
    );
  }
  return undefined;
}

async function tellUsers(
  contentSha256: string,
  was: string,
  file: { fileId: string; expiresAt?: string | undefined },
  tools: ReconcileTools,
): Promise<void> {
  let cursor: unknown;
  do {
    const page = await tools.contents.references(contentSha256, { cursor });
    for (const { documentId, order } of page.references) {
      const document = await tools.documents.get(documentId);
      if (document?.order !== order || document.fileId !== was) continue;
      await tools.documents.move(document, document.status, {
        fileId: file.fileId,
        fileExpiresAt: file.expiresAt,
      });
    }
    cursor = page.cursor;
  } while (cursor);
}
