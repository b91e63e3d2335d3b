import { type FSWatcher, watch } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DeleteObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { collect, type LocalFile } from './collect.ts';
import { dropFile } from './drop-file.ts';
import { UsageError } from './usage.ts';
import { pause } from './wait.ts';

export interface InboxOptions {
  dir: string;
  /** Remembers which files were put, so that deletions while the host was off are seen. */
  manifestPath: string;
  s3: S3Client;
  bucket: string;
  say: (line: string) => void;
  signal: AbortSignal;
}

interface Seen {
  size: number;
  modifiedMs: number;
}

/** A file must look the same this long before it is put: its writer may not be done. */
const settleMs = 400;
/** Looked at this often even if no event came: some file systems send none. */
const rescanMs = 3000;

/**
 * Mirrors a folder into the inbox: new and changed files are put, deleted ones are deleted there.
 * Objects that came another way are left alone.
 */
export class InboxMirror {
  readonly #options: InboxOptions;
  #put = new Map<string, Seen>();
  /** What the scan before saw of files that differ from what was put; null for gone. */
  #unsettled = new Map<string, Seen | null>();
  readonly #complaints = new Set<string>();
  #wake: () => void = () => {};

  constructor(options: InboxOptions) {
    this.#options = { ...options, dir: resolve(options.dir) };
  }

  /** Runs until the signal aborts. */
  async run(): Promise<void> {
    const { dir, signal, say } = this.#options;
    await this.#load();
    let watcher: FSWatcher | undefined;
    try {
      watcher = watch(dir, { recursive: true }, () => this.#wake());
      watcher.on('error', () => {});
    } catch {
      say(`No file events here; looking into ${dir} every ${rescanMs / 1000} s`);
    }
    try {
      while (!signal.aborted) {
        const settled = await this.#scan();
        if (!settled) await pause(settleMs, signal);
        else await this.#event();
      }
    } finally {
      watcher?.close();
    }
  }

  /** @returns whether nothing is left to be looked at again soon */
  async #scan(): Promise<boolean> {
    const { dir, signal } = this.#options;
    let files: LocalFile[];
    try {
      const found = await collect([dir]);
      files = found.files;
      for (const { key, reason } of found.unreadable)
        this.#complain(`cannot be dropped: ${key}: ${reason}`);
      // A folder that could not be read is no folder whose files were deleted.
      if (found.unreadable.length > 0) files = [...files, ...this.#below(found.unreadable)];
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      // Deleting a whole inbox by deleting or unmounting its folder would be a nasty surprise.
      this.#complain(`${error.message}; its documents stay as they are`);
      return true;
    }
    const unsettled = new Map<string, Seen | null>();
    const present = new Set<string>();
    let changed = false;
    for (const file of files) {
      if (signal.aborted) return true;
      present.add(file.key);
      if (same(this.#put.get(file.key), file)) continue;
      if (same(this.#unsettled.get(file.key) ?? undefined, file)) {
        changed = (await this.#upload(file)) || changed;
      } else {
        unsettled.set(file.key, { size: file.size, modifiedMs: file.modifiedMs });
      }
    }
    for (const key of this.#put.keys()) {
      if (present.has(key)) continue;
      if (this.#unsettled.get(key) === null) {
        await this.#options.s3.send(
          new DeleteObjectCommand({ Bucket: this.#options.bucket, Key: key }),
        );
        this.#put.delete(key);
        changed = true;
      } else unsettled.set(key, null);
    }
    this.#unsettled = unsettled;
    if (changed) await this.#save();
    return unsettled.size === 0;
  }

  async #upload(file: LocalFile): Promise<boolean> {
    const { s3, bucket } = this.#options;
    try {
      await dropFile(s3, bucket, file);
    } catch (error) {
      // It may have gone or grown meanwhile; the next look tells.
      this.#complain(
        `not dropped yet: ${file.key}: ${error instanceof Error ? error.message : error}`,
      );
      return false;
    }
    this.#put.set(file.key, { size: file.size, modifiedMs: file.modifiedMs });
    return true;
  }

  #below(unreadable: { key: string }[]): LocalFile[] {
    return [...this.#put]
      .filter(([key]) => unreadable.some((entry) => key.startsWith(entry.key)))
      .map(([key, seen]) => ({ key, path: '', ...seen }));
  }

  #complain(line: string): void {
    if (this.#complaints.has(line)) return;
    this.#complaints.add(line);
    this.#options.say(line);
  }

  async #event(): Promise<void> {
    const cancel = new AbortController();
    const stop = () => cancel.abort();
    this.#wake = stop;
    this.#options.signal.addEventListener('abort', stop, { once: true });
    await pause(rescanMs, cancel.signal);
    this.#options.signal.removeEventListener('abort', stop);
    this.#wake = () => {};
  }

  async #load(): Promise<void> {
    try {
      const { dir, files } = JSON.parse(await readFile(this.#options.manifestPath, 'utf8'));
      if (dir === this.#options.dir) this.#put = new Map(files);
    } catch {
      // None yet. What is in the inbox already is recognised by its ETag.
    }
  }

  async #save(): Promise<void> {
    const { manifestPath, dir } = this.#options;
    await writeFile(`${manifestPath}.new`, JSON.stringify({ dir, files: [...this.#put] }));
    await rename(`${manifestPath}.new`, manifestPath);
  }
}

function same(a: Seen | undefined, b: Seen): boolean {
  return a !== undefined && a.size === b.size && a.modifiedMs === b.modifiedMs;
}
