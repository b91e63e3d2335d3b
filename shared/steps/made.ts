import { NotFound } from '../claude/errors.ts';
import type { Log } from '../journey/log.ts';
import type { Claude } from './tools.ts';

/** What code made, as replies tell of it, and how it is deleted at Claude. */

type Message = Awaited<ReturnType<Claude['createMessage']>>;

const isOfATool = ({ type }: { type: string }): boolean =>
  type === 'server_tool_use' || type.endsWith('_tool_result');

/** What a reply says of the code that was run. */
export interface Made {
  /** Ids of files that Claude made. */
  made?: string[] | undefined;
  /** The container in which it ran code. */
  container?: { id: string; expiresAt: string } | undefined;
}

/** The text of an answer: what was said after the last tool, or all of it where nothing was said after that. */
export function wordsOf(content: Message['content']): Message['content'] {
  const last = content.findLastIndex(isOfATool);
  const words = content.slice(last + 1).filter(({ type }) => type === 'text');
  return words.length > 0 ? words : content.filter(({ type }) => type === 'text');
}

/**
 * The files that a reply says were made, and its container. Only the results of tools count: text that names a file says
 * nothing.
 */
export function madeIn({ content, container }: Message): Made {
  const ids = content.filter((block) => isOfATool(block)).flatMap(filesIn);
  return {
    ...(ids.length > 0 ? { made: [...new Set(ids)] } : {}),
    ...(container ? { container: { id: container.id, expiresAt: container.expires_at } } : {}),
  };
}

function filesIn(block: object): string[] {
  const { content } = block as { content?: { content?: unknown } };
  const outputs = content?.content;
  if (!Array.isArray(outputs)) return [];
  return outputs.flatMap((output: { file_id?: unknown } | null) =>
    typeof output?.file_id === 'string' && /^[A-Za-z0-9_-]{1,200}$/.test(output.file_id)
      ? [output.file_id]
      : [],
  );
}

/**
 * Deletes a file that Claude made. One that cannot be downloaded was uploaded by somebody, and stays: only what a tool made
 * is ever deleted by the id that a reply gave.
 */
export async function deleteMade(id: string, claude: Claude): Promise<void> {
  try {
    const { downloadable } = await claude.getFile(id);
    if (downloadable) await claude.deleteFile(id);
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
  }
}

/** Deletes files that nobody wants. @returns false when that did not succeed now */
export async function isRidOf(
  ids: readonly string[],
  { claude, log }: { claude: Claude; log: Log },
): Promise<boolean> {
  try {
    for (const id of ids) await deleteMade(id, claude);
    return true;
  } catch (error) {
    log.warn('files that Claude made could not be deleted yet', { ids, error: String(error) });
    return false;
  }
}
