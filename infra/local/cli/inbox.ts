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
  /** Records which files were uploaded, so that deletions while the host was off are noticed. */
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

/** A file must stay unchanged this long before it is uploaded: it may still be being written. */
const settleMs = 400;
/** The folder is scanned this often even without an event: some file systems send none. */
const rescanMs = 3000;

/**
 * Mirrors a folder into the inbox: new and changed files are uploaded, deleted ones are deleted there.
 * Objects that were put into the bucket in another way are left alone.
 */
export class InboxMirror {
  readonly #options: InboxOptions;
  #put = new Map<string, Seen>();
  /** Files that differed from what was uploaded at the previous scan; null if deleted. */
  #unsettled = new Map<string, Seen | null>();
  readonly #said = new Set<string>();
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
      say(`No file events here; scanning ${dir} every ${rescanMs / 1000} s`);
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

  /** @returns whether everything is settled, so that the next scan can wait for an event */
  async #scan(): Promise<boolean> {
    const { dir, signal } = this.#options;
    let files: LocalFile[];
    try {
      const found = await collect([dir]);
      files = found.files;
      for (const { key, reason } of found.unreadable)
        this.#sayOnce(`cannot be dropped: ${key}: ${reason}`);
      // Files in a folder that cannot be read were not deleted.
      if (found.unreadable.length > 0) files = [...files, ...this.#below(found.unreadable)];
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      // Deleting or unmounting the folder must not delete the whole inbox.
      this.#sayOnce(`${error.message}; its documents are kept`);
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
      // It may have changed or been deleted meanwhile; the next scan tries again.
      this.#sayOnce(
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

  #sayOnce(line: string): void {
    if (this.#said.has(line)) return;
    this.#said.add(line);
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
      // No manifest yet. Files that are already in the inbox are recognised by their ETag.
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
