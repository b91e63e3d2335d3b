import { AwsError } from '../aws/errors.ts';
import { header, readBody } from '../aws/http.ts';
import { headersToKeep, receiveBody } from './body.ts';
import { checkRead, writePrecondition } from './conditions.ts';
import { decodeUri, type S3Context, type S3Request, send, sendXml } from './request.ts';
import { type ObjectHeaders, type StoredObject, visible } from './store.ts';
import { tagsHeader } from './tags.ts';
import { parseItems, type XmlValue } from './xml.ts';

const maxPutBytes = 5 * 1024 ** 3;

export function versionHeader(
  context: S3Context,
  bucket: string,
  object: { version: string },
): Record<string, string> {
  return context.store.bucket(bucket).versioned ? { 'x-amz-version-id': object.version } : {};
}

/** PutObject. */
export async function putObject(context: S3Context, call: S3Request): Promise<void> {
  const { store, blobs } = context;
  const bucket = store.bucket(call.bucket);
  const precondition = writePrecondition(call.request);
  const headers = headersToKeep(call.request);
  if (Number(header(call.request, 'content-length') ?? 0) > maxPutBytes) {
    throw new AwsError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size');
  }
  // If a condition already fails, do not wait for the body.
  precondition?.(visible(store.find(bucket, call.key)));
  const written = await receiveBody(call.request, blobs);
  try {
    const object = store.put(
      bucket,
      call.key,
      { segments: [segmentOf(written)], size: written.size, etag: written.md5, headers },
      'ObjectCreated:Put',
      precondition,
    );
    send(call, 200, {
      etag: `"${object.etag}"`,
      ...versionHeader(context, call.bucket, object),
    });
  } catch (error) {
    blobs.discard([written]);
    throw error;
  }
}

const segmentOf = ({ file, size }: { file: string; size: number }) => ({ file, size });

/** The object named by `x-amz-copy-source`. */
export function copySource(context: S3Context, call: S3Request): StoredObject & { bucket: string } {
  const { store } = context;
  const [path = '', query = ''] = (header(call.request, 'x-amz-copy-source') ?? '').split('?');
  const decoded = decodeUri(path).replace(/^\//, '');
  const slash = decoded.indexOf('/');
  if (slash <= 0) {
    throw new AwsError('InvalidArgument', 'Copy Source must mention the source bucket and key');
  }
  const bucket = store.bucket(decoded.slice(0, slash));
  const version = new URLSearchParams(query).get('versionId') ?? undefined;
  const source = visible(store.find(bucket, decoded.slice(slash + 1), version));
  if (!source) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
  if (checkRead(call.request, source, 'x-amz-copy-source-')) {
    throw new AwsError('PreconditionFailed', 'At least one of the pre-conditions failed', 412);
  }
  return { ...source, bucket: bucket.name };
}

/** CopyObject. The bytes are copied, so source and copy are independent. */
export async function copyObject(context: S3Context, call: S3Request): Promise<void> {
  const { store, blobs } = context;
  const bucket = store.bucket(call.bucket);
  const source = copySource(context, call);
  const replace = header(call.request, 'x-amz-metadata-directive')?.toUpperCase() === 'REPLACE';
  if (!replace && source.bucket === call.bucket && source.key === call.key && source.latest) {
    throw new AwsError(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const written = await blobs.write(blobs.read(source.segments, 0, source.size - 1));
  const object = store.put(
    bucket,
    call.key,
    {
      segments: [segmentOf(written)],
      size: written.size,
      etag: written.md5,
      headers: copiedHeaders(call, source, replace),
    },
    'ObjectCreated:Copy',
  );
  send(
    call,
    200,
    versionHeader(context, call.bucket, object),
    copyResult('CopyObjectResult', object),
  );
}

/** What is stored with a copy: metadata and tags each come from the request or from the source. */
function copiedHeaders(call: S3Request, source: StoredObject, replace: boolean): ObjectHeaders {
  const given = headersToKeep(call.request);
  const { [tagsHeader]: _, ...own } = replace ? given : source.headers;
  const directive = header(call.request, 'x-amz-tagging-directive')?.toUpperCase();
  const tags = directive === 'REPLACE' ? given[tagsHeader] : source.headers[tagsHeader];
  return tags === undefined ? own : { ...own, [tagsHeader]: tags };
}

export function copyResult(root: string, object: { etag: string; modifiedAt: Date }): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}><LastModified>${object.modifiedAt.toISOString()}</LastModified><ETag>&quot;${object.etag}&quot;</ETag></${root}>`;
}

/** DeleteObject. */
export function deleteObject({ store }: S3Context, call: S3Request): void {
  const version = call.query.get('versionId') ?? undefined;
  const deleted = store.delete(store.bucket(call.bucket), call.key, version);
  send(call, 204, {
    ...(deleted.version === undefined ? {} : { 'x-amz-version-id': deleted.version }),
    ...(deleted.marker ? { 'x-amz-delete-marker': 'true' } : {}),
  });
}

/** DeleteObjects: up to 1,000 keys in one request. */
export async function deleteObjects({ store }: S3Context, call: S3Request): Promise<void> {
  const bucket = store.bucket(call.bucket);
  const xml = (await readBody(call.request, 2 * 1024 * 1024)).toString('utf8');
  const { items, rest } = parseItems(xml, 'Delete', 'Object');
  if (items.length > 1000) throw new AwsError('MalformedXML', 'More than 1000 keys.');
  const Deleted: XmlValue[] = items.map(({ Key = '', VersionId }) => {
    const deleted = store.delete(bucket, Key, VersionId);
    const marker = deleted.marker
      ? { DeleteMarker: true, DeleteMarkerVersionId: deleted.version }
      : {};
    return { Key, VersionId, ...marker };
  });
  sendXml(call, 'DeleteResult', rest.Quiet === 'true' ? {} : { Deleted });
}
