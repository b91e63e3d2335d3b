import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { LocalFile } from './collect.ts';
import { contentTypeOf } from './content-type.ts';

const partBytes = 8 * 1024 * 1024;
const maxParts = 10_000;

/** Whether dropping a file wrote an object. */
export type Dropped = 'put' | 'unchanged';

/**
 * Uploads a file to the inbox in constant memory, in parts when it is large. An object that already holds the
 * same bytes is left alone, unless `force` is set.
 * @throws {Error} when the file changes meanwhile or S3 refuses it
 */
export async function dropFile(
  s3: S3Client,
  bucket: string,
  file: LocalFile,
  options: { force?: boolean } = {},
): Promise<Dropped> {
  const size = partSize(file.size);
  if (!options.force) {
    const current = await etagOf(s3, bucket, file.key);
    if (current !== undefined && current === (await localEtag(file, size))) return 'unchanged';
  }
  const target = { Bucket: bucket, Key: file.key };
  const ContentType = contentTypeOf(file.key);
  if (file.size <= size) {
    await s3.send(
      new PutObjectCommand({
        ...target,
        ContentType,
        ContentLength: file.size,
        Body: file.size === 0 ? '' : createReadStream(file.path, { end: file.size - 1 }),
      }),
    );
    return 'put';
  }
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...target, ContentType }));
  try {
    const Parts = [];
    for (const { start, end, number } of partsOf(file.size, size)) {
      const { ETag } = await s3.send(
        new UploadPartCommand({
          ...target,
          UploadId,
          PartNumber: number,
          ContentLength: end - start + 1,
          Body: createReadStream(file.path, { start, end }),
        }),
      );
      Parts.push({ ETag, PartNumber: number });
    }
    await s3.send(
      new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }),
    );
  } catch (error) {
    await s3.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => {});
    throw error;
  }
  return 'put';
}

async function etagOf(s3: S3Client, Bucket: string, Key: string): Promise<string | undefined> {
  try {
    const { ETag } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    return ETag?.replaceAll('"', '');
  } catch (error) {
    if ((error as Error).name === 'NotFound') return undefined;
    throw error;
  }
}

/** The ETag that S3 would give the file: its MD5, or the MD5 of the MD5s of its parts. */
async function localEtag(file: LocalFile, size: number): Promise<string> {
  if (file.size <= size) return (await md5(file.path, 0, file.size - 1)).toString('hex');
  const parts = partsOf(file.size, size);
  const all = createHash('md5');
  for (const { start, end } of parts) all.update(await md5(file.path, start, end));
  return `${all.digest('hex')}-${parts.length}`;
}

async function md5(path: string, start: number, end: number): Promise<Buffer> {
  const hash = createHash('md5');
  if (end >= start) {
    for await (const chunk of createReadStream(path, { start, end })) hash.update(chunk);
  }
  return hash.digest();
}

function partSize(fileSize: number): number {
  return Math.max(partBytes, Math.ceil(fileSize / maxParts));
}

function partsOf(fileSize: number, size: number) {
  return Array.from({ length: Math.ceil(fileSize / size) }, (_, index) => ({
    number: index + 1,
    start: index * size,
    end: Math.min((index + 1) * size, fileSize) - 1,
  }));
}
