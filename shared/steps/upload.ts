import { outcomeOf } from '../claude/outcome.ts';
import type { FileMetadata } from '../claude/schemas.ts';
import { Defer } from '../journey/errors.ts';
import type { StepMessage } from '../journey/messages.ts';
import { done, type Outcome } from '../journey/outcome.ts';
import { isSummarized, type ProfileFor, recordedProfile } from '../journey/profiles.ts';
import { type ContentName, contentIdOf, contentNameOf } from '../ledger/content-id.ts';
import { type ContentItem, contentIdOfItem, mayHaveStray } from '../ledger/contents.ts';
import type { DocumentIn, DocumentItem, Source } from '../ledger/document-item.ts';
import { attempt, resumeFromDeadLetter } from './attempt.ts';
import { profileOf } from './profile-of.ts';
import { type ReleaseTools, release } from './release.ts';
import { mayReusePast, releasePast } from './release-past.ts';
import { findStray } from './strays.ts';
import { streamContent } from './stream-content.ts';
import type { StepTools } from './tools.ts';

export interface UploadTools extends ReleaseTools {
  /** How long a claim holds without renewal, in milliseconds. */
  leaseMs: number;
  /** A file that expires sooner than this is uploaded again, in milliseconds. */
  expiryMarginMs: number;
  profileFor: ProfileFor;
}

interface RemoteFile {
  fileId: string;
  expiresAt?: string | undefined;
}

/**
 * Gives one version of a document its remote file: the live one of its content, or a new one.
 *
 * Order of writes, and what a crash after each leaves: (1) the reference: found by a release, or
 * by the reconciler; (2) the claim: its lease runs out, and who takes it over looks for a stray
 * file before uploading; (3) the upload itself: as 2; (4) the content is `live`: the redelivered
 * message finds it; (5) the document is `uploaded`: the redelivered message sends on; (6) the
 * message to summarize.
 */
export async function upload(
  message: Extract<StepMessage, { step: 'upload' }>,
  tools: UploadTools,
): Promise<Outcome> {
  const found = await tools.documents.get(message.documentId);
  if (found?.order !== message.order) return leave(found, message, tools);

  const document = await resumeFromDeadLetter(found, 'upload', 'normalized', tools.documents);
  switch (document.status) {
    case 'normalized': {
      let stands = false;
      const outcome = await attempt('upload', document, tools, async () => {
        stands = await giveFile(document, tools);
      });
      if (stands || outcome.next !== 'done') return outcome;
      const present = await tools.documents.get(message.documentId);
      return present?.order === message.order ? outcome : leave(present, message, tools);
    }
    case 'uploaded':
      await sendToSummarize(document, tools);
      await releasePast(document, tools);
      return done;
    case 'ready':
    case 'failed':
      await releasePast(document, tools);
      return done;
    default:
      return done;
  }
}

/**
 * A newer event came first. An attempt of this version may have joined the content after the release that the
 * newer version sent: releases it once more, unless that version has yet to do so and may still use the file.
 */
async function leave(
  present: DocumentItem | undefined,
  message: Extract<StepMessage, { step: 'upload' }>,
  tools: UploadTools,
): Promise<Outcome> {
  if (mayReusePast(present, message)) return done;
  return release({ ...message, purge: present?.status === 'removed' }, tools);
}

/** @returns false when a newer event came meanwhile: the content was joined, and nobody may be left to leave it */
async function giveFile(document: DocumentIn<'normalized'>, tools: UploadTools): Promise<boolean> {
  const { source, mimeType, documentId, order } = document;
  const profile = profileOf(document, tools);
  await tools.contents.join(contentIdOf(document), documentId, order);
  const { expiryDays } = profile;
  const content = { ...contentNameOf(document), mimeType, source, expiryDays };
  const isFirst = !document.attempts.upload && !document.evictions;
  const file = await fileOf(content, tools, isFirst ? 'new' : 'known');

  const moved = await tools.documents.move(
    document,
    'uploaded',
    {
      fileId: file.fileId,
      fileExpiresAt: file.expiresAt,
      usage: document.usage ?? {
        inputTokens: 0,
        outputTokens: 0,
        cacheReadTokens: 0,
        costUsd: 0,
        calls: 0,
      },
    },
    { attempt: 'upload', remove: ['error', 'outages'] },
  );
  if (!moved) return false;
  if (isSummarized(document, profile)) {
    await sendToSummarize(moved, tools, file.wasLive);
  } else {
    await tools.documents.move(moved, 'ready', recordedProfile(profile));
  }
  await releasePast(moved, tools);
  return true;
}

/** Hands a document on to be summarised. The message names the content, for when it comes too late. */
async function sendToSummarize(
  document: DocumentIn<'uploaded'>,
  tools: StepTools,
  shared = false,
): Promise<void> {
  const { documentId, order } = document;
  const hint = shared ? { shared } : {};
  await tools.send({ step: 'summarize', documentId, order, ...contentNameOf(document), ...hint });
}

interface Content extends ContentName {
  mimeType: string;
  source: Source;
  /** Days after which a file that is uploaded for it expires; never when left out. */
  expiryDays?: number | undefined;
}

/**
 * The one live file of a content: found in the ledger, adopted, or uploaded now.
 * @throws Defer while another worker has the content; LaneClosed where a file is needed and none may be made
 */
export async function liveFile(content: Content, tools: UploadTools): Promise<RemoteFile> {
  const { fileId, expiresAt } = await fileOf(content, tools, 'known');
  return { fileId, expiresAt };
}

/**
 * As `liveFile`, and whether the content had its file already.
 * @param assumed `new`: the content is probably not in the ledger yet, so it is claimed without looking first; a claim
 *   that is refused shows that it is there
 */
async function fileOf(
  content: Content,
  tools: UploadTools,
  assumed: 'new' | 'known',
): Promise<RemoteFile & { wasLive: boolean }> {
  const contentId = contentIdOf(content);
  const look = () => tools.contents.get(contentId);
  // Where no call may be made, only a look shows whether one is needed.
  const skips = assumed === 'new' && (await tools.circuits.areFree('claude', 'upload'));
  for (let seen = skips ? undefined : await look(); ; seen = await look()) {
    if (seen?.state === 'live' && !expiresSoon(seen, tools)) {
      return { fileId: seen.fileId, expiresAt: seen.expiresAt, wasLive: true };
    }
    const leaseMs = (seen?.leaseUntil ?? 0) - tools.now();
    // While another worker has the lease, a file that is not recorded yet may just be uploading. Or the content is being
    // deleted, and such a file may be found and deleted at any time. So the worker with the lease goes first.
    if (seen && mayHaveStray(seen) && leaseMs > 0) {
      throw new Defer({
        code: 'upload.under_way',
        message: 'Another worker is uploading or deleting the same content.',
        delayMs: Math.min(leaseMs, 5_000),
      });
    }

    // Only now is a call needed: what is live already is used, whatever is stopped.
    await tools.circuits.check('claude');
    await tools.circuits.check('upload');
    const owner = tools.owner();
    const { source, mimeType } = content;
    const facts = {
      ...contentNameOf(content),
      mimeType,
      sizeBytes: source.sizeBytes,
      filename: source.filename,
    };
    const claimed = await tools.contents.claim(facts, seen, owner, tools.leaseMs);
    if (!claimed) continue;
    // Whoever held the claim before may have made a file: until we have looked, that stands.
    const claim = { owner, strayPossible: seen !== undefined && mayHaveStray(seen) };
    const file = await withClaim(claimed, claim, tools, async (signal) => {
      if (claim.strayPossible) {
        const stray = await findStray(claimed, tools);
        if (stray) return stray;
        claim.strayPossible = false;
      }
      return send(content, claimed, tools, signal);
    });
    if (file) return { ...file, wasLive: false };
  }
}

/**
 * Does `work` under a claim that is renewed meanwhile, and writes the file it gives as the live one.
 * @returns the file, or `undefined` when the claim was lost and the content has to be looked at again
 */
async function withClaim(
  claimed: ContentItem,
  claim: { owner: string; strayPossible: boolean },
  tools: UploadTools,
  work: (signal: AbortSignal) => Promise<FileMetadata>,
): Promise<RemoteFile | undefined> {
  const { contents } = tools;
  const { owner } = claim;
  const contentId = contentIdOfItem(claimed);
  const lost = new AbortController();
  const renewal = setInterval(() => {
    contents.renew(contentId, owner, tools.leaseMs).then(
      (held) => held || lost.abort(new Error('the claim was lost')),
      // The ledger cannot be reached: the lease may run out, and the next owner looks for strays.
      (error: unknown) => tools.log.warn('lease not renewed', { contentId, error: String(error) }),
    );
  }, tools.leaseMs / 3);
  try {
    const made = await work(lost.signal);
    const file = { fileId: made.id, expiresAt: made.expiresAt };
    if (await contents.setLive(contentId, owner, file)) {
      await deleteDoomed(claimed, tools);
      if (claimed.claims > 1) await retell(claimed, file, tools);
      return file;
    }
    const present = await contents.get(contentId);
    if (present?.state === 'live' && present.fileId !== file.fileId) {
      await tools.claude.deleteFile(file.fileId);
    }
    return undefined;
  } catch (thrown) {
    const { error, fileMayExist } = outcomeOf(thrown, 'upload');
    await contents.abandon(contentId, owner, fileMayExist || claim.strayPossible);
    throw error;
  } finally {
    clearInterval(renewal);
  }
}

/**
 * Tells the other documents with this content that another file carries it now. The reconciler would find them too,
 * hours later.
 */
async function retell(
  claimed: ContentItem,
  file: RemoteFile,
  { contents, documents }: UploadTools,
): Promise<void> {
  let cursor: unknown;
  do {
    const page = await contents.references(contentIdOfItem(claimed), { cursor });
    for (const { documentId, order } of page.references) {
      const document = await documents.get(documentId);
      if (document?.order !== order || !document.fileId) continue;
      if (document.fileId !== file.fileId) await documents.refile(document, document.fileId, file);
    }
    cursor = page.cursor;
  } while (cursor);
}

/** Deletes the file that the content had when it was taken over from its deletion. */
async function deleteDoomed({ doomedFileId }: ContentItem, tools: UploadTools): Promise<void> {
  if (!doomedFileId) return;
  try {
    await tools.claude.deleteFile(doomedFileId);
  } catch (error) {
    // The new file is live; the old one has no content any more, and the reconciler deletes it.
    tools.log.warn('doomed file not deleted', { fileId: doomedFileId, error: String(error) });
  }
}

/** Streams the content from S3 to the Files API in its turn. */
async function send(
  { contentSha256, mimeType, source, expiryDays }: Content,
  claimed: ContentItem,
  tools: UploadTools,
  signal: AbortSignal,
): Promise<FileMetadata> {
  // A stream from S3 that hangs cannot be ended through the generator around it: its own signal can.
  const stop = new AbortController();
  const made = await tools.claude
    .uploadFile({
      filename: source.filename,
      mimeType,
      sizeBytes: source.sizeBytes,
      body: streamContent(source, contentSha256, tools, AbortSignal.any([signal, stop.signal])),
      ownsChunks: true,
      ...(expiryDays === undefined ? {} : { expiresInSeconds: expiryDays * 86_400 }),
      signal,
    })
    .finally(() => stop.abort());
  tools.log.info('uploaded', {
    contentSha256,
    fileId: made.id,
    sizeBytes: source.sizeBytes,
    claims: claimed.claims,
  });
  return made;
}

function expiresSoon(content: ContentItem, tools: UploadTools): boolean {
  if (!content.expiresAt) return false;
  return Date.parse(content.expiresAt) - tools.now() < tools.expiryMarginMs;
}
