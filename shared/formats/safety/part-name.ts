import { legalFilename } from '../../claude/filename.ts';

/** Names of files found inside a file. They become part of an S3 key, so they are kept short. */

const maxFolders = 8;
const maxSegment = 120;
const maxName = 300;

/** Marks that make `fdp.exe` look like `exe.pdf` on the screen. */
const directionMarks = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * A name below its parent, with `/` between folders: legal in S3, the Files API and file systems,
 * never absolute, never with `..`. A name that is already legal is returned unchanged.
 */
export function partName(name: string): string {
  const segments = name
    .replace(directionMarks, '')
    .normalize('NFC')
    .split(/[/\\]/)
    .filter((segment) => !/^[\s.]*$/.test(segment))
    .map((segment) => legalFilename(segment, maxSegment));
  const kept = segments.slice(-maxFolders);
  while (kept.length > 1 && kept.join('/').length > maxName) kept.shift();
  return kept.join('/') || 'document';
}

/** Gives each part a unique name: a second `a.txt` becomes `a (2).txt`. */
export class PartNames {
  readonly #taken = new Set<string>();

  take(name: string): string {
    const wanted = partName(name);
    let unique = wanted;
    for (let count = 2; this.#taken.has(unique.toLowerCase()); count += 1) {
      unique = numbered(wanted, count);
    }
    this.#taken.add(unique.toLowerCase());
    return unique;
  }
}

function numbered(name: string, count: number): string {
  const dot = name.lastIndexOf('.');
  const hasExtension = dot > name.lastIndexOf('/') + 1;
  const stem = hasExtension ? name.slice(0, dot) : name;
  return `${stem} (${count})${hasExtension ? name.slice(dot) : ''}`;
}
