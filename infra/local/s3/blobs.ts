import { createHash, type Hash, randomUUID } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  createWriteStream,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import type { State } from '../state/database.ts';

/** A file of bytes. An object is one file, or the parts of a multipart upload in order. */
export interface Segment {
  file: string;
  size: number;
}

export interface Written extends Segment {
  /** MD5 in hex, S3's ETag of a single part. */
  md5: string;
  sha256?: string;
  /** In base64, as in the `x-amz-checksum-*` headers. */
  checksums: Record<string, string>;
}

/** Digests to compute while writing. MD5 is always computed. */
export interface Digests {
  sha256?: boolean;
  sha1?: boolean;
  crc32?: boolean;
}

/** A read of up to this many bytes is done at once. */
const smallBytes = 128 * 1024;

/**
 * The bytes of the local S3, in files with random names below `objects/`. A file belongs to an object when a
 * row of the index says so. A file that is given up is first listed as trash, so that a kill leaves nothing
 * behind for ever, and unlinked once nothing reads it.
 */
export class Blobs {
  readonly #state: State;
  readonly #root: string;
  readonly #incoming: string;
  readonly #readers = new Map<string, number>();
  readonly #addTrash;
  readonly #dropTrash;
  readonly #isTrash;

  constructor(state: State) {
    this.#state = state;
    this.#root = join(state.dir, 'objects');
    this.#incoming = join(state.dir, 'incoming');
    this.#addTrash = state.db.prepare('INSERT OR IGNORE INTO trash (file) VALUES (?)');
    this.#dropTrash = state.db.prepare('DELETE FROM trash WHERE file = ?');
    this.#isTrash = state.db.prepare('SELECT 1 FROM trash WHERE file = ?');
    // Unfinished bodies of an earlier run.
    rmSync(this.#incoming, { recursive: true, force: true });
    mkdirSync(this.#incoming, { recursive: true });
    for (const row of state.db.prepare('SELECT file FROM trash').all()) {
      this.#unlink(String(row.file));
    }
  }

  /** Writes a body in constant memory. Nothing is left behind when it fails. */
  async write(body: Readable, digests: Digests = {}): Promise<Written> {
    const id = randomUUID();
    const incoming = join(this.#incoming, id);
    const file = `${id.slice(0, 2)}/${id}`;
    const meter = new Meter(digests);
    try {
      await pipeline(body, meter, createWriteStream(incoming));
      const target = join(this.#root, file);
      mkdirSync(dirname(target), { recursive: true });
      renameSync(incoming, target);
    } catch (error) {
      await rm(incoming, { force: true });
      throw error;
    }
    return { file, ...meter.result() };
  }

  /**
   * Reads bytes `start` to `end` (inclusive) of the segments, in order. The files stay until the
   * stream is closed, even when the object is overwritten or deleted meanwhile.
   */
  read(segments: Segment[], start: number, end: number): Readable {
    const files = segments.map(({ file }) => file);
    for (const file of files) this.#readers.set(file, (this.#readers.get(file) ?? 0) + 1);
    const stream = Readable.from(this.#chunks(segments, start, end), { objectMode: false });
    stream.once('close', () => {
      for (const file of files) this.#release(file);
    });
    return stream;
  }

  /**
   * The same bytes at once, when they are few: a stream for a small file takes ten times as long.
   * @returns undefined when they are to be streamed
   */
  readSmall(segments: Segment[], start: number, end: number): Buffer | undefined {
    const [only] = segments;
    const length = end - start + 1;
    if (!only || segments.length > 1 || length > smallBytes) return undefined;
    const bytes = Buffer.allocUnsafe(length);
    const handle = openSync(join(this.#root, only.file), 'r');
    try {
      const read = readSync(handle, bytes, 0, length, start);
      // A file that was cut: the stream reports it.
      return read === length ? bytes : undefined;
    } finally {
      closeSync(handle);
    }
  }

  /** Gives files up. Call it in the transaction that deletes their rows; unlinks after it. */
  discard(segments: Segment[]): void {
    for (const { file } of segments) this.#addTrash.run(file);
    queueMicrotask(() => {
      for (const { file } of segments) if (!this.#readers.has(file)) this.#unlinkTrash(file);
    });
  }

  async *#chunks(segments: Segment[], start: number, end: number) {
    let offset = 0;
    for (const { file, size } of segments) {
      const from = Math.max(start - offset, 0);
      const to = Math.min(end - offset, size - 1);
      offset += size;
      if (from > to) continue;
      yield* createReadStream(join(this.#root, file), {
        start: from,
        end: to,
        highWaterMark: 256 * 1024,
      });
    }
  }

  #release(file: string): void {
    const left = (this.#readers.get(file) ?? 1) - 1;
    if (left > 0) {
      this.#readers.set(file, left);
      return;
    }
    this.#readers.delete(file);
    this.#unlinkTrash(file);
  }

  /** Checks first: the transaction that gave the file up may have been rolled back. */
  #unlinkTrash(file: string): void {
    if (this.#state.db.isOpen && this.#isTrash.get(file)) this.#unlink(file);
  }

  #unlink(file: string): void {
    rm(join(this.#root, file), { force: true }).then(
      () => {
        if (this.#state.db.isOpen) this.#dropTrash.run(file);
      },
      // It stays in the trash table, and the next start tries again.
      () => {},
    );
  }
}

/** Counts and digests the bytes that pass through. */
class Meter extends Transform {
  #size = 0;
  #crc = 0;
  readonly #md5 = createHash('md5');
  readonly #sha256: Hash | undefined;
  readonly #sha1: Hash | undefined;
  readonly #withCrc: boolean;

  constructor({ sha256 = false, sha1 = false, crc32 = false }: Digests) {
    super({ highWaterMark: 256 * 1024 });
    this.#sha256 = sha256 ? createHash('sha256') : undefined;
    this.#sha1 = sha1 ? createHash('sha1') : undefined;
    this.#withCrc = crc32;
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error: null, out: Buffer) => void) {
    this.#size += chunk.length;
    this.#md5.update(chunk);
    this.#sha256?.update(chunk);
    this.#sha1?.update(chunk);
    if (this.#withCrc) this.#crc = crc32(chunk, this.#crc);
    done(null, chunk);
  }

  result(): Omit<Written, 'file'> {
    const sha256 = this.#sha256?.digest();
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(this.#crc);
    return {
      size: this.#size,
      md5: this.#md5.digest('hex'),
      ...(sha256 ? { sha256: sha256.toString('hex') } : {}),
      checksums: {
        ...(sha256 ? { sha256: sha256.toString('base64') } : {}),
        ...(this.#sha1 ? { sha1: this.#sha1.digest('base64') } : {}),
        ...(this.#withCrc ? { crc32: crc.toString('base64') } : {}),
      },
    };
  }
}
