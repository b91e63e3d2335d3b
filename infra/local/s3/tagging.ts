import { AwsError } from '../aws/errors.ts';
import { readBody } from '../aws/http.ts';
import { objectOf } from './read.ts';
import { type S3Context, type S3Request, send, sendXml } from './request.ts';
import { checkTags, tagsHeader, tagsOf } from './tags.ts';
import { parseItems } from './xml.ts';

/** GetObjectTagging. */
export function getTagging(context: S3Context, call: S3Request): void {
  const { headers } = objectOf(context, call);
  const Tag = Object.entries(tagsOf(headers)).map(([Key, Value]) => ({ Key, Value }));
  sendXml(call, 'Tagging', { TagSet: { Tag } });
}

/** PutObjectTagging: replaces the tags of a version. As on S3, it is no event of the bucket. */
export async function putTagging(context: S3Context, call: S3Request): Promise<void> {
  const { key, version, headers } = objectOf(context, call);
  const xml = (await readBody(call.request, 64 * 1024)).toString('utf8');
  // The set wraps the tags: without it they are the items of the document.
  const { items } = parseItems(xml.replace(/<\/?TagSet\s*\/?>/g, ''), 'Tagging', 'Tag');
  const tags = checkTags(items.map(({ Key = '', Value = '' }) => [Key, Value]));
  save(context, call, { key, version, headers: { ...headers, [tagsHeader]: tags } });
  send(call, 200);
}

/** DeleteObjectTagging. */
export function deleteTagging(context: S3Context, call: S3Request): void {
  const { key, version, headers } = objectOf(context, call);
  const { [tagsHeader]: _, ...rest } = headers;
  save(context, call, { key, version, headers: rest });
  send(call, 204);
}

function save(
  { store }: S3Context,
  { bucket }: S3Request,
  object: { key: string; version: string; headers: Record<string, string> },
): void {
  if (!store.setHeaders(store.bucket(bucket), object)) {
    throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
  }
}
