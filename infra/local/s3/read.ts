import { pipeline } from 'node:stream/promises';
import { AwsError } from '../aws/errors.ts';
import { header } from '../aws/http.ts';
import { checkRead } from './conditions.ts';
import { requestIds } from './events.ts';
import { type S3Context, type S3Request, send } from './request.ts';
import type { StoredObject } from './store.ts';
import { withTagCount } from './tags.ts';

/** The object that a request names. @throws {AwsError} NoSuchKey, NoSuchVersion, MethodNotAllowed */
export function objectOf({ store }: S3Context, { bucket, key, query }: S3Request): StoredObject {
  const version = query.get('versionId') ?? undefined;
  const found = store.find(store.bucket(bucket), key, version);
  if (!found) {
    throw version === undefined
      ? new AwsError('NoSuchKey', 'The specified key does not exist.', 404)
      : new AwsError('NoSuchVersion', 'The specified version does not exist.', 404);
  }
  if (!found.marker) return found;
  throw version === undefined
    ? new AwsError('NoSuchKey', 'The specified key does not exist.', 404)
    : new AwsError('MethodNotAllowed', 'The specified method is not allowed.', 405);
}

/** GetObject and HeadObject, with conditions and ranges, in constant memory. */
export async function readObject(context: S3Context, call: S3Request): Promise<void> {
  const { request, response } = call;
  const object = objectOf(context, call);
  if (call.query.has('partNumber')) {
    throw new AwsError('NotImplemented', 'Reading by part number is not implemented locally.', 501);
  }
  const versioned = context.store.bucket(call.bucket).versioned;
  const headers: Record<string, string | number> = {
    ...withTagCount(object.headers),
    etag: `"${object.etag}"`,
    'last-modified': object.modifiedAt.toUTCString(),
    'accept-ranges': 'bytes',
    ...(versioned ? { 'x-amz-version-id': object.version } : {}),
  };
  if (checkRead(request, object)) {
    return send(call, 304, { etag: `"${object.etag}"` });
  }
  const range = parseRange(header(request, 'range'), object.size);
  const { start, end } = range ?? { start: 0, end: object.size - 1 };
  response.writeHead(range ? 206 : 200, {
    ...requestIds(),
    ...headers,
    'content-length': end - start + 1,
    ...(range ? { 'content-range': `bytes ${start}-${end}/${object.size}` } : {}),
  });
  if (request.method === 'HEAD' || end < start) {
    response.end();
    return;
  }
  const small = context.blobs.readSmall(object.segments, start, end);
  if (small) {
    response.end(small);
    return;
  }
  const body = context.blobs.read(object.segments, start, end);
  // A client that disconnects early is not an error here.
  await pipeline(body, response).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  });
}

/** @throws {AwsError} InvalidRange */
function parseRange(
  text: string | undefined,
  size: number,
): { start: number; end: number } | undefined {
  const match = text === undefined ? null : /^bytes=(\d*)-(\d*)$/.exec(text.trim());
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const [, first = '', last = ''] = match;
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(first) > Number(last)) return undefined;
  if (start >= size || (first === '' && Number(last) === 0)) {
    throw new AwsError('InvalidRange', 'The requested range is not satisfiable', 416);
  }
  return { start, end };
}
