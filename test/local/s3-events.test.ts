import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, start } from '../../infra/local/stack.ts';
import {
  assemblyOf,
  clientsOf,
  plainQueue,
  queueUrl,
  receive,
  temporaryDir,
  values,
} from './support.ts';

const dir = temporaryDir();
const arn = { 'Fn::GetAtt': ['Events', 'Arn'] };
const notify = (event: string, queue: unknown, filter = {}) => ({
  Event: event,
  Queue: queue,
  ...filter,
});
const everything = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'];
let stack: LocalStack;
let s3: ReturnType<typeof clientsOf>['s3'];
let sqs: ReturnType<typeof clientsOf>['sqs'];

beforeAll(async () => {
  stack = await start({
    dataDir: `${dir.path}/data`,
    assembly: assemblyOf(dir.path, {
      Events: plainQueue,
      Filtered: plainQueue,
      Versioned: {
        Type: 'AWS::S3::Bucket',
        Properties: {
          VersioningConfiguration: { Status: 'Enabled' },
          NotificationConfiguration: {
            QueueConfigurations: everything.map((event) => notify(event, arn)),
          },
        },
      },
      Plain: {
        Type: 'AWS::S3::Bucket',
        Properties: {
          NotificationConfiguration: {
            QueueConfigurations: [
              ...everything.map((event) => notify(event, arn)),
              notify(
                's3:ObjectCreated:Put',
                { 'Fn::GetAtt': ['Filtered', 'Arn'] },
                {
                  Filter: {
                    S3Key: {
                      Rules: [
                        { Name: 'prefix', Value: 'in voices/' },
                        { Name: 'suffix', Value: '.pdf' },
                      ],
                    },
                  },
                },
              ),
            ],
          },
        },
      },
    }),
  });
  ({ s3, sqs } = clientsOf(stack));
  // Each bucket first sends a test event, as S3 does.
  const tests = values(await receive(sqs, queueUrl(stack, 'Events'), 2));
  expect(tests.map(({ Event }) => Event)).toEqual(['s3:TestEvent', 's3:TestEvent']);
  await receive(sqs, queueUrl(stack, 'Filtered'), 1);
});

afterAll(async () => {
  await stack.stop();
  dir.remove();
});

/** The next event of the queue, and its object. */
async function nextEvents(count: number) {
  const bodies = values(await receive(sqs, queueUrl(stack, 'Events'), count));
  return bodies.map(({ Records }) => Records[0]);
}

describe('notifications of the local S3', () => {
  it('describe a put as S3 does', async () => {
    const put = await s3.send(
      new PutObjectCommand({ Bucket: 'versioned', Key: 'a/b c.txt', Body: 'hello' }),
    );

    const [event] = await nextEvents(1);

    expect(event).toMatchObject({
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      awsRegion: 'us-east-1',
      eventName: 'ObjectCreated:Put',
      userIdentity: { principalId: expect.any(String) },
      requestParameters: { sourceIPAddress: '127.0.0.1' },
      responseElements: {
        'x-amz-request-id': expect.stringMatching(/^[0-9A-F]{16}$/),
        'x-amz-id-2': expect.any(String),
      },
      s3: {
        s3SchemaVersion: '1.0',
        configurationId: expect.any(String),
        bucket: {
          name: 'versioned',
          ownerIdentity: { principalId: expect.any(String) },
          arn: 'arn:aws:s3:::versioned',
        },
        object: {
          key: 'a/b+c.txt',
          size: 5,
          eTag: '5d41402abc4b2a76b9719d911017c592',
          versionId: put.VersionId,
          sequencer: expect.stringMatching(/^[0-9A-F]{18}$/),
        },
      },
    });
    expect(new Date(event.eventTime).toISOString()).toBe(event.eventTime);
  });

  it('encode any key so that form decoding restores it', async () => {
    const keys = [
      'sp ace',
      'pl+us',
      'per%cent',
      'per%20cent',
      '🦀/ü/日本',
      "q'()!*~?&=#",
      '..',
      'a//b/',
    ];
    for (const Key of keys) {
      await s3.send(new PutObjectCommand({ Bucket: 'plain', Key, Body: 'x' }));
    }

    const events = await nextEvents(keys.length);

    const encoded = events.map((event) => event.s3.object.key as string);
    expect(encoded.map((key) => decodeURIComponent(key.replaceAll('+', ' ')))).toEqual(keys);
    expect(encoded[1]).toBe('pl%2Bus');
  });

  it('report copies, multipart uploads and both ways of deleting, in order', async () => {
    const target = { Bucket: 'plain', Key: 'parts.bin' };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target));
    const part = await s3.send(
      new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'only part' }),
    );
    await s3.send(
      new CompleteMultipartUploadCommand({
        ...target,
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag: part.ETag }] },
      }),
    );
    await s3.send(
      new CopyObjectCommand({ Bucket: 'plain', Key: 'a copy', CopySource: 'plain/parts.bin' }),
    );
    await s3.send(new DeleteObjectCommand({ Bucket: 'plain', Key: 'a copy' }));
    await s3.send(
      new DeleteObjectsCommand({ Bucket: 'plain', Delete: { Objects: [{ Key: 'parts.bin' }] } }),
    );

    const events = await nextEvents(4);

    expect(events.map((event) => [event.eventName, event.s3.object.key])).toEqual([
      ['ObjectCreated:CompleteMultipartUpload', 'parts.bin'],
      ['ObjectCreated:Copy', 'a+copy'],
      ['ObjectRemoved:Delete', 'a+copy'],
      ['ObjectRemoved:Delete', 'parts.bin'],
    ]);
    expect(events[0].s3.object).toMatchObject({ size: 9, eTag: expect.stringMatching(/-1$/) });
    expect(events[2].s3.object).not.toHaveProperty('size');
    expect(events[0].s3.object).not.toHaveProperty('versionId');
    const sequencers = events.map((event) => event.s3.object.sequencer);
    expect(sequencers).toEqual([...sequencers].sort());
    expect(new Set(sequencers).size).toBe(4);
  });

  it('report a delete marker in a versioned bucket, and a deleted version', async () => {
    const key = { Bucket: 'versioned', Key: 'marked' };
    const put = await s3.send(new PutObjectCommand({ ...key, Body: 'x' }));
    const marker = await s3.send(new DeleteObjectCommand(key));
    await s3.send(new DeleteObjectCommand({ ...key, VersionId: put.VersionId }));

    const events = await nextEvents(3);

    expect(marker.DeleteMarker).toBe(true);
    expect(events.map((event) => [event.eventName, event.s3.object.versionId])).toEqual([
      ['ObjectCreated:Put', put.VersionId],
      ['ObjectRemoved:DeleteMarkerCreated', marker.VersionId],
      ['ObjectRemoved:Delete', put.VersionId],
    ]);
  });

  it('report nothing for a refused write or a missing key', async () => {
    await expect(
      s3.send(
        new PutObjectCommand({ Bucket: 'plain', Key: 'refused', Body: 'x', IfMatch: '"nothing"' }),
      ),
    ).rejects.toMatchObject({ name: 'NoSuchKey' });
    await s3.send(new DeleteObjectCommand({ Bucket: 'plain', Key: 'never there' }));
    await s3.send(new PutObjectCommand({ Bucket: 'plain', Key: 'after', Body: 'x' }));

    const [event] = await nextEvents(1);

    expect(event.s3.object.key).toBe('after');
  });

  it('match the prefix and suffix of a rule with the key before encoding', async () => {
    for (const Key of ['in voices/1.pdf', 'in voices/2.txt', 'in+voices/3.pdf']) {
      await s3.send(new PutObjectCommand({ Bucket: 'plain', Key, Body: 'x' }));
    }
    await nextEvents(3);

    const [filtered] = values(await receive(sqs, queueUrl(stack, 'Filtered'), 1));

    expect(filtered.Records[0].s3.object.key).toBe('in+voices/1.pdf');
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl(stack, 'Filtered'),
        AttributeNames: ['ApproximateNumberOfMessages'],
      }),
    );
    expect(Attributes).toEqual({ ApproximateNumberOfMessages: '0' });
  });
});
