import { AwsError } from '../aws/errors.ts';
import { type S3Context, type S3Request, sendXml } from './request.ts';
import type { Bucket, S3Store, StoredObject } from './store.ts';

interface Listing {
  objects: StoredObject[];
  prefixes: string[];
  /** The last key or common prefix of this page, when there is another page. */
  next?: string;
}

/** ListObjectsV2. A continuation token is the last key of the page, in base64url. */
export function listObjectsV2({ store }: S3Context, call: S3Request): void {
  const { query } = call;
  const token = query.get('continuation-token');
  const after = token
    ? Buffer.from(token, 'base64url').toString('utf8')
    : (query.get('start-after') ?? '');
  const options = pageOptions(query);
  const page = list(store, store.bucket(call.bucket), { ...options, after });
  const encode = encoder(query);
  sendXml(call, 'ListBucketResult', {
    Name: call.bucket,
    Prefix: encode(options.prefix),
    Delimiter: options.delimiter === '' ? undefined : encode(options.delimiter),
    MaxKeys: options.maxKeys,
    EncodingType: query.get('encoding-type') ?? undefined,
    KeyCount: page.objects.length + page.prefixes.length,
    IsTruncated: page.next !== undefined,
    ContinuationToken: token ?? undefined,
    NextContinuationToken:
      page.next === undefined ? undefined : Buffer.from(page.next).toString('base64url'),
    StartAfter: query.has('start-after') ? encode(query.get('start-after') ?? '') : undefined,
    Contents: page.objects.map((object) => contents(object, encode)),
    CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  });
}

/** ListObjects, the first version of the API. */
export function listObjectsV1({ store }: S3Context, call: S3Request): void {
  const { query } = call;
  const after = query.get('marker') ?? '';
  const options = pageOptions(query);
  const page = list(store, store.bucket(call.bucket), { ...options, after });
  const encode = encoder(query);
  sendXml(call, 'ListBucketResult', {
    Name: call.bucket,
    Prefix: encode(options.prefix),
    Marker: encode(after),
    MaxKeys: options.maxKeys,
    Delimiter: options.delimiter === '' ? undefined : encode(options.delimiter),
    EncodingType: query.get('encoding-type') ?? undefined,
    IsTruncated: page.next !== undefined,
    NextMarker: page.next === undefined ? undefined : encode(page.next),
    Contents: page.objects.map((object) => contents(object, encode)),
    CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  });
}

/** ListObjectVersions, without delimiters; a page ends between keys, never within one. */
export function listVersions({ store }: S3Context, call: S3Request): void {
  const { query } = call;
  const bucket = store.bucket(call.bucket);
  const { prefix, delimiter, maxKeys } = pageOptions(query);
  if (delimiter !== '') {
    throw new AwsError('NotImplemented', 'Delimiters in version lists are not implemented.', 501);
  }
  const encode = encoder(query);
  const found: StoredObject[] = [];
  let after = query.get('key-marker') ?? '';
  let truncated = false;
  while (!truncated) {
    const rows = store.versions(bucket, after, maxKeys + 1);
    if (rows.length === 0) break;
    for (const row of rows) {
      if (row.key !== after && found.length >= maxKeys) {
        truncated = true;
        break;
      }
      after = row.key;
      if (row.key.startsWith(prefix)) found.push(row);
    }
    if (rows.length <= maxKeys) break;
  }
  const shape = (object: StoredObject) => ({
    Key: encode(object.key),
    VersionId: object.version,
    IsLatest: object.latest,
    LastModified: object.modifiedAt.toISOString(),
    ...(object.marker ? {} : { ETag: `"${object.etag}"`, Size: object.size }),
    StorageClass: object.marker ? undefined : 'STANDARD',
  });
  sendXml(call, 'ListVersionsResult', {
    Name: call.bucket,
    Prefix: encode(prefix),
    MaxKeys: maxKeys,
    EncodingType: query.get('encoding-type') ?? undefined,
    IsTruncated: truncated,
    NextKeyMarker: truncated ? encode(after) : undefined,
    Version: found.filter(({ marker }) => !marker).map(shape),
    DeleteMarker: found.filter(({ marker }) => marker).map(shape),
  });
}

function list(
  store: S3Store,
  bucket: Bucket,
  options: { prefix: string; delimiter: string; maxKeys: number; after: string },
): Listing {
  const { prefix, delimiter, maxKeys, after } = options;
  const objects: StoredObject[] = [];
  const prefixes: string[] = [];
  if (maxKeys === 0) return { objects, prefixes };
  let from = after;
  let inclusive = false;
  let last = '';
  // After a page that ended with a common prefix, everything below that prefix is skipped.
  if (delimiter !== '' && after.startsWith(prefix) && after.endsWith(delimiter)) {
    from = after + beyond;
  }
  if (compare(prefix, from) > 0) {
    from = prefix;
    inclusive = true;
  }
  for (;;) {
    const rows = store.page(bucket, from, inclusive, 1000);
    inclusive = false;
    let skipped = false;
    for (const row of rows) {
      if (!row.key.startsWith(prefix)) return { objects, prefixes };
      if (objects.length + prefixes.length >= maxKeys) return { objects, prefixes, next: last };
      from = row.key;
      const cut = delimiter === '' ? -1 : row.key.indexOf(delimiter, prefix.length);
      if (cut === -1) {
        objects.push(row);
        last = row.key;
        continue;
      }
      last = row.key.slice(0, cut + delimiter.length);
      prefixes.push(last);
      from = last + beyond;
      skipped = true;
      break;
    }
    if (!skipped && rows.length < 1000) return { objects, prefixes };
  }
}

/** Sorts after every key with the same beginning: it is the greatest character there is. */
const beyond = '\u{10ffff}';

const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

function contents(object: StoredObject, encode: (text: string) => string) {
  return {
    Key: encode(object.key),
    LastModified: object.modifiedAt.toISOString(),
    ETag: `"${object.etag}"`,
    Size: object.size,
    StorageClass: 'STANDARD',
  };
}

function pageOptions(query: URLSearchParams) {
  const wanted = query.get('max-keys');
  const maxKeys = wanted === null ? 1000 : Number(wanted);
  if (!Number.isInteger(maxKeys) || maxKeys < 0) {
    throw new AwsError('InvalidArgument', 'Provided max-keys not an integer or within range');
  }
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    maxKeys: Math.min(maxKeys, 1000),
  };
}

function encoder(query: URLSearchParams): (text: string) => string {
  if (query.get('encoding-type') !== 'url') return (text) => text;
  return (text) => encodeURIComponent(text).replaceAll('%2F', '/');
}
