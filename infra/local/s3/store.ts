import { randomBytes } from 'node:crypto';
import { AwsError } from '../aws/errors.ts';
import type { QueueStore } from '../sqs/store.ts';
import type { State } from '../state/database.ts';
import type { Blobs, Segment, Written } from './blobs.ts';
import {
  type BucketChange,
  type EventName,
  type NotificationRule,
  notification,
  ruleMatches,
  testEvent,
} from './events.ts';
import { prepareStatements } from './statements.ts';

export interface Bucket {
  name: string;
  versioned: boolean;
  notifications: NotificationRule[];
}

/** Stored with an object and sent back as response headers. */
export type ObjectHeaders = Record<string, string>;

export interface StoredObject {
  key: string;
  /** The string `null` in a bucket without versioning. */
  version: string;
  latest: boolean;
  /** A delete marker: no bytes, and reading it is a 404. */
  marker: boolean;
  size: number;
  /** Without quotes. */
  etag: string;
  segments: Segment[];
  headers: ObjectHeaders;
  modifiedAt: Date;
}

export interface UploadedPart {
  number: number;
  file: string;
  size: number;
  etag: string;
  modifiedAt: Date;
}

/** Throws an {AwsError} when the current object, or its absence, forbids the write. */
export type Precondition = (current: StoredObject | undefined) => void;

type Row = Record<string, unknown>;

/**
 * The index of the local S3. Every change and its notification in the queue are one transaction, so that a
 * kill cannot separate an object from its event.
 */
export class S3Store {
  readonly #state: State;
  readonly #blobs: Blobs;
  readonly #queues: QueueStore;
  readonly #region: string;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();
  readonly #onChange: (change: BucketChange) => void;
  readonly #sql: ReturnType<typeof prepareStatements>;
  #sequence: bigint;

  constructor(options: {
    state: State;
    blobs: Blobs;
    queues: QueueStore;
    region: string;
    now?: () => number;
    onChange?: (change: BucketChange) => void;
  }) {
    this.#state = options.state;
    this.#blobs = options.blobs;
    this.#queues = options.queues;
    this.#region = options.region;
    this.#now = options.now ?? Date.now;
    this.#onChange = options.onChange ?? (() => {});
    this.#sql = prepareStatements(options.state);
    this.#sequence = BigInt(`0x${options.state.getMeta('sequencer') ?? '0'}`);
  }

  /** Adds a bucket. When its notification rules are new, sends test events to its queues, as S3 does. */
  define(bucket: Bucket): void {
    this.#buckets.set(bucket.name, bucket);
    const name = `notified:${bucket.name}`;
    const rules = JSON.stringify(
      bucket.notifications.map(({ event, queueArn }) => [event, queueArn]),
    );
    if (bucket.notifications.length === 0 || this.#state.getMeta(name) === rules) return;
    this.#state.transaction(() => {
      this.#state.setMeta(name, rules);
      for (const arn of new Set(bucket.notifications.map(({ queueArn }) => queueArn))) {
        const queue = this.#queues.byArn(arn);
        if (queue) this.#queues.send(queue, testEvent(bucket.name, new Date(this.#now())));
      }
    });
  }

  buckets(): Bucket[] {
    return [...this.#buckets.values()];
  }

  /** @throws {AwsError} NoSuchBucket */
  bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (!bucket) {
      throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404);
    }
    return bucket;
  }

  /** The given version, or the current one, which may be a delete marker. */
  find(bucket: Bucket, key: string, version?: string): StoredObject | undefined {
    const row =
      version === undefined
        ? this.#sql.latest.get(bucket.name, key)
        : this.#sql.version.get(bucket.name, key, version);
    return row ? objectOf(row) : undefined;
  }

  /** Current objects starting at a key, in UTF-8 order. */
  page(bucket: Bucket, from: string, inclusive: boolean, limit: number): StoredObject[] {
    const statement = inclusive ? this.#sql.pageFrom : this.#sql.pageAfter;
    return statement.all(bucket.name, from, limit).map(objectOf);
  }

  /** All versions of the keys after `after`, newest first within a key. */
  versions(bucket: Bucket, after: string, limit: number): StoredObject[] {
    return this.#sql.versions.all(bucket.name, after, limit).map(objectOf);
  }

  /** Makes written bytes the current version of a key, and sends the notification. */
  put(
    bucket: Bucket,
    key: string,
    content: { segments: Segment[]; size: number; etag: string; headers: ObjectHeaders },
    eventName: EventName,
    precondition?: Precondition,
  ): StoredObject {
    return this.#state.transaction(() => {
      precondition?.(visible(this.find(bucket, key)));
      const version = this.#replaceLatest(bucket, key);
      const change = this.#change(bucket, key, eventName, version, {
        size: content.size,
        etag: content.etag,
      });
      this.#insert(bucket.name, key, version, change, content, false);
      this.#announce(bucket, change);
      return {
        key,
        version,
        latest: true,
        marker: false,
        ...content,
        modifiedAt: change.at,
      };
    });
  }

  /**
   * Deletes a version for good. Without a version: adds a delete marker if the bucket is versioned, and deletes
   * the object if not.
   * Deleting a missing object succeeds, as on S3.
   * @returns what the response must report
   */
  delete(bucket: Bucket, key: string, version?: string): { version?: string; marker: boolean } {
    return this.#state.transaction(() => {
      if (bucket.versioned && version === undefined) {
        const marker = this.#replaceLatest(bucket, key);
        const change = this.#change(bucket, key, 'ObjectRemoved:DeleteMarkerCreated', marker, {
          etag: emptyMd5,
        });
        const content = { segments: [], size: 0, etag: emptyMd5, headers: {} };
        this.#insert(bucket.name, key, marker, change, content, true);
        this.#announce(bucket, change);
        return { version: marker, marker: true };
      }
      const found = this.find(bucket, key, version);
      if (!found) return version === undefined ? { marker: false } : { version, marker: false };
      this.#sql.remove.run(bucket.name, key, found.version);
      if (found.latest) this.#sql.promote.run(bucket.name, key, bucket.name, key);
      this.#blobs.discard(found.segments);
      this.#announce(bucket, this.#change(bucket, key, 'ObjectRemoved:Delete', found.version, {}));
      return version === undefined
        ? { marker: false }
        : { version: found.version, marker: found.marker };
    });
  }

  /** Replaces what is stored with a version, its tags among them. @returns false when it is gone */
  setHeaders(
    bucket: Bucket,
    { key, version, headers }: Pick<StoredObject, 'key' | 'version' | 'headers'>,
  ): boolean {
    const stored = JSON.stringify(headers);
    return this.#sql.setHeaders.run(stored, bucket.name, key, version).changes > 0;
  }

  createUpload(bucket: Bucket, key: string, headers: ObjectHeaders): string {
    const id = randomBytes(24).toString('base64url');
    this.#sql.createUpload.run(id, bucket.name, key, JSON.stringify(headers), this.#now());
    return id;
  }

  /** @throws {AwsError} NoSuchUpload */
  upload(bucket: Bucket, key: string, id: string): { headers: ObjectHeaders } {
    const row = this.#sql.upload.get(id, bucket.name, key);
    if (!row) {
      throw new AwsError('NoSuchUpload', 'The specified upload does not exist.', 404);
    }
    return { headers: JSON.parse(String(row.headers)) };
  }

  uploads(bucket: Bucket): { id: string; key: string; startedAt: Date }[] {
    return this.#sql.uploads.all(bucket.name).map((row) => ({
      id: String(row.upload_id),
      key: String(row.key),
      startedAt: new Date(Number(row.started_at)),
    }));
  }

  putPart(uploadId: string, number: number, written: Written): void {
    this.#state.transaction(() => {
      const old = this.#sql.part.get(uploadId, number);
      if (old) this.#blobs.discard([{ file: String(old.file), size: 0 }]);
      const { file, size, md5 } = written;
      this.#sql.putPart.run(uploadId, number, file, size, md5, this.#now());
    });
  }

  parts(uploadId: string): UploadedPart[] {
    return this.#sql.parts.all(uploadId).map((row) => ({
      number: Number(row.number),
      file: String(row.file),
      size: Number(row.size),
      etag: String(row.etag),
      modifiedAt: new Date(Number(row.modified_at)),
    }));
  }

  /** Turns an upload into an object made of `parts`, and drops its other parts. */
  completeUpload(
    bucket: Bucket,
    key: string,
    uploadId: string,
    parts: UploadedPart[],
    etag: string,
    precondition?: Precondition,
  ): StoredObject {
    return this.#state.transaction(() => {
      const { headers } = this.upload(bucket, key, uploadId);
      const kept = new Set(parts.map(({ file }) => file));
      this.#blobs.discard(this.parts(uploadId).filter(({ file }) => !kept.has(file)));
      this.#sql.dropParts.run(uploadId);
      this.#sql.dropUpload.run(uploadId);
      const segments = parts.map(({ file, size }) => ({ file, size }));
      const size = segments.reduce((sum, segment) => sum + segment.size, 0);
      return this.put(
        bucket,
        key,
        { segments, size, etag, headers },
        'ObjectCreated:CompleteMultipartUpload',
        precondition,
      );
    });
  }

  abortUpload(uploadId: string): void {
    this.#state.transaction(() => {
      this.#blobs.discard(this.parts(uploadId));
      this.#sql.dropParts.run(uploadId);
      this.#sql.dropUpload.run(uploadId);
    });
  }

  /** Makes way for a new current version. @returns its id */
  #replaceLatest(bucket: Bucket, key: string): string {
    if (bucket.versioned) {
      this.#sql.demote.run(bucket.name, key);
      return randomBytes(24).toString('base64url');
    }
    const old = this.find(bucket, key);
    if (old) {
      this.#sql.remove.run(bucket.name, key, old.version);
      this.#blobs.discard(old.segments);
    }
    return 'null';
  }

  #insert(
    bucket: string,
    key: string,
    version: string,
    change: BucketChange,
    content: { segments: Segment[]; size: number; etag: string; headers: ObjectHeaders },
    marker: boolean,
  ): void {
    this.#sql.insert.run(
      bucket,
      key,
      version,
      change.sequencer,
      marker ? 1 : 0,
      content.size,
      content.etag,
      JSON.stringify(content.segments),
      JSON.stringify(content.headers),
      change.at.getTime(),
    );
  }

  #change(
    bucket: Bucket,
    key: string,
    eventName: EventName,
    version: string,
    content: { size?: number; etag?: string },
  ): BucketChange {
    const now = this.#now();
    const clock = BigInt(now) << 16n;
    this.#sequence = clock > this.#sequence ? clock : this.#sequence + 1n;
    const sequencer = this.#sequence.toString(16).toUpperCase().padStart(18, '0');
    this.#state.setMeta('sequencer', sequencer);
    return {
      eventName,
      bucket: bucket.name,
      key,
      ...(bucket.versioned ? { versionId: version } : {}),
      sequencer,
      ...content,
      at: new Date(now),
      region: this.#region,
    };
  }

  #announce(bucket: Bucket, change: BucketChange): void {
    for (const rule of bucket.notifications) {
      if (!ruleMatches(rule, change)) continue;
      const queue = this.#queues.byArn(rule.queueArn);
      if (queue) this.#queues.send(queue, notification(change, rule));
    }
    queueMicrotask(() => this.#onChange(change));
  }
}

const emptyMd5 = 'd41d8cd98f00b204e9800998ecf8427e';

/** What a reader sees: nothing in place of a delete marker. */
export function visible(object: StoredObject | undefined): StoredObject | undefined {
  return object?.marker ? undefined : object;
}

function objectOf(row: Row): StoredObject {
  return {
    key: String(row.key),
    version: String(row.version),
    latest: row.latest === 1,
    marker: row.marker === 1,
    size: Number(row.size),
    etag: String(row.etag),
    segments: JSON.parse(String(row.segments)),
    headers: JSON.parse(String(row.headers)),
    modifiedAt: new Date(Number(row.modified_at)),
  };
}
