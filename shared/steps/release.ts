import { outcomeOf } from '../claude/outcome.ts';
import { Defer, RetryLater, ServiceDown, StopLane } from '../journey/errors.ts';
import type { StepMessage } from '../journey/messages.ts';
import { done, type Outcome } from '../journey/outcome.ts';
import { LaneClosed } from '../ledger/circuit.ts';
import { type ContentItem, mayHaveStray } from '../ledger/contents.ts';
import { findStray } from './strays.ts';
import type { Claude, StepTools } from './tools.ts';

export interface ReleaseTools extends StepTools {
  claude: Claude;
  /** Names this worker in leases; unique at each call. */
  owner: () => string;
  /** Retention: keep the remote file when nothing refers to it any more. */
  keepRemoteFiles: boolean;
}

/** How long one who deletes has the content for itself: longer than any worker lives. */
const deleteLeaseMs = 15 * 60_000;

/** How long a release waits for an API that is down: nobody waits for it. */
const serviceDownMs = 60_000;

/**
 * Drops the reference of one version to a content, and the remote file when it was the last.
 *
 * Who joins writes its reference first and reads the content's state after; who leaves deletes its
 * reference, takes the content (`deleting`), and only then looks for references. So whichever comes
 * first, one of the two sees the other: the deleter revives the content, or the newcomer finds
 * `deleting` and uploads anew. A crash after any write leaves a state from which the redelivered
 * message goes on once the dead deleter's lease has run out.
 */
export async function release(
  message: Pick<StepMessage, 'documentId' | 'order'> & { contentSha256: string },
  tools: ReleaseTools,
): Promise<Outcome> {
  const { contents } = tools;
  const { contentSha256, documentId, order } = message;
  await contents.leave(contentSha256, documentId, order);
  if (tools.keepRemoteFiles) return done;

  for (;;) {
    if (await contents.isReferenced(contentSha256)) return done;
    const seen = await contents.get(contentSha256);
    if (!seen) return done;
    const leased = (seen.leaseUntil ?? 0) - tools.now();
    if (seen.state === 'deleting' && leased > 0) return { next: 'defer', delayMs: leased };
    // Somebody uploads for a version that has lost its reference: it lets go by itself when it
    // finds its document gone.
    if (seen.state === 'uploading' && leased > 0) return done;
    const ended = await deleteContent(seen, tools);
    if (ended) return ended;
  }
}

/** Deletes an unreferenced content's file and item; `undefined` when it has to be looked at again. */
async function deleteContent(seen: ContentItem, tools: ReleaseTools): Promise<Outcome | undefined> {
  const { contents, claude, log } = tools;
  const taken = await contents.beginDelete(seen, tools.owner(), deleteLeaseMs);
  if (!taken) return undefined;
  if (await contents.isReferenced(seen.contentSha256)) {
    await contents.revive(taken, seen.state === 'deleting');
    return done;
  }

  try {
    await tools.circuits.check('claude');
    const stray = mayHaveStray(seen) ? await findStray(seen, tools) : undefined;
    for (const fileId of [seen.fileId, seen.doomedFileId, stray?.id]) {
      if (!fileId) continue;
      await claude.deleteFile(fileId);
      log.info('remote file deleted', { contentSha256: seen.contentSha256, fileId });
    }
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
  await contents.forget(taken);
  return done;
}
