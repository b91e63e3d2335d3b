import { CannotAsk } from './errors.ts';
import type { QuestionRequest } from './request.ts';
import type { Source } from './sources.ts';

const upload =
  'Claude has no such file any more. The reconciler uploads it again at its next sweep, within six hours; to have it done now, run it with {"sweep":true} (docs/operations.md). Then ask again.';
const leaveOut = 'Ask without it; the others may be fine.';

/**
 * Runs a call; an error that is about one file becomes `CannotAsk`, which names its documents: one that does not exist,
 * or that Claude cannot read. The error is read by its status and words, because it may be the official SDK's as well as
 * ours.
 */
export async function namingDocuments<T>(
  sources: readonly Source[],
  request: Pick<QuestionRequest, 'messages'>,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const named = error instanceof Error ? namedIn(error, sources, request) : undefined;
    if (!named) throw error;
    const { code, source } = named;
    const [{ key }] = source.documents;
    const message =
      code === 'file_gone'
        ? `The file of ${JSON.stringify(key)} is gone at Claude (${source.fileId}).`
        : `Claude does not take ${JSON.stringify(key)}: ${named.message}`;
    const advice = code === 'file_gone' ? upload : leaveOut;
    throw new CannotAsk(code, message, advice, { documents: source.documents, cause: error });
  }
}

interface Named {
  code: 'file_gone' | 'document_refused';
  source: Source;
  message: string;
}

function namedIn(
  error: Error & { status?: unknown },
  sources: readonly Source[],
  request: Pick<QuestionRequest, 'messages'>,
): Named | undefined {
  const { status, message } = error;
  if (status !== 404 && status !== 400) return undefined;
  const at = blockIn(message, request);
  const source = sources.find(({ fileId }) => message.includes(fileId) || fileId === at);
  if (!source) return undefined;
  const isGone = status === 404 || /not found|does not exist|expired/i.test(message);
  return { code: isGone ? 'file_gone' : 'document_refused', source, message };
}

/** The file of the block that an error names by its path, such as `messages.0.content.3`. */
function blockIn(message: string, { messages }: Pick<QuestionRequest, 'messages'>) {
  const index = /\bmessages\.0\.content\.(\d+)\b/.exec(message)?.[1];
  const block = index === undefined ? undefined : messages[0].content[Number(index)];
  return block && 'source' in block ? block.source.file_id : undefined;
}
