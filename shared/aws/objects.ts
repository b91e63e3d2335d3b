import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, writeFileSync } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';

/** An object, pinned so that no other version can be read by mistake. */
export interface ObjectAddress {
  bucket: string;
  key: string;
  /** Pins the version in a versioned bucket. */
  versionId?: string | undefined;
  /** Pins the content (`If-Match`) when there is no version. Without quotes. */
  etag?: string | undefined;
}

/** An object that is being read. */
export interface OpenObject {
  body: Readable;
  sizeBytes: number;
  contentType: string | undefined;
  /** The profile that its metadata asks for. */
  profileAsked?: string | undefined;
  /** How many tags it has, as far as the reader may know. */
  tagCount?: number;
}

/** The metadata (`x-amz-meta-…`) or tag by which an object asks for a profile. */
const profileMark = 'dropline-profile';

/** A name as people write it; an empty one asks for nothing. */
const named = (text: string | undefined): string | undefined => text?.trim() || undefined;

/** An object in a listing. */
export interface ListedObject {
  key: string;
  /** Without quotes. */
  etag: string;
  sizeBytes: number;
  /** Epoch milliseconds. */
  modifiedAt: number;
}

/** The object no longer exists: its removal event has come or is coming. */
export class ObjectGone extends Error {
  override readonly name = 'ObjectGone';
}

/** The object has been overwritten: the event of the newer content has come or is coming. */
export class ObjectChanged extends Error {
  override readonly name = 'ObjectChanged';
}

/**
 * S3 holds the object but does not hand it out: `archived` in a storage class that must be restored first, or `forbidden` to
 * this role (a bucket policy, an access list, a KMS key). No retry helps until a person acts.
 */
export class ObjectUnreadable extends Error {
  override readonly name = 'ObjectUnreadable';
  readonly reason: 'archived' | 'forbidden';

  constructor(reason: 'archived' | 'forbidden', message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** An object of up to this many bytes is downloaded at once: a stream to a file takes several turns of a thread. */
const smallBytes = 256 * 1024;

/** Reads and writes of objects, as streams. */
export class Objects {
  readonly #client: S3Client;

  constructor(client: S3Client) {
    this.#client = client;
  }

  /**
   * Opens an object for reading.
   * @throws ObjectGone, ObjectChanged, ObjectUnreadable, or the SDK's own error when S3 cannot be reached
   */
  async open(address: ObjectAddress, signal?: AbortSignal): Promise<OpenObject> {
    const reply = await translated(address, () =>
      this.#client.send(
        new GetObjectCommand({
          Bucket: address.bucket,
          Key: address.key,
          ...(address.versionId
            ? { VersionId: address.versionId }
            : address.etag
              ? { IfMatch: `"${address.etag}"` }
              : {}),
        }),
        signal ? { abortSignal: signal } : {},
      ),
    );
    if (!(reply.Body instanceof Readable)) throw new Error('S3 answered without a body');
    return {
      body: reply.Body,
      sizeBytes: reply.ContentLength ?? 0,
      contentType: reply.ContentType,
      profileAsked: named(reply.Metadata?.[profileMark]),
      tagCount: reply.TagCount ?? 0,
    };
  }

  /**
   * The profile that an object asks for by a tag.
   * @throws ObjectGone, ObjectUnreadable, or the SDK's own error when S3 cannot be reached
   */
  async profileTag(address: ObjectAddress): Promise<string | undefined> {
    const { bucket, key, versionId } = address;
    const reply = await translated(address, () =>
      this.#client.send(
        new GetObjectTaggingCommand({
          Bucket: bucket,
          Key: key,
          ...(versionId ? { VersionId: versionId } : {}),
        }),
      ),
    );
    return named(reply.TagSet?.find(({ Key }) => Key === profileMark)?.Value);
  }

  /** Copies an object to a local file and hashes it, in constant memory. */
  async download(
    address: ObjectAddress,
    path: string,
  ): Promise<{ sizeBytes: number; sha256: string } & Omit<OpenObject, 'body' | 'sizeBytes'>> {
    const { body, sizeBytes: announced, ...about } = await this.open(address);
    const hash = createHash('sha256');
    if (announced > 0 && announced <= smallBytes) {
      const bytes = await buffer(body);
      writeFileSync(path, bytes);
      return { sizeBytes: bytes.length, sha256: hash.update(bytes).digest('hex'), ...about };
    }
    let sizeBytes = 0;
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        sizeBytes += chunk.length;
        done(null, chunk);
      },
    });
    await pipeline(body, meter, createWriteStream(path));
    return { sizeBytes, sha256: hash.digest('hex'), ...about };
  }

  /** Stores a local file. S3 verifies the given SHA-256 (hex). */
  async putFile(
    target: { bucket: string; key: string },
    file: { path: string; sizeBytes: number; sha256: string; contentType: string },
  ): Promise<void> {
    await this.#client.send(
      new PutObjectCommand({
        Bucket: target.bucket,
        Key: target.key,
        Body: createReadStream(file.path),
        ContentLength: file.sizeBytes,
        ContentType: file.contentType,
        ChecksumSHA256: Buffer.from(file.sha256, 'hex').toString('base64'),
      }),
    );
  }

  /** Stores a small text. */
  async putText(
    target: { bucket: string; key: string },
    text: string,
    contentType: string,
  ): Promise<void> {
    await this.#client.send(
      new PutObjectCommand({
        Bucket: target.bucket,
        Key: target.key,
        Body: text,
        ContentType: contentType,
      }),
    );
  }

  /** A small text that was stored, or `undefined` when there is none. */
  async getText(target: { bucket: string; key: string }): Promise<string | undefined> {
    try {
      const { body } = await this.open(target);
      return await text(body);
    } catch (error) {
      if (error instanceof ObjectGone) return undefined;
      throw error;
    }
  }

  /**
   * The current object of a key, or `undefined` when there is none.
   * @throws ObjectUnreadable when there is one that S3 does not describe to this role
   */
  async head(target: {
    bucket: string;
    key: string;
  }): Promise<{ versionId?: string; etag?: string; sizeBytes: number } | undefined> {
    try {
      const reply = await this.#client.send(
        new HeadObjectCommand({ Bucket: target.bucket, Key: target.key }),
      );
      return {
        ...(reply.VersionId ? { versionId: reply.VersionId } : {}),
        ...(reply.ETag ? { etag: reply.ETag.replaceAll('"', '') } : {}),
        sizeBytes: reply.ContentLength ?? 0,
      };
    } catch (error) {
      if (error instanceof S3ServiceException) {
        const status = error.$metadata.httpStatusCode;
        if (status === 404) return undefined;
        // A reply to HEAD has no body, and so no code. 400 is an object with a key of the customer's (SSE-C).
        if (status === 403 || status === 400) {
          const said = `S3 does not describe s3://${target.bucket}/${target.key}: ${status}`;
          throw new ObjectUnreadable('forbidden', said, { cause: error });
        }
      }
      throw error;
    }
  }

  /** A page of up to 1,000 objects below a prefix, in the order of their keys. */
  async list(
    bucket: string,
    options: { prefix?: string; startAfter?: string | undefined } = {},
  ): Promise<{ objects: ListedObject[]; more: boolean }> {
    const reply = await this.#client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: options.prefix,
        StartAfter: options.startAfter,
      }),
    );
    const objects = (reply.Contents ?? []).flatMap((entry) =>
      entry.Key === undefined
        ? []
        : [
            {
              key: entry.Key,
              etag: (entry.ETag ?? '').replaceAll('"', ''),
              sizeBytes: entry.Size ?? 0,
              modifiedAt: entry.LastModified?.getTime() ?? 0,
            },
          ],
    );
    return { objects, more: reply.IsTruncated ?? false };
  }

  /** Deletes an object; succeeds when it does not exist. */
  async delete(target: { bucket: string; key: string }): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: target.bucket, Key: target.key }));
  }
}

async function translated<T>(address: ObjectAddress, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    const where = `s3://${address.bucket}/${address.key}`;
    if (error instanceof S3ServiceException) {
      const status = error.$metadata.httpStatusCode;
      if (status === 412) throw new ObjectChanged(`${where} was overwritten`, { cause: error });
      if (status === 404 || error.name === 'NoSuchKey' || error.name === 'NoSuchVersion') {
        throw new ObjectGone(`${where} is gone`, { cause: error });
      }
      const reason = unreadableBecause(error.name);
      if (reason) {
        const said = `S3 does not hand out ${where}: ${error.name}, ${error.message}`;
        throw new ObjectUnreadable(reason, said, { cause: error });
      }
    }
    throw error;
  }
}

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; S3 passes on what KMS answers as `KMS.…`. A GET as
 * `open` makes it is an `InvalidRequest` only where the object is encrypted with a key of the customer's (SSE-C). The codes of
 * an expired or wrong signature are not here: they are about the caller's clock or credentials, and pass.
 */
function unreadableBecause(code: string): ObjectUnreadable['reason'] | undefined {
  if (code === 'InvalidObjectState') return 'archived';
  if (code === 'KMS.ThrottlingException') return undefined;
  const forbidden = ['AccessDenied', 'AllAccessDisabled', 'InvalidRequest'].includes(code);
  return forbidden || code.startsWith('KMS.') ? 'forbidden' : undefined;
}
