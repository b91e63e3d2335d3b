import { CannotAsk } from './errors.ts';
import type { Source } from './sources.ts';

const advice =
  'Claude has no such file any more. The reconciler uploads it again at its next sweep, within six hours; to have it done now, run it with {"sweep":true} (docs/operations.md). Then ask again.';

/**
 * Runs a call; an error that says that a file does not exist becomes `CannotAsk`, which names its documents. The error is
 * read by its status and words, because it may be the official SDK's as well as ours.
 */
export async function namingGoneFiles<T>(
  sources: readonly Source[],
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const gone = goneAmong(sources, error);
    if (!gone) throw error;
    const { documents, fileId } = gone;
    const message = `The file of ${JSON.stringify(documents[0].key)} is gone at Claude (${fileId}).`;
    throw new CannotAsk('file_gone', message, advice, { documents, cause: error });
  }
}

function goneAmong(sources: readonly Source[], error: unknown): Source | undefined {
  if (!(error instanceof Error)) return undefined;
  const { status } = error as Error & { status?: unknown };
  if (status !== 404 && status !== 400) return undefined;
  const isAbsence = status === 404 || /not found|does not exist|expired/i.test(error.message);
  return isAbsence ? sources.find(({ fileId }) => error.message.includes(fileId)) : undefined;
}
