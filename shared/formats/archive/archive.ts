import { join } from 'node:path';
import { RejectDocument } from '../../journey/errors.ts';
import type { Warning } from '../../journey/record.ts';
import { PartNames } from '../safety/part-name.ts';
import { openZip, type ZipEntry } from '../safety/zip.ts';
import type { Conversion, ConvertInput, Part } from '../types.ts';

/**
 * An archive to its files, each a document of its own. An archive within it comes back here as a
 * document with a `depth`, and is opened as long as `maxNesting` allows.
 * @throws RejectDocument `normalize.nested_too_deep`, `normalize.empty`, `normalize.encrypted`,
 *   `normalize.corrupt` when no entry can be read, and as `openZip`
 */
export async function convertZip(input: ConvertInput): Promise<Conversion> {
  if ((input.depth ?? 0) > input.limits.maxNesting) {
    throw new RejectDocument({
      code: 'normalize.nested_too_deep',
      message: `The archive lies within ${input.depth} others; the limit is ${input.limits.maxNesting}.`,
    });
  }
  const zip = await openZip(input.path, input.limits);
  const parts: Part[] = [];
  const left: Record<LeftOut, string[]> = { encrypted: [], damaged: [], other: [] };
  try {
    const names = new PartNames();
    for (const entry of zip.entries) {
      if (entry.isDirectory || isLitter(entry)) continue;
      const reason = unreadable(entry);
      if (reason) {
        left[reason].push(entry.name);
        continue;
      }
      const path = join(input.outDir, `${parts.length}`);
      try {
        await zip.extract(entry, path);
      } catch (error) {
        // One damaged entry does not take its neighbours with it; a bomb does.
        if (!(error instanceof RejectDocument) || error.code !== 'normalize.corrupt') throw error;
        left.damaged.push(entry.name);
        continue;
      }
      parts.push({ name: names.take(entry.name), path, sizeBytes: entry.uncompressedSize });
    }
  } finally {
    zip.close();
  }
  if (parts.length === 0) throw nothingLeft(left);
  return {
    outcome: 'container',
    fidelity: { route: 'zip→files', warnings: leftOutWarnings(left) },
    parts,
  };
}

type LeftOut = 'encrypted' | 'damaged' | 'other';

function unreadable(entry: ZipEntry): LeftOut | undefined {
  if (entry.isEncrypted) return 'encrypted';
  const isSymlink = ((entry.source.externalFileAttributes >>> 16) & 0o170000) === 0o120000;
  const isKnown = entry.compressionMethod === 0 || entry.compressionMethod === 8;
  return isSymlink || !isKnown ? 'other' : undefined;
}

/** What systems leave in archives beside the files people put there. */
function isLitter({ name }: ZipEntry): boolean {
  return /^__MACOSX\/|(?:^|\/)(?:\.DS_Store|Thumbs\.db|desktop\.ini|\._[^/]*)$/i.test(name);
}

function nothingLeft(left: Record<LeftOut, string[]>): RejectDocument {
  if (left.encrypted.length > 0) {
    return new RejectDocument({
      code: 'normalize.encrypted',
      message: 'The files of the archive are protected by a password.',
    });
  }
  if (left.damaged.length + left.other.length > 0) {
    return new RejectDocument({
      code: 'normalize.corrupt',
      message: 'None of the files of the archive could be unpacked.',
    });
  }
  return new RejectDocument({ code: 'normalize.empty', message: 'The archive holds no files.' });
}

function leftOutWarnings(left: Record<LeftOut, string[]>): Warning[] {
  const reasons: Record<LeftOut, string> = {
    encrypted: 'are protected by a password',
    damaged: 'are damaged',
    other: 'are links or packed by a method that is not supported',
  };
  return (Object.keys(reasons) as LeftOut[])
    .filter((reason) => left[reason].length > 0)
    .map((reason) => ({
      code: 'normalize.entries_left_out',
      message: `${left[reason].length} files of the archive ${reasons[reason]}: ${listed(left[reason])}.`,
    }));
}

function listed(names: string[]): string {
  const shown = names.slice(0, 5).map((name) => `“${name.slice(0, 80)}”`);
  return names.length > shown.length ? `${shown.join(', ')} …` : shown.join(', ');
}
