import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type ObjectAddress, ObjectChanged, ObjectGone } from '../../shared/aws/objects.ts';
import type { ObjectStore } from '../../shared/steps/tools.ts';

interface Version {
  versionId: string;
  etag: string;
  bytes: Buffer;
}

/** Versioned buckets in memory, with what `Objects` promises of S3's behaviour. */
export class MemoryBuckets implements ObjectStore {
  readonly #objects = new Map<
    string,
    { current: Version | undefined; all: Map<string, Version> }
  >();
  #counter = 0;

  /** Stores an object as a user of the bucket does. */
  put(bucket: string, key: string, bytes: Uint8Array): { versionId: string; etag: string } {
    this.#counter += 1;
    const version = {
      versionId: `v${this.#counter}`,
      etag: createHash('md5').update(bytes).digest('hex'),
      bytes: Buffer.from(bytes),
    };
    const entry = this.#entry(bucket, key);
    entry.current = version;
    entry.all.set(version.versionId, version);
    return version;
  }

  /** Deletes as a user of a versioned bucket does: a marker, older versions stay readable. */
  remove(bucket: string, key: string): void {
    this.#entry(bucket, key).current = undefined;
  }

  async open(address: ObjectAddress) {
    const version = this.#find(address);
    return {
      body: Readable.from([version.bytes]),
      sizeBytes: version.bytes.length,
      contentType: undefined,
    };
  }

  async download(address: ObjectAddress, path: string) {
    const { bytes } = this.#find(address);
    await writeFile(path, bytes);
    return {
      sizeBytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      contentType: undefined,
    };
  }

  async putFile(target: { bucket: string; key: string }, file: { path: string }) {
    this.put(target.bucket, target.key, await readFile(file.path));
  }

  async putText(target: { bucket: string; key: string }, text: string) {
    this.put(target.bucket, target.key, Buffer.from(text));
  }

  async head(target: { bucket: string; key: string }) {
    const { current } = this.#entry(target.bucket, target.key);
    return (
      current && {
        versionId: current.versionId,
        etag: current.etag,
        sizeBytes: current.bytes.length,
      }
    );
  }

  async list(bucket: string, options: { prefix?: string; startAfter?: string | undefined } = {}) {
    const objects = [...this.#objects]
      .filter(([, entry]) => entry.current)
      .map(([path, entry]) => ({
        bucket: path.slice(0, path.indexOf('\0')),
        key: path.slice(path.indexOf('\0') + 1),
        etag: entry.current?.etag ?? '',
        sizeBytes: entry.current?.bytes.length ?? 0,
      }))
      .filter((object) => object.bucket === bucket)
      .filter((object) => object.key.startsWith(options.prefix ?? ''))
      .filter((object) => object.key > (options.startAfter ?? ''))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    return { objects: objects.slice(0, 1_000), more: objects.length > 1_000 };
  }

  async delete(target: { bucket: string; key: string }) {
    this.remove(target.bucket, target.key);
  }

  #entry(bucket: string, key: string) {
    const path = `${bucket}\0${key}`;
    let entry = this.#objects.get(path);
    if (!entry) {
      entry = { current: undefined, all: new Map() };
      this.#objects.set(path, entry);
    }
    return entry;
  }

  #find({ bucket, key, versionId, etag }: ObjectAddress): Version {
    const entry = this.#entry(bucket, key);
    const version = versionId ? entry.all.get(versionId) : entry.current;
    if (!version) throw new ObjectGone(key);
    if (!versionId && etag && version.etag !== etag) throw new ObjectChanged(key);
    return version;
  }
}
