import { outcomeOf } from '../claude/outcome.ts';
import { Defer, RetryLater, ServiceDown, StopLane } from '../journey/errors.ts';
import { done, type Outcome } from '../journey/outcome.ts';
import { LaneClosed } from '../ledger/circuit.ts';
import { type ContentItem, contentIdOfItem, mayHaveStray } from '../ledger/contents.ts';
import { forgetAnswers } from './answer-store.ts';
import { findStray } from './strays.ts';
import type { AnswerTools, Claude } from './tools.ts';

export interface ReleaseTools extends AnswerTools {
  claude: Claude;
  /** Names this worker in leases; unique at each call. */
  owner: () => string;
  /** Retention: keep the remote file when no document refers to it any more. */
  keepRemoteFiles: boolean;
  /** How long what was asked about a content is kept after its last reference was replaced, in milliseconds. */
  keepPastMs: number;
}

/** A version of a document that no longer uses a content. */
export interface ReleasedVersion {
  documentId: string;
  order: string;
  contentSha256: string;
  contentId?: string | undefined;
  /** The document was removed: nothing about the content is kept for later. */
  purge?: boolean | undefined;
}

/** How long a deleter has the content to itself, in milliseconds: longer than any worker lives. */
const deleteLeaseMs = 15 * 60_000;

/** How long a release waits for an API that is down, in milliseconds: no document waits for it. */
const serviceDownMs = 60_000;

/**
 * Drops the reference of one version to a content, and the remote file if it was the last. What was asked about the
 * content is deleted with it when the document was removed, and kept for `keepPastMs` when it was overwritten.
 *
 * A worker that joins a content writes its reference first and then claims the content or reads its state; one that releases
 * deletes its reference, takes the content (`deleting`), and only then looks for references. Whichever comes
 * first, one of the two sees the other: the deleter revives the content, or the newcomer finds `deleting` and
 * uploads again. A crash after any write leaves a state from which the redelivered message resumes once the
 * dead deleter's lease has run out.
 */
export async function release(message: ReleasedVersion, tools: ReleaseTools): Promise<Outcome> {
  const { contents } = tools;
  const { documentId, order } = message;
  const contentId = message.contentId ?? message.contentSha256;
  await contents.leave(contentId, documentId, order);

  for (;;) {
    if (await contents.isReferenced(contentId)) return done;
    const seen = await contents.get(contentId);
    if (!seen || (tools.keepRemoteFiles && message.purge)) {
      // An answer may have come after the content had gone.
      const againMs = await forgetAnswers(contentId, tools);
      return againMs > 0 ? { next: 'defer', delayMs: againMs } : done;
    }
    if (tools.keepRemoteFiles) return done;
    const leased = (seen.leaseUntil ?? 0) - tools.now();
    if (seen.state === 'deleting' && leased > 0) return { next: 'defer', delayMs: leased };
    // A worker is uploading for a version that has lost its reference: it releases the content
    // itself when it finds its document gone.
    if (seen.state === 'uploading' && leased > 0) return done;
    if (seen.state === 'past' && !message.purge) return done;
    const ended = await deleteContent(seen, message.purge ?? false, tools);
    if (ended) return ended;
  }
}

/**
 * Deletes an unreferenced content: its file, and what was asked about it or, unless `purge`, the item alone later.
 * @returns `undefined` when the content has to be looked at again
 */
export async function deleteContent(
  seen: ContentItem,
  purge: boolean,
  tools: ReleaseTools,
): Promise<Outcome | undefined> {
  const { contents } = tools;
  const taken = await contents.beginDelete(seen, tools.owner(), deleteLeaseMs);
  if (!taken) return undefined;
  const contentId = contentIdOfItem(taken);
  if (await contents.isReferenced(contentId)) {
    await contents.revive(taken, seen.state === 'deleting');
    return done;
  }
  const stopped = await deleteFiles(seen, taken, tools);
  if (stopped) return stopped;
  // A newcomer may have taken the content over during the call: what was asked about it is theirs now.
  const bare = await contents.fileDeleted(taken);
  if (!bare) return done;
  const keeps = !purge && tools.keepPastMs > 0;
  if (keeps && (await tools.answers.ofContent(contentId)).length > 0) {
    await contents.retire(bare, new Date(tools.now() + tools.keepPastMs).toISOString());
    return done;
  }
  const againMs = await forgetAnswers(contentId, tools);
  if (againMs > 0) {
    await contents.forgetDeleter(bare);
    return { next: 'defer', delayMs: againMs };
  }
  await contents.forget(bare);
  return done;
}

/** Deletes every file that may carry the content; an outcome when that cannot be done now. */
async function deleteFiles(
  seen: ContentItem,
  taken: ContentItem,
  tools: ReleaseTools,
): Promise<Outcome | undefined> {
  const { contents, claude, log } = tools;
  try {
    if (!seen.fileId && !seen.doomedFileId && !mayHaveStray(seen)) return undefined;
    await tools.circuits.check('claude');
    const stray = mayHaveStray(seen) ? await findStray(seen, tools) : undefined;
    for (const fileId of [seen.fileId, seen.doomedFileId, stray?.id]) {
      if (!fileId) continue;
      await claude.deleteFile(fileId);
      log.info('remote file deleted', { contentSha256: seen.contentSha256, fileId });
    }
    return undefined;
  } catch (thrown) {
    const { error } = outcomeOf(thrown, 'remove');
    await contents.forgetDeleter(taken);
    if (error instanceof ServiceDown) {
      return { next: 'defer', delayMs: Math.max(error.delayMs, serviceDownMs) };
    }
    if (error instanceof Defer) return { next: 'defer', delayMs: error.delayMs };
    if (error instanceof StopLane) {
      if (!(error instanceof LaneClosed)) await tools.circuits.open(error, tools.heldMs);
      return { next: 'defer', delayMs: tools.heldMs };
    }
    return {
      next: 'retry',
      delayMs: error instanceof RetryLater ? (error.delayMs ?? 30_000) : 30_000,
    };
  }
}
