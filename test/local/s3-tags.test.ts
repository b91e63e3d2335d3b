import {
  CopyObjectCommand,
  DeleteObjectTaggingCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, start } from '../../infra/local/stack.ts';
import { Objects } from '../../shared/aws/objects.ts';
import { assemblyOf, clientsOf, temporaryDir } from './support.ts';

const dir = temporaryDir();
const Bucket = 'versioned';
let stack: LocalStack;
let s3: ReturnType<typeof clientsOf>['s3'];

beforeAll(async () => {
  stack = await start({
    dataDir: `${dir.path}/data`,
    assembly: assemblyOf(dir.path, {
      Versioned: {
        Type: 'AWS::S3::Bucket',
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

const put = (Key: string, Tagging?: string) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ...(Tagging ? { Tagging } : {}) }));
const retag = (Key: string, tags: Record<string, string>) => {
  const TagSet = Object.entries(tags).map(([name, Value]) => ({ Key: name, Value }));
  return s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet } }));
};
const tags = async (Key: string, VersionId?: string) => {
  const named = { Bucket, Key, ...(VersionId ? { VersionId } : {}) };
  const { TagSet = [] } = await s3.send(new GetObjectTaggingCommand(named));
  return Object.fromEntries(TagSet.map(({ Key: name, Value }) => [name, Value]));
};
const count = async (Key: string) =>
  (await s3.send(new HeadObjectCommand({ Bucket, Key }))).TagCount;

describe('tags of the local S3', () => {
  it('come with an object, which tells how many there are', async () => {
    await put('a', 'dropline-profile=contracts&b%20c=d%26e');
    await put('plain');

    expect(await tags('a')).toEqual({ 'dropline-profile': 'contracts', 'b c': 'd&e' });
    expect([await count('a'), await count('plain')]).toEqual([2, undefined]);
    expect(await tags('plain')).toEqual({});
  });

  it('are replaced and deleted, for one version', async () => {
    const { VersionId } = await put('b', 'old=1');
    await put('b', 'new=1');

    await retag('b', { 'a<b': '"&"' });

    expect(await tags('b')).toEqual({ 'a<b': '"&"' });
    expect(await tags('b', VersionId)).toEqual({ old: '1' });
    await s3.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'b' }));
    expect([await tags('b'), await count('b')]).toEqual([{}, undefined]);
  });

  it('go with a copy, unless it brings its own', async () => {
    await put('c', 'a=1');
    const copy = { Bucket, CopySource: `${Bucket}/c` };

    await s3.send(new CopyObjectCommand({ ...copy, Key: 'same', MetadataDirective: 'REPLACE' }));
    await s3.send(
      new CopyObjectCommand({ ...copy, Key: 'own', TaggingDirective: 'REPLACE', Tagging: 'b=2' }),
    );

    expect([await tags('same'), await tags('own')]).toEqual([{ a: '1' }, { b: '2' }]);
  });

  it('are ten at most, and each name once', async () => {
    await put('d');
    const eleven = Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`t${n}`, 'x']));

    await expect(retag('d', eleven)).rejects.toThrow('cannot be greater than 10');
    await expect(put('d', 'a=1&a=2')).rejects.toThrow('not a valid tag');
    await expect(tags('none')).rejects.toThrow('does not exist');
  });

  it('and metadata tell Dropline which profile an object asks for', async () => {
    const objects = new Objects(s3);
    const { VersionId: versionId } = await put('e', 'dropline-profile=contracts');
    const Metadata = { 'dropline-profile': 'careful' };
    await s3.send(new PutObjectCommand({ Bucket, Key: 'f', Body: 'x', Metadata }));

    const path = `${dir.path}/copy`;
    const tagged = await objects.download({ bucket: Bucket, key: 'e', versionId }, path);
    const marked = await objects.download({ bucket: Bucket, key: 'f' }, path);

    expect(tagged).toMatchObject({ profileAsked: undefined, tagCount: 1 });
    expect(await objects.profileTag({ bucket: Bucket, key: 'e', versionId })).toBe('contracts');
    expect(marked).toMatchObject({ profileAsked: 'careful', tagCount: 0 });
    expect(await objects.profileTag({ bucket: Bucket, key: 'f' })).toBeUndefined();
  });
});
