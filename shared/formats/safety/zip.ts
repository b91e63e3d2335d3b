import { open, readFile, stat } from 'node:fs/promises';
import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, inflateRawSync } from 'node:zlib';
import yauzl from 'yauzl';
import { RejectDocument } from '../../journey/errors.ts';
import type { Limits } from '../limits.ts';
import { isSystemError } from './system-error.ts';

/**
 * Checks a zip container before any library opens it. Headers can lie, so sizes are checked twice:
 * as the central directory states them (`openZip`, before a byte is inflated) and as they are when
 * inflated (`SafeZip.verify`; `read` and `stream` stop at the stated size).
 */

/** One entry as the central directory states it. */
export interface ZipEntry {
  /** Name with `/` between folders, no leading `/` or drive letter. Never `..`. */
  name: string;
  compressedSize: number;
  uncompressedSize: number;
  isDirectory: boolean;
  isEncrypted: boolean;
  /** 0 for stored, 8 for deflate; no others can be read. */
  compressionMethod: number;
  /** yauzl's own entry. */
  source: yauzl.Entry;
}

/** A zip that passed the checks of its central directory, open for reading. */
export interface SafeZip {
  entries: ZipEntry[];
  /** Sum of the stated unpacked sizes, in bytes. */
  unzippedBytes: number;
  /** The entry with that name; case is ignored, as OPC requires (ECMA-376 part 2). */
  find(name: string): ZipEntry | undefined;
  /** The entry's unpacked bytes as a stream that fails if their number is not the stated one. */
  stream(entry: ZipEntry): Promise<Readable>;
  /** The entry's unpacked bytes. Throws `normalize.too_large` if they are more than `maxBytes`. */
  read(entry: ZipEntry, maxBytes: number): Promise<Buffer>;
  /** Unpacks the entry to a file. Throws like `verify`, and system errors as they are. */
  extract(entry: ZipEntry, target: string): Promise<void>;
  /**
   * Inflates the entries, keeps nothing and compares size and CRC with the stated ones, for the sake
   * of libraries (JSZip, SheetJS) that inflate without a limit.
   * Throws `normalize.zip_bomb` for more bytes than stated and `normalize.corrupt` for other faults.
   */
  verify(only?: (entry: ZipEntry) => boolean): Promise<void>;
  close(): void;
}

/** Entries below this size are never bombs, whatever their ratio (think of blank bitmaps). */
const ratioFromBytes = 16 * 1024 * 1024;
/** Zips up to this size are read whole: one read instead of two for each entry. */
const readWholeUpTo = 32 * 1024 * 1024;

/** Entries up to this unpacked size are inflated in one synchronous call, several times faster. */
const inflateAtOnceUpTo = 8 * 1024 * 1024;

interface OpenedZip {
  zipfile: yauzl.ZipFile;
  /** The file's bytes, if it is small enough to read whole. */
  whole?: Buffer;
}

/**
 * Opens the zip at `path` after checking its central directory against `limits`.
 * @throws RejectDocument `normalize.corrupt`, `normalize.zip_bomb`, `normalize.too_large`,
 *   `normalize.too_many_entries`, `normalize.zip_traversal`
 */
export async function openZip(path: string, limits: Limits): Promise<SafeZip> {
  const { size } = await stat(path);
  const opened = await openLeniently(path, size);
  try {
    const entries = await listEntries(opened.zipfile, limits);
    const unzippedBytes = checkSizes(entries, size, limits);
    checkOverlaps(entries);
    return new CheckedZip(opened, entries, unzippedBytes);
  } catch (error) {
    opened.zipfile.close();
    throw error;
  }
}

async function openLeniently(path: string, size: number): Promise<OpenedZip> {
  const options = { lazyEntries: true, decodeStrings: false, autoClose: false } as const;
  try {
    if (size <= readWholeUpTo) {
      const bytes = await readFile(path);
      const whole = bytes.subarray(0, trailerEnd(bytes, 0));
      return { zipfile: await yauzl.fromBufferPromise(whole, options), whole };
    }
    const end = await trailerEndOfFile(path, size);
    if (end === size) return { zipfile: await yauzl.openPromise(path, options) };
  } catch (error) {
    throw corrupt('its end is missing or damaged', error);
  }
  throw corrupt('bytes follow its end');
}

/**
 * The offset after the last end-of-central-directory record whose comment fits (APPNOTE 4.3.16).
 * yauzl fails if bytes follow it; Word and Excel do not mind.
 */
function trailerEnd(bytes: Buffer, base: number): number {
  const signature = Buffer.from('PK\x05\x06', 'latin1');
  let at = bytes.lastIndexOf(signature);
  while (at >= 0) {
    if (at + 22 <= bytes.length) {
      const end = at + 22 + bytes.readUInt16LE(at + 20);
      if (end <= bytes.length) return base + end;
    }
    at = at === 0 ? -1 : bytes.lastIndexOf(signature, at - 1);
  }
  return base + bytes.length;
}

async function trailerEndOfFile(path: string, size: number): Promise<number> {
  const file = await open(path);
  try {
    const length = Math.min(size, 22 + 0xffff + 1024);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return trailerEnd(buffer, size - length);
  } finally {
    await file.close();
  }
}

async function listEntries(zipfile: yauzl.ZipFile, limits: Limits): Promise<ZipEntry[]> {
  if (zipfile.entryCount > limits.maxZipEntries) {
    throw new RejectDocument({
      code: 'normalize.too_many_entries',
      message: `The archive holds ${zipfile.entryCount} entries; the limit is ${limits.maxZipEntries}.`,
    });
  }
  const entries: ZipEntry[] = [];
  try {
    for await (const source of zipfile.eachEntry()) {
      const raw = entryName(source);
      entries.push({
        name: withoutRoot(raw),
        compressedSize: source.compressedSize,
        uncompressedSize: source.uncompressedSize,
        isDirectory: raw.endsWith('/'),
        isEncrypted: source.isEncrypted(),
        compressionMethod: source.compressionMethod,
        source,
      });
    }
  } catch (error) {
    if (error instanceof Error && /strong encryption/.test(error.message)) {
      throw new RejectDocument({
        code: 'normalize.encrypted',
        message: 'The archive is encrypted.',
        cause: error,
      });
    }
    throw corrupt('its directory of entries is damaged', error);
  }
  for (const entry of entries) {
    if (entry.name.split('/').includes('..') || entry.name.includes('\0')) {
      throw new RejectDocument({
        code: 'normalize.zip_traversal',
        message: 'An entry of the archive has a name that points outside the archive.',
      });
    }
  }
  return entries;
}

/**
 * yauzl decodes names without the UTF-8 flag as CP437; Info-ZIP on macOS and others write UTF-8
 * without the flag, so valid UTF-8 is read as UTF-8.
 */
function entryName(source: yauzl.Entry): string {
  const raw: Buffer = source.fileNameRaw;
  const name = isUtf8(raw)
    ? raw.toString('utf8')
    : yauzl.getFileNameLowLevel(source.generalPurposeBitFlag, raw, source.extraFields, false);
  return name.replaceAll('\\', '/');
}

function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes);
}

function withoutRoot(name: string): string {
  return name.replace(/^[a-zA-Z]:/, '').replace(/^(?:\.?\/)+/, '');
}

function checkSizes(entries: ZipEntry[], fileSize: number, limits: Limits): number {
  let sum = 0;
  for (const entry of entries) {
    sum += entry.uncompressedSize;
    if (
      entry.uncompressedSize >= ratioFromBytes &&
      entry.uncompressedSize > entry.compressedSize * limits.maxZipRatio
    ) {
      throw bomb(`${entry.compressedSize} bytes of it unpack to ${entry.uncompressedSize}`);
    }
  }
  if (sum >= 4 * ratioFromBytes && sum > fileSize * limits.maxZipRatio) {
    throw bomb(`its ${fileSize} bytes unpack to ${sum}`);
  }
  if (sum > limits.maxUnzippedBytes) {
    throw new RejectDocument({
      code: 'normalize.too_large',
      message: `The file unpacks to ${sum} bytes; the limit is ${limits.maxUnzippedBytes}.`,
    });
  }
  return sum;
}

/** Entries that share bytes are how a zip bomb works without nesting (Fifield, 2019). */
function checkOverlaps(entries: ZipEntry[]): void {
  const spans = entries
    .map(({ source }) => ({
      start: source.relativeOffsetOfLocalHeader,
      // The local header may be longer than this, but not shorter.
      end: source.relativeOffsetOfLocalHeader + 30 + source.compressedSize,
    }))
    .sort((a, b) => a.start - b.start);
  let end = 0;
  for (const span of spans) {
    if (span.start < end) throw bomb('its entries overlap');
    end = span.end;
  }
}

class CheckedZip implements SafeZip {
  readonly entries: ZipEntry[];
  readonly unzippedBytes: number;
  readonly #zipfile: yauzl.ZipFile;
  readonly #whole: Buffer | undefined;
  readonly #byName: Map<string, ZipEntry>;

  constructor({ zipfile, whole }: OpenedZip, entries: ZipEntry[], unzippedBytes: number) {
    this.entries = entries;
    this.unzippedBytes = unzippedBytes;
    this.#zipfile = zipfile;
    this.#whole = whole;
    this.#byName = new Map(entries.map((entry) => [entry.name.toLowerCase(), entry]));
  }

  find(name: string): ZipEntry | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  async stream(entry: ZipEntry): Promise<Readable> {
    if (entry.isEncrypted) {
      throw new RejectDocument({
        code: 'normalize.encrypted',
        message: 'An entry of the archive is encrypted.',
      });
    }
    try {
      return await this.#zipfile.openReadStreamPromise(entry.source);
    } catch (error) {
      throw corrupt('an entry cannot be unpacked', error);
    }
  }

  async read(entry: ZipEntry, maxBytes: number): Promise<Buffer> {
    if (entry.uncompressedSize > maxBytes) {
      throw new RejectDocument({
        code: 'normalize.too_large',
        message: `A part of the file unpacks to ${entry.uncompressedSize} bytes; the limit is ${maxBytes}.`,
      });
    }
    const chunks: Buffer[] = [];
    await this.#inflate(entry, (chunk) => chunks.push(chunk));
    return Buffer.concat(chunks);
  }

  async extract(entry: ZipEntry, target: string): Promise<void> {
    const file = await open(target, 'w');
    try {
      await this.#inflate(entry, (chunk) => file.write(chunk));
    } finally {
      await file.close();
    }
  }

  async verify(only?: (entry: ZipEntry) => boolean): Promise<void> {
    for (const entry of this.entries) {
      if (!entry.isDirectory && (!only || only(entry))) await this.#inflate(entry, () => {});
    }
  }

  close(): void {
    this.#zipfile.close();
  }

  /** Gives `take` the entry's unpacked bytes and checks their number and checksum. */
  async #inflate(
    entry: ZipEntry,
    take: (chunk: Buffer) => Promise<unknown> | unknown,
  ): Promise<void> {
    if (this.#whole && canInflateAtOnce(entry)) {
      const start = await this.#dataStart(entry);
      await take(inflateAtOnce(this.#whole.subarray(start, start + entry.compressedSize), entry));
      return;
    }
    let crc = 0;
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        crc = crc32(chunk, crc);
        Promise.resolve(take(chunk)).then(() => done(), done);
      },
    });
    try {
      await pipeline(await this.stream(entry), sink);
    } catch (error) {
      if (error instanceof RejectDocument || isSystemError(error)) throw error;
      if (error instanceof Error && error.message.startsWith('too many bytes')) {
        throw bomb('an entry unpacks to more than it states', error);
      }
      throw corrupt('an entry cannot be unpacked', error);
    }
    if (crc !== entry.source.crc32) throw corrupt('an entry has a wrong checksum');
  }

  async #dataStart(entry: ZipEntry): Promise<number> {
    try {
      const header = await this.#zipfile.readLocalFileHeaderPromise(entry.source, {
        minimal: true,
      });
      return header.fileDataStart;
    } catch (error) {
      throw corrupt('an entry cannot be unpacked', error);
    }
  }
}

function canInflateAtOnce(entry: ZipEntry): boolean {
  return (
    entry.compressionMethod === 8 &&
    !entry.isEncrypted &&
    entry.uncompressedSize <= inflateAtOnceUpTo
  );
}

function inflateAtOnce(packed: Buffer, entry: ZipEntry): Buffer {
  let bytes: Buffer;
  try {
    bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.uncompressedSize) });
  } catch (error) {
    if (error instanceof RangeError) throw bomb('an entry unpacks to more than it states', error);
    throw corrupt('an entry cannot be unpacked', error);
  }
  if (bytes.length !== entry.uncompressedSize) {
    throw corrupt('an entry unpacks to less than it states');
  }
  if (crc32(bytes) !== entry.source.crc32) throw corrupt('an entry has a wrong checksum');
  return bytes;
}

function corrupt(what: string, cause?: unknown): RejectDocument {
  return new RejectDocument({
    code: 'normalize.corrupt',
    message: `The archive cannot be read: ${what}.`,
    cause,
  });
}

function bomb(what: string, cause?: unknown): RejectDocument {
  return new RejectDocument({
    code: 'normalize.zip_bomb',
    message: `The file is built to exhaust memory: ${what}.`,
    cause,
  });
}
