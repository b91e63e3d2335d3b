import { mkdir, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FileOrder } from './file-order.ts';
import { PendingFile } from './pending-file.ts';

/**
 * Files on disk: `files/<id>.bin` with the bytes, then `files/<id>.json`. The file exists from the
 * moment the latter is renamed into place, so a killed process leaves either the complete file or
 * nothing. Nothing is synced (fsync): files survive the death of the process, not a power cut.
 */

const storedFileSchema = z.object({
  id: z.string(),
  seq: z.number(),
  filename: z.string(),
  mimeType: z.string(),
  sizeBytes: z.number(),
  sha256: z.string(),
  createdAt: z.number(),
  expiresAt: z.number().nullable(),
  downloadable: z.boolean(),
  deletedAt: z.number().optional(),
});

/** Times in milliseconds since the epoch. `seq` orders files created in the same millisecond. */
export type StoredFile = z.infer<typeof storedFileSchema>;

/** How long the metadata of an expired file stays visible. */
const expiredVisibleMs = 30 * 24 * 3600 * 1000;

export class FileStore {
  readonly #dir: string;
  readonly #tmp: string;
  readonly #now: () => number;
  readonly #deleteLagMs: number;
  readonly #files = new Map<string, StoredFile>();
  readonly #order = new FileOrder<StoredFile>();
  #nextSeq = 1;
  #nextTmp = 1;

  private constructor(dataDir: string, now: () => number, deleteLagMs: number) {
    this.#dir = join(dataDir, 'files');
    this.#tmp = join(dataDir, 'tmp');
    this.#now = now;
    this.#deleteLagMs = deleteLagMs;
  }

  /** Opens the folder and deletes the incomplete files of a killed process. */
  static async open(dataDir: string, now: () => number, deleteLagMs: number): Promise<FileStore> {
    const store = new FileStore(dataDir, now, deleteLagMs);
    await rm(store.#tmp, { recursive: true, force: true });
    await mkdir(store.#tmp, { recursive: true });
    await mkdir(store.#dir, { recursive: true });

    const names = new Set(await readdir(store.#dir));
    const loaded: StoredFile[] = [];
    for (const batch of chunksOf([...names], 64)) {
      const files = await Promise.all(batch.map((name) => store.#load(name, names)));
      loaded.push(...files.filter((file) => file !== undefined));
    }

    loaded.sort((a, b) => a.seq - b.seq);
    for (const file of loaded) {
      store.#files.set(file.id, file);
      store.#order.add(file);
    }
    store.#nextSeq = (loaded.at(-1)?.seq ?? 0) + 1;
    return store;
  }

  /** Reads one entry of the folder; deletes it when its other half is missing. */
  async #load(name: string, names: ReadonlySet<string>): Promise<StoredFile | undefined> {
    const path = join(this.#dir, name);
    if (name.endsWith('.bin') && names.has(name.replace(/\.bin$/, '.json'))) return undefined;
    if (name.endsWith('.json') && names.has(name.replace(/\.json$/, '.bin'))) {
      // Only a power cut can leave damaged metadata, because nothing is synced.
      const file = storedFileSchema.safeParse(parseJson(await readFile(path, 'utf8')));
      if (file.success) return file.data;
    }
    await unlink(path);
    return undefined;
  }

  /** A place for new bytes; `add` makes them a file. */
  begin(): PendingFile {
    return new PendingFile(join(this.#tmp, `${this.#nextTmp++}.part`));
  }

  /** Makes the bytes of `pending` a file. */
  async add(
    pending: PendingFile,
    meta: Pick<StoredFile, 'id' | 'filename' | 'mimeType' | 'downloadable'> & {
      expiresInSeconds?: number | undefined;
    },
  ): Promise<StoredFile> {
    const { sizeBytes, sha256 } = await pending.finish(this.path(meta.id));
    const createdAt = this.#now();
    const { expiresInSeconds, ...rest } = meta;
    const expiresAt =
      expiresInSeconds === undefined ? null : createdAt + Math.round(expiresInSeconds * 1000);
    const file: StoredFile = {
      ...rest,
      seq: this.#nextSeq++,
      sizeBytes,
      sha256,
      createdAt,
      expiresAt,
    };

    await this.#writeMeta(file);
    this.#files.set(file.id, file);
    this.#order.add(file);
    return file;
  }

  async #writeMeta(file: StoredFile): Promise<void> {
    const tmp = join(this.#tmp, `${this.#nextTmp++}.json`);
    await writeFile(tmp, JSON.stringify(file));
    await rename(tmp, join(this.#dir, `${file.id}.json`));
  }

  /** Path of the file's bytes. */
  path(id: string): string {
    return join(this.#dir, `${id}.bin`);
  }

  has(id: string): boolean {
    return this.#files.has(id);
  }

  /** The file while its metadata is visible, which for an expired file is 30 days more. */
  get(id: string): StoredFile | undefined {
    const file = this.#files.get(id);
    return file && this.#visible(file) ? file : undefined;
  }

  expired(file: StoredFile): boolean {
    return file.expiresAt !== null && this.#now() >= file.expiresAt;
  }

  #visible(file: StoredFile): boolean {
    const now = this.#now();
    if (file.deletedAt !== undefined && now >= file.deletedAt + this.#deleteLagMs) return false;
    return file.expiresAt === null || now < file.expiresAt + expiredVisibleMs;
  }

  /** Bytes that count against the storage quota. */
  usedBytes(): number {
    let used = 0;
    for (const file of this.#files.values()) {
      if (file.deletedAt === undefined && !this.expired(file)) used += file.sizeBytes;
    }
    return used;
  }

  /** All visible files, oldest first. */
  all(): StoredFile[] {
    return this.#order.all().filter((file) => this.#visible(file));
  }

  /** Up to `limit` visible files older than `seq`, newest first. */
  olderThan(seq: number, limit: number): StoredFile[] {
    return this.#order.olderThan(seq, limit, (file) => this.#visible(file));
  }

  /** The `limit` visible files next newer than `seq`, newest first. */
  newerThan(seq: number, limit: number): StoredFile[] {
    return this.#order.newerThan(seq, limit, (file) => this.#visible(file));
  }

  /** Deletes the file; it stays visible for `deleteLagMs`. */
  async remove(id: string): Promise<void> {
    const file = this.#files.get(id);
    if (!file) return;
    file.deletedAt ??= this.#now();

    if (this.#visible(file)) await this.#writeMeta(file);
    else await this.purge(id);
  }

  /** Removes the file at once, without a trace. */
  async purge(id: string): Promise<void> {
    const file = this.#files.get(id);
    if (!file) return;
    this.#files.delete(id);
    this.#order.remove(file);
    // The metadata first: bytes without metadata are deleted at the next start.
    await unlink(join(this.#dir, `${id}.json`)).catch(ignoreMissing);
    await unlink(this.path(id)).catch(ignoreMissing);
  }

  /** Makes the file expire now. */
  async expire(id: string): Promise<void> {
    const file = this.#files.get(id);
    if (!file) return;
    file.expiresAt = this.#now();
    await this.#writeMeta(file);
  }
}

function chunksOf<T>(items: T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let i = 0; i < items.length; i += size) chunks.push(items.slice(i, i + size));
  return chunks;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
