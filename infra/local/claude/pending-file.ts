import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, unlink, writeFile } from 'node:fs/promises';

/** Bytes buffered before a write; one write is in progress while the next is buffered. */
const batchBytes = 1024 * 1024;

/** Bytes on their way to disk, hashed on the way. Holds at most about 2 MiB in memory. */
export class PendingFile {
  sizeBytes = 0;
  readonly #path: string;
  readonly #hash = createHash('sha256');
  #handle: FileHandle | undefined;
  #queue: Buffer[] = [];
  #queued = 0;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  write(chunk: Buffer): void | Promise<void> {
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    this.sizeBytes += chunk.length;
    this.#hash.update(chunk);
    if (this.#queued >= batchBytes) return this.#flush();
  }

  async #flush(): Promise<void> {
    await this.#writing;
    const batch = this.#queue;
    const bytes = this.#queued;
    this.#queue = [];
    this.#queued = 0;
    this.#handle ??= await open(this.#path, 'w');
    this.#writing = this.#handle.writev(batch).then(({ bytesWritten }) => {
      if (bytesWritten !== bytes) throw new Error(`short write to ${this.#path}: disk full?`);
    });
    // The next flush or finish() awaits and reports a failure; until then it must not count as unhandled.
    this.#writing.catch(() => {});
  }

  /** Writes the rest and moves the bytes to `target`. */
  async finish(target: string): Promise<{ sizeBytes: number; sha256: string }> {
    if (this.#handle) {
      if (this.#queued > 0) await this.#flush();
      await this.#writing;
      await this.#handle.close();
    } else {
      await writeFile(this.#path, Buffer.concat(this.#queue));
    }
    await rename(this.#path, target);
    this.#closed = true;
    return { sizeBytes: this.sizeBytes, sha256: this.#hash.digest('hex') };
  }

  /** Deletes the bytes; does nothing after `finish`. */
  async discard(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = [];
    await this.#writing.catch(() => {});
    if (!this.#handle) return;
    // A failed finish() may have closed it or moved the bytes already.
    await this.#handle.close().catch(() => {});
    await unlink(this.#path).catch(() => {});
  }
}
