import { createHash } from 'node:crypto';
import { AwsError } from '../aws/errors.ts';
import { header, readBody } from '../aws/http.ts';
import { headersToKeep, receiveBody } from './body.ts';
import { writePrecondition } from './conditions.ts';
import { type S3Context, type S3Request, send, sendXml } from './request.ts';
import type { UploadedPart } from './store.ts';
import { copyResult, copySource, versionHeader } from './write.ts';
import { parseItems, renderXml } from './xml.ts';

const minPartBytes = 5 * 1024 * 1024;

export function createUpload({ store }: S3Context, call: S3Request): void {
  const bucket = store.bucket(call.bucket);
  const id = store.createUpload(bucket, call.key, headersToKeep(call.request));
  sendXml(call, 'InitiateMultipartUploadResult', {
    Bucket: call.bucket,
    Key: call.key,
    UploadId: id,
  });
}

/** UploadPart, or UploadPartCopy when the request names a source. */
export async function putPart({ store, blobs, ...context }: S3Context, call: S3Request) {
  const number = Number(call.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    throw new AwsError(
      'InvalidArgument',
      'Part number must be an integer between 1 and 10000, inclusive',
    );
  }
  const id = uploadId(call);
  const bucket = store.bucket(call.bucket);
  store.upload(bucket, call.key, id);
  if (header(call.request, 'x-amz-copy-source') === undefined) {
    const written = await receiveBody(call.request, blobs);
    store.upload(bucket, call.key, id);
    store.putPart(id, number, written);
    return send(call, 200, { etag: `"${written.md5}"` });
  }
  const source = copySource({ store, blobs, ...context }, call);
  const range = /^bytes=(\d+)-(\d+)$/.exec(header(call.request, 'x-amz-copy-source-range') ?? '');
  const start = range ? Number(range[1]) : 0;
  const end = range ? Number(range[2]) : source.size - 1;
  if (end >= source.size || start > end) {
    throw new AwsError('InvalidArgument', 'Range specified is not valid for source object');
  }
  const written = await blobs.write(blobs.read(source.segments, start, end));
  store.putPart(id, number, written);
  send(call, 200, {}, copyResult('CopyPartResult', { etag: written.md5, modifiedAt: new Date() }));
}

export async function completeUpload(context: S3Context, call: S3Request): Promise<void> {
  const { store } = context;
  const bucket = store.bucket(call.bucket);
  const id = uploadId(call);
  const xml = (await readBody(call.request, 4 * 1024 * 1024)).toString('utf8');
  store.upload(bucket, call.key, id);
  const named = parseItems(xml, 'CompleteMultipartUpload', 'Part').items;
  const parts = chosenParts(store.parts(id), named);
  const digest = createHash('md5');
  for (const { etag } of parts) digest.update(Buffer.from(etag, 'hex'));
  const object = store.completeUpload(
    bucket,
    call.key,
    id,
    parts,
    `${digest.digest('hex')}-${parts.length}`,
    writePrecondition(call.request),
  );
  send(
    call,
    200,
    versionHeader(context, call.bucket, object),
    renderXml('CompleteMultipartUploadResult', {
      Location: `http://${call.request.headers.host ?? '127.0.0.1'}/${call.bucket}/${encodeURI(call.key)}`,
      Bucket: call.bucket,
      Key: call.key,
      ETag: `"${object.etag}"`,
    }),
  );
}

/** @throws {AwsError} InvalidPartOrder, InvalidPart, EntityTooSmall */
function chosenParts(stored: UploadedPart[], named: Record<string, string>[]): UploadedPart[] {
  const byNumber = new Map(stored.map((part) => [part.number, part]));
  let last = 0;
  return named.map(({ PartNumber = '', ETag = '' }, index) => {
    const number = Number(PartNumber);
    if (number <= last) {
      throw new AwsError('InvalidPartOrder', 'The list of parts was not in ascending order.');
    }
    last = number;
    const part = byNumber.get(number);
    if (!part || part.etag !== ETag.replaceAll('"', '')) {
      throw new AwsError('InvalidPart', 'One or more of the specified parts could not be found.');
    }
    if (index < named.length - 1 && part.size < minPartBytes) {
      throw new AwsError(
        'EntityTooSmall',
        'Your proposed upload is smaller than the minimum allowed size',
      );
    }
    return part;
  });
}

export function abortUpload({ store }: S3Context, call: S3Request): void {
  store.upload(store.bucket(call.bucket), call.key, uploadId(call));
  store.abortUpload(uploadId(call));
  send(call, 204);
}

export function listParts({ store }: S3Context, call: S3Request): void {
  store.upload(store.bucket(call.bucket), call.key, uploadId(call));
  sendXml(call, 'ListPartsResult', {
    Bucket: call.bucket,
    Key: call.key,
    UploadId: uploadId(call),
    MaxParts: 10_000,
    IsTruncated: false,
    Part: store.parts(uploadId(call)).map((part) => ({
      PartNumber: part.number,
      LastModified: part.modifiedAt.toISOString(),
      ETag: `"${part.etag}"`,
      Size: part.size,
    })),
  });
}

export function listUploads({ store }: S3Context, call: S3Request): void {
  sendXml(call, 'ListMultipartUploadsResult', {
    Bucket: call.bucket,
    MaxUploads: 10_000,
    IsTruncated: false,
    Upload: store.uploads(store.bucket(call.bucket)).map(({ id, key, startedAt }) => ({
      Key: key,
      UploadId: id,
      StorageClass: 'STANDARD',
      Initiated: startedAt.toISOString(),
    })),
  });
}

const uploadId = ({ query }: S3Request) => query.get('uploadId') ?? '';
