import { join } from 'node:path';
import { RejectDocument } from '../../journey/errors.ts';
import type { Warning } from '../../journey/record.ts';
import { PartNames } from '../safety/part-name.ts';
import { openZip, type ZipEntry } from '../safety/zip.ts';
import { counted } from '../text/wording.ts';
import type { Conversion, ConvertInput, Part } from '../types.ts';

/**
 * An archive to its files, each its own document. An archive inside it comes back here as a document
 * with a `depth`, and is opened if `maxNesting` allows it.
 * @throws RejectDocument `normalize.nested_too_deep`, `normalize.empty`, `normalize.encrypted`,
 *   `normalize.corrupt` if no entry can be read, and those of `openZip`
 */
export async function convertZip(input: ConvertInput): Promise<Conversion> {
  if ((input.depth ?? 0) > input.limits.maxNesting) {
    throw new RejectDocument({
      code: 'normalize.nested_too_deep',
      message: `The archive is nested in ${input.depth} others; the limit is ${input.limits.maxNesting}.`,
    });
  }
  const zip = await openZip(input.path, input.limits);
  const parts: Part[] = [];
  const left: Record<LeftOut, string[]> = { encrypted: [], damaged: [], other: [] };
  let partsBeyondLimit = 0;
  try {
    const names = new PartNames();
    for (const entry of zip.entries) {
      if (entry.isDirectory || isSystemFile(entry)) continue;
      const reason = unreadable(entry);
      if (reason) {
        left[reason].push(entry.name);
        continue;
      }
      if (parts.length >= input.limits.maxParts) {
        partsBeyondLimit += 1;
        continue;
      }
      const path = join(input.outDir, `${parts.length}`);
      try {
        await zip.extract(entry, path);
      } catch (error) {
        // A damaged entry is left out; a bomb rejects the whole archive.
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
    ...(partsBeyondLimit > 0 && { partsBeyondLimit }),
  };
}

type LeftOut = 'encrypted' | 'damaged' | 'other';

function unreadable(entry: ZipEntry): LeftOut | undefined {
  if (entry.isEncrypted) return 'encrypted';
  const isSymlink = ((entry.source.externalFileAttributes >>> 16) & 0o170000) === 0o120000;
  const isKnown = entry.compressionMethod === 0 || entry.compressionMethod === 8;
  return isSymlink || !isKnown ? 'other' : undefined;
}

/** Files that operating systems add to archives. */
function isSystemFile({ name }: ZipEntry): boolean {
  return /^__MACOSX\/|(?:^|\/)(?:\.DS_Store|Thumbs\.db|desktop\.ini|\._[^/]*)$/i.test(name);
}

function nothingLeft(left: Record<LeftOut, string[]>): RejectDocument {
  if (left.encrypted.length > 0) {
    return new RejectDocument({
      code: 'normalize.encrypted',
      message: 'The files in the archive are protected by a password.',
    });
  }
  if (left.damaged.length + left.other.length > 0) {
    return new RejectDocument({
      code: 'normalize.corrupt',
      message: 'None of the files in the archive could be unpacked.',
    });
  }
  return new RejectDocument({ code: 'normalize.empty', message: 'The archive holds no files.' });
}

function leftOutWarnings(left: Record<LeftOut, string[]>): Warning[] {
  const reasons: Record<LeftOut, string> = {
    encrypted: 'protected by a password',
    damaged: 'damaged',
    other: 'of an unsupported kind (symbolic link or packing method)',
  };
  return (Object.keys(reasons) as LeftOut[])
    .filter((reason) => left[reason].length > 0)
    .map((reason) => {
      const names = left[reason];
      const files = `${counted(names.length, 'file')} in the archive ${names.length === 1 ? 'is' : 'are'}`;
      return {
        code: 'normalize.entries_left_out',
        message: `${files} ${reasons[reason]}: ${listed(names)}.`,
      };
    });
}

function listed(names: string[]): string {
  const shown = names.slice(0, 5).map((name) => `“${name.slice(0, 80)}”`);
  return names.length > shown.length ? `${shown.join(', ')} …` : shown.join(', ');
}
