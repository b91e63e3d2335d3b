import { readMark } from '../claude/filename.ts';
import type { FileMetadata } from '../claude/schemas.ts';
import type { ContentItem } from '../ledger/contents.ts';
import type { Claude } from './tools.ts';

/**
 * The remote file that a dead worker may have made for this content: looked for before paying for
 * a second one. It is known by the mark in its name and by its size; the newest one is taken.
 * @returns undefined when there is none
 */
export async function findStray(
  content: Pick<ContentItem, 'contentSha256' | 'mimeType' | 'sizeBytes' | 'doomedFileId'>,
  { claude, deployment }: { claude: Claude; deployment: string },
): Promise<FileMetadata | undefined> {
  for await (const file of claude.iterateFiles()) {
    const mark = readMark(file.filename);
    if (
      // Code may write a copy under the name of its input.
      !file.downloadable &&
      file.id !== content.doomedFileId &&
      file.sizeBytes === content.sizeBytes &&
      file.mimeType === content.mimeType &&
      mark?.deployment === deployment &&
      mark.sha16 === content.contentSha256.slice(0, 16)
    ) {
      return file;
    }
  }
  return undefined;
}
