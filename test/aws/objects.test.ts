import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ObjectChanged, ObjectGone, Objects, ObjectUnreadable } from '../../shared/aws/objects.ts';

const s3 = mockClient(S3Client);
const objects = new Objects(new S3Client({ region: 'us-east-1' }));
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dropline-objects-'));
});
afterEach(async () => {
  s3.reset();
  await rm(directory, { recursive: true });
});

/** A body as the SDK returns it under Node, without its unused conversions. */
const bodyOf = (text: string) =>
  Readable.from([Buffer.from(text)]) as unknown as NonNullable<GetObjectCommandOutput['Body']>;

const refusal = (name: string, status: number) =>
  new S3ServiceException({ name, $fault: 'client', $metadata: { httpStatusCode: status } });

test.each([
  ['of unknown length', undefined],
  ['that is small', 5],
  ['that is large', 300_000],
])('a download %s is hashed on the way', async (_what, ContentLength) => {
  const Body = bodyOf('hello');
  s3.on(GetObjectCommand).resolves({ Body, ContentType: 'text/plain', ContentLength });
  const path = join(directory, 'copy');

  const copy = await objects.download({ bucket: 'b', key: 'k' }, path);

  expect(await readFile(path, 'utf8')).toBe('hello');
  expect(copy).toEqual({
    sizeBytes: 5,
    sha256: createHash('sha256').update('hello').digest('hex'),
    contentType: 'text/plain',
    profileAsked: undefined,
    tagCount: 0,
  });
});

test('a download tells what its object asks for, and how many tags it has', async () => {
  const Metadata = { 'dropline-profile': 'contracts', other: 'x' };
  s3.on(GetObjectCommand).resolves({ Body: bodyOf('hello'), Metadata, TagCount: 2 });

  const copy = await objects.download({ bucket: 'b', key: 'k' }, join(directory, 'copy'));

  expect(copy).toMatchObject({ profileAsked: 'contracts', tagCount: 2 });
  expect(s3.commandCalls(GetObjectTaggingCommand)).toEqual([]);
});

test('the tag of a version tells what it asks for', async () => {
  const TagSet = [
    { Key: 'year', Value: '2026' },
    { Key: 'dropline-profile', Value: 'contracts' },
  ];
  s3.on(GetObjectTaggingCommand).resolves({ TagSet });

  expect(await objects.profileTag({ bucket: 'b', key: 'k', versionId: 'v1', etag: 'e' })).toBe(
    'contracts',
  );
  const [call] = s3.commandCalls(GetObjectTaggingCommand);
  expect(call?.args[0].input).toEqual({ Bucket: 'b', Key: 'k', VersionId: 'v1' });
});

test.each([
  ['  contracts ', 'contracts'],
  [' ', undefined],
  ['', undefined],
])('metadata of %j ask for %s', async (value, asked) => {
  const Metadata = { 'dropline-profile': value };
  s3.on(GetObjectCommand).resolves({ Body: bodyOf('hello'), Metadata });

  expect((await objects.open({ bucket: 'b', key: 'k' })).profileAsked).toBe(asked);
});

test('tags that may not be read are a matter for a person', async () => {
  s3.on(GetObjectTaggingCommand).rejects(refusal('AccessDenied', 403));

  const reading = objects.profileTag({ bucket: 'b', key: 'k' });

  await expect(reading).rejects.toMatchObject({ name: 'ObjectUnreadable', reason: 'forbidden' });
});

test.each([
  ['its version', { versionId: 'v1', etag: 'e1' }, { VersionId: 'v1' }],
  ['its content when there is no version', { etag: 'e1' }, { IfMatch: '"e1"' }],
])('an object is pinned by %s', async (_what, pin, expected) => {
  s3.on(GetObjectCommand).resolves({ Body: bodyOf('hello') });

  await objects.open({ bucket: 'b', key: 'k', ...pin });

  const [call] = s3.commandCalls(GetObjectCommand);
  expect(call?.args[0].input).toEqual({ Bucket: 'b', Key: 'k', ...expected });
});

test.each([
  ['NoSuchKey', 404, ObjectGone],
  ['NoSuchVersion', 404, ObjectGone],
  ['PreconditionFailed', 412, ObjectChanged],
])('%s has its own error class', async (name, status, expected) => {
  s3.on(GetObjectCommand).rejects(refusal(name, status));

  await expect(objects.open({ bucket: 'b', key: 'k' })).rejects.toThrow(expected);
});

test.each([
  ['InvalidObjectState', 403, 'archived'],
  ['AccessDenied', 403, 'forbidden'],
  ['AllAccessDisabled', 403, 'forbidden'],
  ['InvalidRequest', 400, 'forbidden'],
  ['KMS.DisabledException', 400, 'forbidden'],
])('%s means that no retry reads the object', async (name, status, reason) => {
  s3.on(GetObjectCommand).rejects(refusal(name, status));

  const opened = objects.open({ bucket: 'b', key: 'k' });

  await expect(opened).rejects.toBeInstanceOf(ObjectUnreadable);
  await expect(opened).rejects.toMatchObject({
    reason,
    message: expect.stringContaining(`s3://b/k: ${name}`),
  });
});

test.each([
  ['InternalError', 500],
  ['ExpiredToken', 400],
  ['RequestTimeTooSkewed', 403],
  ['KMS.ThrottlingException', 400],
])('%s passes, so it reaches the caller unchanged', async (name, status) => {
  const error = refusal(name, status);
  s3.on(GetObjectCommand).rejects(error);

  await expect(objects.open({ bucket: 'b', key: 'k' })).rejects.toBe(error);
});

test('a file is stored with its length and a checksum that S3 verifies', async () => {
  s3.on(PutObjectCommand).resolves({});
  const path = join(directory, 'file');
  await writeFile(path, 'hello');
  const sha256 = createHash('sha256').update('hello').digest();

  await objects.putFile(
    { bucket: 'b', key: 'k' },
    { path, sizeBytes: 5, sha256: sha256.toString('hex'), contentType: 'text/plain' },
  );

  const [call] = s3.commandCalls(PutObjectCommand);
  expect(call?.args[0].input).toMatchObject({
    ContentLength: 5,
    ChecksumSHA256: sha256.toString('base64'),
    ContentType: 'text/plain',
  });
});

test('a key without an object has no head', async () => {
  s3.on(HeadObjectCommand).rejects(refusal('NotFound', 404));

  expect(await objects.head({ bucket: 'b', key: 'k' })).toBeUndefined();
});

test('a failed head request is an error, not an absent object', async () => {
  s3.on(HeadObjectCommand).rejects(refusal('SlowDown', 503));

  await expect(objects.head({ bucket: 'b', key: 'k' })).rejects.toThrow();
});

test('a listing says whether there are more objects', async () => {
  s3.on(ListObjectsV2Command).resolves({
    IsTruncated: true,
    Contents: [{ Key: 'a', ETag: '"e"', Size: 3, LastModified: new Date(7) }, {}],
  });

  const page = await objects.list('b', { prefix: 'p/', startAfter: 'p/0' });

  expect(page).toEqual({
    objects: [{ key: 'a', etag: 'e', sizeBytes: 3, modifiedAt: 7 }],
    more: true,
  });
});
