import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, start } from '../../infra/local/stack.ts';
import { assemblyOf, clientsOf, temporaryDir } from './support.ts';

const dir = temporaryDir();
let stack: LocalStack;
let s3: ReturnType<typeof clientsOf>['s3'];

beforeAll(async () => {
  const bucket = { Type: 'AWS::S3::Bucket' };
  stack = await start({
    dataDir: `${dir.path}/data`,
    assembly: assemblyOf(dir.path, {
      Plain: bucket,
      Listed: bucket,
      Versioned: {
        ...bucket,
        Properties: { VersioningConfiguration: { Status: 'Enabled' } },
      },
    }),
  });
  ({ s3 } = clientsOf(stack));
});

afterAll(async () => {
  await stack.stop();
  dir.remove();
});

const put = (Key: string, Body: string | Buffer, Bucket = 'plain') =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body }));

async function body(Key: string, more: Record<string, unknown> = {}): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'plain', Key, ...more }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

describe('objects of the local S3', () => {
  it('accept a large body as a stream, and return any range of it', async () => {
    const bytes = randomBytes(30 * 1024 * 1024);
    const key = 'large.bin';
    const sent = await s3.send(
      new PutObjectCommand({
        Bucket: 'plain',
        Key: key,
        Body: Readable.from([bytes.subarray(0, 7_000_001), bytes.subarray(7_000_001)]),
        ContentLength: bytes.length,
      }),
    );

    const whole = await body(key);
    const range = await body(key, { Range: 'bytes=20000000-20000099' });
    const tail = await body(key, { Range: 'bytes=-10' });

    expect(sent.ETag).toBe(`"${createHash('md5').update(bytes).digest('hex')}"`);
    expect(whole.equals(bytes)).toBe(true);
    expect(range.equals(bytes.subarray(20_000_000, 20_000_100))).toBe(true);
    expect(tail.equals(bytes.subarray(-10))).toBe(true);
  });

  it('join parts in the order of their numbers, and can be read across their boundaries', async () => {
    const target = { Bucket: 'plain', Key: 'joined' };
    const [first, second] = [randomBytes(5 * 1024 * 1024), randomBytes(1000)];
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target));
    const upload = async (PartNumber: number, Body: Buffer) => ({
      PartNumber,
      ETag: (await s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber, Body }))).ETag,
    });
    await upload(1, randomBytes(10));
    const Parts = [await upload(2, second), await upload(1, first)].reverse();

    await s3.send(
      new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }),
    );

    const joined = Buffer.concat([first, second]);
    expect((await body('joined')).equals(joined)).toBe(true);
    const across = await body('joined', { Range: `bytes=${first.length - 3}-${first.length + 2}` });
    expect(across.equals(joined.subarray(first.length - 3, first.length + 3))).toBe(true);
  });

  it('do not come from an aborted upload', async () => {
    const target = { Bucket: 'plain', Key: 'aborted' };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target));

    await s3.send(new AbortMultipartUploadCommand({ ...target, UploadId }));

    await expect(
      s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'x' })),
    ).rejects.toMatchObject({ name: 'NoSuchUpload' });
    await expect(body('aborted')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('can be read to the end while they are overwritten', async () => {
    const bytes = randomBytes(8 * 1024 * 1024);
    await put('overwritten', bytes);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'plain', Key: 'overwritten' }));

    await put('overwritten', 'short');
    const read = Buffer.from((await Body?.transformToByteArray()) ?? []);

    expect(read.equals(bytes)).toBe(true);
    expect((await body('overwritten')).toString()).toBe('short');
  });

  it('are read and written only if the conditions hold', async () => {
    const { ETag } = await put('conditional', 'one');
    const key = { Bucket: 'plain', Key: 'conditional' };

    const rejections = [
      s3.send(new GetObjectCommand({ ...key, IfMatch: '"other"' })),
      s3.send(new PutObjectCommand({ ...key, Body: 'two', IfNoneMatch: '*' })),
      s3.send(new PutObjectCommand({ ...key, Body: 'two', IfMatch: '"other"' })),
    ];
    for (const rejection of rejections) {
      await expect(rejection).rejects.toMatchObject({
        $metadata: { httpStatusCode: 412 },
      });
    }
    await expect(
      s3.send(new GetObjectCommand({ ...key, IfNoneMatch: ETag })),
    ).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
    expect((await body('conditional', { IfMatch: ETag })).toString()).toBe('one');
    await s3.send(new PutObjectCommand({ ...key, Body: 'two', IfMatch: ETag }));
    expect((await body('conditional')).toString()).toBe('two');
  });

  it('keep past versions readable in a versioned bucket, also after a delete', async () => {
    const key = { Bucket: 'versioned', Key: 'v' };
    const first = await put('v', 'one', 'versioned');
    await put('v', 'two', 'versioned');

    const old = await s3.send(new GetObjectCommand({ ...key, VersionId: first.VersionId }));
    const head = await s3.send(new HeadObjectCommand(key));
    const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: 'versioned' }));

    expect(await old.Body?.transformToString()).toBe('one');
    expect(head.ContentLength).toBe(3);
    expect(
      Versions.map(({ IsLatest, VersionId }) => [IsLatest, VersionId === first.VersionId]),
    ).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  it('keep content type and metadata, and are reported when missing', async () => {
    await s3.send(
      new PutObjectCommand({
        Bucket: 'plain',
        Key: 'with headers',
        Body: Buffer.alloc(0),
        ContentType: 'text/csv',
        Metadata: { origin: 'test' },
      }),
    );

    const head = await s3.send(new HeadObjectCommand({ Bucket: 'plain', Key: 'with headers' }));

    expect(head).toMatchObject({
      ContentLength: 0,
      ContentType: 'text/csv',
      Metadata: { origin: 'test' },
      ETag: '"d41d8cd98f00b204e9800998ecf8427e"',
    });
    await expect(
      s3.send(new HeadObjectCommand({ Bucket: 'plain', Key: 'not there' })),
    ).rejects.toMatchObject({ name: 'NotFound' });
    await expect(body('x', { Bucket: 'no-such-bucket' })).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
  });

  it('are refused when the bytes do not match their checksum, and leave no bytes behind', async () => {
    await expect(
      s3.send(
        new PutObjectCommand({
          Bucket: 'plain',
          Key: 'damaged',
          Body: 'damaged',
          ChecksumSHA256: createHash('sha256').update('whole').digest('base64'),
        }),
      ),
    ).rejects.toMatchObject({ name: 'BadDigest' });
    await expect(body('damaged')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('refuse unsupported operations instead of doing something else', async () => {
    await put('tagged', 'still here');

    await expect(
      s3.send(new PutObjectAclCommand({ Bucket: 'plain', Key: 'tagged', ACL: 'public-read' })),
    ).rejects.toMatchObject({ name: 'NotImplemented' });
    expect((await body('tagged')).toString()).toBe('still here');
  });

  it('are listed in UTF-8 order by page, with folders as common prefixes', async () => {
    const keys = ['a/1', 'a/2', 'b', 'b/x/y', 'z', 'é', '🦀', '\uffee'];
    for (const key of keys) await put(key, key, 'listed');

    const all: string[] = [];
    const pages = paginateListObjectsV2({ client: s3, pageSize: 2 }, { Bucket: 'listed' });
    for await (const { Contents = [] } of pages) all.push(...Contents.map(({ Key = '' }) => Key));
    const folders = await s3.send(new ListObjectsV2Command({ Bucket: 'listed', Delimiter: '/' }));
    const below = await s3.send(new ListObjectsV2Command({ Bucket: 'listed', Prefix: 'a/' }));

    const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
    expect(all).toEqual([...keys].sort(byBytes));
    expect(folders.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(['a/', 'b/']);
    expect(folders.Contents?.map(({ Key }) => Key)).toEqual(['b', 'z', 'é', '\uffee', '🦀']);
    expect(below.Contents?.map(({ Key }) => Key)).toEqual(['a/1', 'a/2']);
  });

  it('are listed by page without repeating a folder', async () => {
    const found: string[] = [];
    const pages = paginateListObjectsV2(
      { client: s3, pageSize: 1 },
      { Bucket: 'listed', Delimiter: '/' },
    );
    for await (const { CommonPrefixes = [], Contents = [] } of pages) {
      found.push(...CommonPrefixes.map(({ Prefix = '' }) => Prefix));
      found.push(...Contents.map(({ Key = '' }) => Key));
    }

    expect(found).toEqual(['a/', 'b', 'b/', 'z', 'é', '\uffee', '🦀']);
  });
});
