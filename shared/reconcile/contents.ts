import { NotFound } from '../claude/errors.ts';
import { outcomeOf } from '../claude/outcome.ts';
import { Defer, RejectDocument, RetryLater } from '../journey/errors.ts';
import { type ContentName, contentIdOf, contentName } from '../ledger/content-id.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import { indexes } from '../ledger/keys.ts';
import { release } from '../steps/release.ts';
import { liveFile } from '../steps/upload.ts';
import type { Duty, ReconcileTools } from './duty.ts';
import { readDocument } from './read-document.ts';
import { checkReferences } from './references.ts';
import { note, type ReconcileReport } from './report.ts';

/** The API looks up at most 100 ids per call. */
const pageSize = 100;

/**
 * Checks the live files, 100 contents and documents at a time. A file that is gone or about to expire is
 * uploaded again and its documents are updated; a content without references is released.
 *
 * Documents are visited as well as contents, in case a run died after a new upload and before it updated
 * the documents: whatever still refers to a file that is gone is found either way.
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
    await isolated(id, report, async () => {
      if (kind === 'CONTENT') await lookAfterContent(id, fileId, fate, tools, report);
      else if (fate !== 'lasting') await lookAfterDocument(id, fileId, tools, report);
    });
  }
  return page.cursor ? JSON.stringify(page.cursor) : undefined;
};

/** One content that cannot be repaired must not stop the repair of the others. */
async function isolated(
  id: string,
  report: ReconcileReport,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    const { error } = outcomeOf(thrown, 'reconcile');
    // Another worker is uploading this content right now: nothing to repair.
    if (error instanceof Defer && error.code === 'upload.under_way') return;
    if (!(error instanceof RejectDocument) && !(error instanceof RetryLater)) throw error;
    note(report, 'unrepaired', `${id}: ${error.code}: ${error.message}`);
  }
}

/** The state of a remote file: it exists and will for a while, it expires soon, or it is gone. */
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
  // A list may be older than the file (in beta it was read when the run began), and a file believed gone
  // is uploaded again: so first ask for each missing one by its id.
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

/** Ids of all remote files, by run: the beta dialect has no look-up by id, and no expiry. */
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
  contentId: string,
  fileId: string,
  fate: Fate,
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<void> {
  if (!(await checkReferences(contentId, fileId, tools, report))) {
    if (tools.keepRemoteFiles) return;
    note(report, 'released', contentId);
    if (!tools.dryRun) await release({ ...noDocument, ...contentName(contentId) }, tools);
    return;
  }
  if (fate === 'lasting') return;
  const content = await tools.contents.get(contentId);
  if (content?.state !== 'live' || content.fileId !== fileId) return;
  note(report, fate, fileId);
  if (tools.dryRun) return;

  if (fate === 'gone') await tools.contents.evict(contentId, fileId);
  const file = await refreshed(
    { ...contentName(contentId), mimeType: content.mimeType },
    tools,
    report,
  );
  for await (const document of usersOf(contentId, tools, report)) {
    await tools.documents.refile(document, fileId, file);
  }
}

/** Repairs a document whose file is gone; its content may already have a new one. */
async function lookAfterDocument(
  documentId: string,
  fileId: string,
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<void> {
  const document = await readDocument(documentId, tools, report);
  if (document?.fileId !== fileId || !document.contentSha256 || !document.mimeType) return;
  const { contentSha256, contentId, mimeType } = document;
  const name = { contentSha256, contentId };
  const content = await tools.contents.get(contentIdOf(name));
  // The content has its own entry in the index and is repaired there.
  if (content?.state === 'live' && content.fileId === fileId) return;
  note(report, 'fileIdsCorrected', documentId);
  if (tools.dryRun) return;
  await tools.documents.refile(
    document,
    fileId,
    await refreshed({ ...name, mimeType }, tools, report),
  );
}

/** A reference that no document has, used to release a content without references. */
const noDocument = { documentId: 'nobody', order: '0' };

type File = Awaited<ReturnType<typeof liveFile>>;

/**
 * The content's file, uploaded again if necessary from the first of its documents whose bytes still exist.
 * @throws RejectDocument `upload.source_lost` when no document has them
 */
async function refreshed(
  { mimeType, ...name }: ContentName & { mimeType: string },
  tools: ReconcileTools,
  report: ReconcileReport,
): Promise<File> {
  let lost: RejectDocument | undefined;
  for await (const document of usersOf(contentIdOf(name), tools, report)) {
    const { source } = document;
    if (!source) continue;
    try {
      const expiryDays = tools.profileFor(document)?.expiryDays;
      const content = { ...name, mimeType, source, expiryDays };
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

/** The documents whose current version refers to the content. */
async function* usersOf(
  contentId: string,
  tools: ReconcileTools,
  report: ReconcileReport,
): AsyncGenerator<DocumentItem> {
  let cursor: unknown;
  do {
    const page = await tools.contents.references(contentId, { cursor });
    for (const { documentId, order } of page.references) {
      const document = await readDocument(documentId, tools, report);
      if (document?.order === order) yield document;
    }
    cursor = page.cursor;
  } while (cursor);
}
