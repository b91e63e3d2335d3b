import type { Dirent, Stats } from 'node:fs';
import { access, constants, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { UsageError } from './usage.ts';

/** A file to drop. */
export interface LocalFile {
  path: string;
  /** Its key in the inbox: the path below the folder given, or the file's name. */
  key: string;
  size: number;
  modifiedMs: number;
}

export interface Collection {
  files: LocalFile[];
  /** What was left out on purpose, for people: hidden files, links to folders, empty folders. */
  notices: string[];
  /** Files that should have been dropped and cannot be. */
  unreadable: { key: string; reason: string }[];
}

const maxKeyBytes = 1024;

/**
 * Finds the files below the paths given. Links to files are followed, links to folders inside a
 * folder are not (they may lead back up). Hidden files and the lock files of office programs are
 * left out; so is what is no file at all.
 * @throws {UsageError} for a path that does not exist, and for two files with the same key
 */
export async function collect(paths: string[]): Promise<Collection> {
  const found: Collection = { files: [], notices: [], unreadable: [] };
  for (const path of paths) {
    const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(
        error.code === 'ENOENT'
          ? `no such file or folder: ${path}`
          : `cannot read ${path}: ${error.code}`,
      );
    });
    if (stats.isDirectory()) {
      const before = found.files.length + found.unreadable.length;
      await walk(path, '', found);
      if (found.files.length + found.unreadable.length === before) {
        found.notices.push(`nothing to drop in ${path}`);
      }
    } else if (stats.isFile()) {
      await add(path, basename(resolve(path)), stats, found);
    } else {
      throw new UsageError(`neither a file nor a folder: ${path}`);
    }
  }
  const byKey = new Map<string, LocalFile>();
  for (const file of found.files) {
    const other = byKey.get(file.key);
    // The same file given twice, by itself and in its folder's root, is one document.
    if (other && resolve(other.path) !== resolve(file.path)) {
      throw new UsageError(
        `${other.path} and ${file.path} would both get the key "${file.key}"; drop them one after the other, or from a folder above`,
      );
    }
    byKey.set(file.key, file);
  }
  return { ...found, files: [...byKey.values()] };
}

/** Whether a file of this name is none that a person means to drop. */
function isIgnored(name: string): boolean {
  return name.startsWith('.') || name.startsWith('~$') || /^(thumbs\.db|desktop\.ini)$/i.test(name);
}

async function walk(dir: string, prefix: string, found: Collection): Promise<void> {
  let entries: Dirent[];
  try {
    entries = await readdir(dir, { withFileTypes: true });
  } catch (error) {
    found.unreadable.push({ key: `${prefix}`, reason: reasonOf(error) });
    return;
  }
  // By code units, so that the order is the same everywhere.
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  let ignored = 0;
  for (const entry of entries) {
    const path = join(dir, entry.name);
    const key = `${prefix}${entry.name}`;
    if (isIgnored(entry.name)) {
      ignored += 1;
    } else if (entry.isDirectory()) {
      await walk(path, `${key}/`, found);
    } else {
      try {
        const stats = await stat(path);
        if (stats.isFile()) await add(path, key, stats, found);
        else if (entry.isSymbolicLink())
          found.notices.push(`not followed, a link to a folder: ${path}`);
        else found.notices.push(`left out, no regular file: ${path}`);
      } catch (error) {
        found.unreadable.push({ key, reason: reasonOf(error) });
      }
    }
  }
  if (ignored > 0) {
    found.notices.push(
      `${ignored} hidden or temporary ${ignored === 1 ? 'entry' : 'entries'} left out in ${dir}`,
    );
  }
}

async function add(path: string, key: string, stats: Stats, found: Collection): Promise<void> {
  const refused = await access(path, constants.R_OK).then(() => undefined, reasonOf);
  if (refused) found.unreadable.push({ key, reason: refused });
  else if (Buffer.byteLength(key) > maxKeyBytes) {
    found.unreadable.push({ key, reason: `S3 keys have at most ${maxKeyBytes} bytes` });
  } else found.files.push({ path, key, size: stats.size, modifiedMs: stats.mtimeMs });
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'ENOENT') return 'a link to nothing, or a name that is not valid UTF-8';
  return message;
}
