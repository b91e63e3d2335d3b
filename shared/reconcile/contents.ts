import { NotFound } from '../claude/errors.ts';
import { outcomeOf } from '../claude/outcome.ts';
import { Defer, RejectDocument, RetryLater } from '../journey/errors.ts';
import type { ContentItem } from '../ledger/contents.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import { indexes } from '../ledger/keys.ts';
import { release } from '../steps/release.ts';
import { liveFile } from '../steps/upload.ts';
import type { Duty, ReconcileTools } from './duty.ts';
import { readDocument } from './read-document.ts';
import { note, type ReconcileReport } from './report.ts';

/** The API looks up at most 100 ids in one call. */
const pageSize = 100;

/**
 * Looks after the live files, 100 contents and documents at a time: one that is gone or about to
 * expire is uploaded again and its documents told; a content that nobody refers to is released.
 *
 * Documents are visited as well as contents, so that a run that died between a new upload and the
 * telling of its documents is made up for: what stands on a file that is gone is found either way.
 */
export const sweepContents: Duty = async (cursor, tools, report) => {
  const page = await tools.table.scan({
    index: indexes.byFile.name,
    limit: pageSize,
    cursor: cursor ? (JSON.parse(cursor) as Record<string, unknown>) : undefined,
  });
  const entries = page.items.map((item) => ({ pk: String(item.pk), fileId: String(item.fileId) }));
  const fates = await fatesOf(new Set(entries.map(({ fileId }) => fileId)), tools, report);
  for (const { pk, fileId } of entries) {
    const [kind, id = ''] = pk.split('#');
    const fate = fates.get(fileId) ?? 'gone';
    await byItself(id, report, async () => {
      if (kind === 'CONTENT') await lookAfterContent(id, fileId, fate, tools, report);
      else if (fate !== 'lasting') await lookAfterDocument(id, fileId, tools, report);
    });
  }
  return page.cursor ? JSON.stringify(page.cursor) : undefined;
};

/** One content that cannot be mended must not keep the others from it. */
async function byItself(
  id: string,
  report: ReconcileReport,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    const { error } = outcomeOf(thrown, 'reconcile');
    // Another worker is uploading the very content: then it is being looked after.
    if (error instanceof Defer && error.code === 'upload.under_way') return;
    if (!(error instanceof RejectDocument) && !(error instanceof RetryLater)) throw error;
    note(report, 'unrepaired', `${id}: ${error.code}: ${error.message}`);
  }
}

/** What becomes of a remote file: it exists and will for a while, it will expire soon, it is gone. */
type Fate = 'lasting' | 'expiring' | 'gone';

async function fatesOf(
  ids: Set<string>,
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<Map<string, Fate>> {
  const until = tools.now() + tools.refreshMs;
  const fateOf = ({ expiresAt }: { expiresAt?: string | undefined }): Fate =>
    !expiresAt || Date.parse(expiresAt) > until ? 'lasting' : 'expiring';

  const fates = new Map<string, Fate>();
  if (tools.dialect === 'beta') {
    for (const id of await allRemote(tools, report)) if (ids.has(id)) fates.set(id, 'lasting');
  } else {
    for (const file of await tools.claude.listFilesByIds([...ids]))
      fates.set(file.id, fateOf(file));
  }
  // A list may be older than the file (in beta it was read when the run began), and what is taken
  // for gone is uploaded again: so each is asked for by itself first.
  for (const id of ids) {
    if (fates.has(id)) continue;
    const file = await tools.claude.getFile(id).catch((error: unknown) => {
      if (error instanceof NotFound) return undefined;
      throw error;
    });
    fates.set(id, file ? fateOf(file) : 'gone');
  }
  return fates;
}

/** Ids of all remote files, by run: the beta dialect has no look-up by ids, and no expiry. */
const remoteByRun = new WeakMap<ReconcileReport, Set<string>>();

async function allRemote(tools: ReconcileTools, report: ReconcileReport): Promise<Set<string>> {
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
  fate: Fate,
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<void> {
  if (!(await tools.contents.isReferenced(sha256))) {
    if (tools.keepRemoteFiles) return;
    note(report, 'released', sha256);
    if (!tools.dryRun) await release({ ...nobody, contentSha256: sha256 }, tools);
    return;
  }
  if (fate === 'lasting') return;
  const content = await tools.contents.get(sha256);
  if (content?.state !== 'live' || content.fileId !== fileId) return;
  note(report, fate, fileId);
  if (tools.dryRun) return;

  if (fate === 'gone') await tools.contents.evict(sha256, fileId);
  const file = await refreshed(content, tools, report);
  for await (const document of usersOf(sha256, tools, report)) {
    await tools.documents.refile(document, fileId, file);
  }
}

/** A document on a file that is gone, although its content may have another by now. */
async function lookAfterDocument(
  documentId: string,
  fileId: string,
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<void> {
  const document = await readDocument(documentId, tools, report);
  if (document?.fileId !== fileId || !document.contentSha256 || !document.mimeType) return;
  const content = await tools.contents.get(document.contentSha256);
  // The content's own entry in the index is looked after by itself.
  if (content?.state === 'live' && content.fileId === fileId) return;
  note(report, 'retold', documentId);
  if (tools.dryRun) return;
  const { contentSha256, mimeType } = document;
  await tools.documents.refile(
    document,
    fileId,
    await refreshed({ contentSha256, mimeType }, tools, report),
  );
}

/** A reference that no document has, to release a content that has none. */
const nobody = { documentId: 'nobody', order: '0' };

type File = Awaited<ReturnType<typeof liveFile>>;

/**
 * The content's file, uploaded again where it has to be: from the first of its documents whose bytes
 * are still to be had.
 * @throws RejectDocument `upload.source_lost` when none has them
 */
async function refreshed(
  { contentSha256, mimeType }: Pick<ContentItem, 'contentSha256' | 'mimeType'>,
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<File> {
  let lost: RejectDocument | undefined;
  for await (const { source } of usersOf(contentSha256, tools, report)) {
    if (!source) continue;
    try {
      const content = { contentSha256, mimeType, source };
      return await liveFile(content, { ...tools, expiryMarginMs: tools.refreshMs });
    } catch (error) {
      if (!(error instanceof RejectDocument)) throw error;
      lost = error;
    }
  }
  throw (
    lost ??
    new RejectDocument({
      code: 'upload.source_lost',
      message: 'No document that refers to this content knows where its bytes are.',
    })
  );
}

/** The documents that refer to the content in their present version. */
async function* usersOf(
  sha256: string,
  tools: ReconcileTools,
  report: ReconcileReport,
): AsyncGenerator<DocumentItem> {
  let cursor: unknown;
  do {
    const page = await tools.contents.references(sha256, { cursor });
    for (const { documentId, order } of page.references) {
      const document = await readDocument(documentId, tools, report);
      if (document?.order === order) yield document;
    }
    cursor = page.cursor;
  } while (cursor);
}
