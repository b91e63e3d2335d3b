import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type ObjectAddress, ObjectChanged, ObjectGone } from '../../shared/aws/objects.ts';
import type { ObjectStore } from '../../shared/steps/tools.ts';

interface Version {
  versionId: string;
  etag: string;
  bytes: Buffer;
  modifiedAt: number;
  /** The profile that its metadata asks for, and its tags. */
  profileAsked?: string | undefined;
  tags?: Record<string, string> | undefined;
  /** A delete marker: while it is the newest version, the key has no object. */
  marker: boolean;
}

/** In-memory buckets with the behaviour of S3 that `Objects` documents. */
export class MemoryBuckets implements ObjectStore {
  /** The versions of an object, oldest first; at most one without versioning. */
  readonly #objects = new Map<string, Version[]>();
  readonly #versioned: boolean;
  readonly #now: () => number;
  /** Objects per page of a listing. */
  pageSize = 1_000;
  #counter = 0;

  constructor({ versioned = true, now = (): number => 0 } = {}) {
    this.#versioned = versioned;
    this.#now = now;
  }

  /** Stores an object as a user of the bucket does. */
  put(
    bucket: string,
    key: string,
    bytes: Uint8Array,
    marks: Pick<Version, 'profileAsked' | 'tags'> = {},
  ): { versionId?: string; etag: string } {
    const etag = createHash('md5').update(bytes).digest('hex');
    const versionId = this.#add(bucket, key, {
      ...marks,
      etag,
      bytes: Buffer.from(bytes),
      marker: false,
    });
    return { etag, ...(this.#versioned ? { versionId } : {}) };
  }

  /** Deletes an object as a user of the bucket does; with versioning, returns the id of the delete marker. */
  remove(bucket: string, key: string): string | undefined {
    if (this.#versioned) {
      return this.#add(bucket, key, { etag: '', bytes: Buffer.alloc(0), marker: true });
    }
    this.#objects.delete(`${bucket}\0${key}`);
    return undefined;
  }

  /** Deletes one version, or a marker, for good. */
  removeVersion(bucket: string, key: string, versionId: string): void {
    const versions = this.#versions(bucket, key);
    const at = versions.findIndex((version) => version.versionId === versionId);
    if (at < 0) throw new Error(`no version ${versionId} of ${key}`);
    versions.splice(at, 1);
  }

  async open(address: ObjectAddress) {
    const version = this.#find(address);
    return {
      // A copy, as from a socket: the upload gives the memory of large chunks away.
      body: Readable.from([Uint8Array.from(version.bytes)]),
      sizeBytes: version.bytes.length,
      contentType: undefined,
      ...marksOf(version),
    };
  }

  async profileTag(address: ObjectAddress) {
    return this.#find(address).tags?.['dropline-profile'];
  }

  async download(address: ObjectAddress, path: string) {
    const version = this.#find(address);
    const { bytes } = version;
    await writeFile(path, bytes);
    return {
      sizeBytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      contentType: undefined,
      ...marksOf(version),
    };
  }

  async putFile(target: { bucket: string; key: string }, file: { path: string }) {
    this.put(target.bucket, target.key, await readFile(file.path));
  }

  async putText(target: { bucket: string; key: string }, text: string) {
    this.put(target.bucket, target.key, Buffer.from(text));
  }

  async getText({ bucket, key }: { bucket: string; key: string }) {
    return this.#current(bucket, key)?.bytes.toString();
  }

  async head(target: { bucket: string; key: string }) {
    const current = this.#current(target.bucket, target.key);
    return (
      current && {
        ...(this.#versioned ? { versionId: current.versionId } : {}),
        etag: current.etag,
        sizeBytes: current.bytes.length,
      }
    );
  }

  async list(bucket: string, options: { prefix?: string; startAfter?: string | undefined } = {}) {
    const objects = [...this.#objects.keys()]
      .filter((path) => path.startsWith(`${bucket}\0`))
      .map((path) => path.slice(bucket.length + 1))
      .filter((key) => key.startsWith(options.prefix ?? ''))
      .filter((key) => key > (options.startAfter ?? ''))
      .sort()
      .flatMap((key) => {
        const current = this.#current(bucket, key);
        if (!current) return [];
        const { etag, bytes, modifiedAt } = current;
        return [{ key, etag, sizeBytes: bytes.length, modifiedAt }];
      });
    return { objects: objects.slice(0, this.pageSize), more: objects.length > this.pageSize };
  }

  async delete(target: { bucket: string; key: string }) {
    this.remove(target.bucket, target.key);
  }

  #add(bucket: string, key: string, version: Omit<Version, 'versionId' | 'modifiedAt'>): string {
    this.#counter += 1;
    const versionId = `v${this.#counter}`;
    const versions = this.#versions(bucket, key);
    if (!this.#versioned) versions.splice(0);
    versions.push({ ...version, versionId, modifiedAt: this.#now() });
    return versionId;
  }

  #versions(bucket: string, key: string): Version[] {
    const path = `${bucket}\0${key}`;
    const versions = this.#objects.get(path) ?? [];
    this.#objects.set(path, versions);
    return versions;
  }

  #current(bucket: string, key: string): Version | undefined {
    const newest = this.#versions(bucket, key).at(-1);
    return newest?.marker ? undefined : newest;
  }

  #find({ bucket, key, versionId, etag }: ObjectAddress): Version {
    const version = versionId
      ? this.#versions(bucket, key).find((one) => one.versionId === versionId)
      : this.#current(bucket, key);
    if (!version) throw new ObjectGone(key);
    if (!versionId && etag && version.etag !== etag) throw new ObjectChanged(key);
    return version;
  }
}

const marksOf = ({ profileAsked, tags = {} }: Version) => ({
  profileAsked,
  tagCount: Object.keys(tags).length,
});
