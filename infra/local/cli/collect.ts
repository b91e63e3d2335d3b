import type { Dirent, Stats } from 'node:fs';
import { access, constants, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { UsageError } from './usage.ts';

/** A file to drop. */
export interface LocalFile {
  path: string;
  /** Its key in the inbox: its path below the given folder, or the file's name. */
  key: string;
  size: number;
  modifiedMs: number;
}

export interface Collection {
  files: LocalFile[];
  /** What was skipped on purpose, for the user: hidden files, links to folders, empty folders. */
  notices: string[];
  /** Files that should be dropped but cannot be read. */
  unreadable: { key: string; reason: string }[];
}

const maxKeyBytes = 1024;

/**
 * Finds the files at and below the given paths. Links to files are followed; links to folders inside a folder
 * are not, because they may lead back up. Hidden files, the lock files of office programs and anything that is
 * not a regular file are skipped.
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
    // The same file given twice, by itself and with its folder, is one document.
    if (other && resolve(other.path) !== resolve(file.path)) {
      throw new UsageError(
        `${other.path} and ${file.path} would both get the key "${file.key}"; drop them one after the other, or from a folder above`,
      );
    }
    byKey.set(file.key, file);
  }
  return { ...found, files: [...byKey.values()] };
}

/** Whether a file with this name is hidden, temporary or made by the system. */
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
  // By code unit, so that the order is the same on every machine.
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
        else if (entry.isSymbolicLink()) found.notices.push(`skipped, a link to a folder: ${path}`);
        else found.notices.push(`skipped, not a regular file: ${path}`);
      } catch (error) {
        found.unreadable.push({ key, reason: reasonOf(error) });
      }
    }
  }
  if (ignored > 0) {
    found.notices.push(
      `skipped ${ignored} hidden or temporary ${ignored === 1 ? 'entry' : 'entries'} in ${dir}`,
    );
  }
}

async function add(path: string, key: string, stats: Stats, found: Collection): Promise<void> {
  const refused = await access(path, constants.R_OK).then(() => undefined, reasonOf);
  if (refused) found.unreadable.push({ key, reason: refused });
  else if (Buffer.byteLength(key) > maxKeyBytes) {
    found.unreadable.push({
      key,
      reason: `its path is longer than the ${maxKeyBytes} bytes that S3 allows`,
    });
  } else found.files.push({ path, key, size: stats.size, modifiedMs: stats.mtimeMs });
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'ENOENT') return 'a broken link, or a name that is not valid UTF-8';
  return message;
}
