import type { AnswerIn, AnswerRef } from '../ledger/answer-item.ts';
import type { AnswerTools } from './tools.ts';

interface GiveBackTools extends Pick<AnswerTools, 'answers' | 'log'> {
  sleep: (ms: number) => Promise<void>;
}

/** Pauses between tries to give a lease back, in milliseconds. */
const giveBackPausesMs = [0, 100, 300, 1_000];

/**
 * Gives the lease back, in several tries.
 * @returns the answer as it is now, or `undefined` when the worker no longer held the lease, or the ledger takes no
 *   write: then the message comes back when the lease is over
 */
export async function giveBack(
  ref: AnswerRef,
  { owner = '' }: Pick<AnswerIn<'asking'>, 'owner'>,
  mayBePaid: boolean,
  { answers, sleep, log }: GiveBackTools,
): Promise<AnswerIn<'asking'> | undefined> {
  for (const pauseMs of giveBackPausesMs) {
    if (pauseMs > 0) await sleep(pauseMs);
    try {
      return await answers.giveBack(ref, owner, mayBePaid);
    } catch (error) {
      log.warn('the lease of a question could not be given back yet', {
        ...ref,
        error: String(error),
      });
    }
  }
  return undefined;
}
