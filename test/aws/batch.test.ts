import { ChangeMessageVisibilityCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, expect, test } from 'vitest';
import { processBatch } from '../../shared/aws/batch.ts';
import { UnreadableMessage } from '../../shared/aws/events.ts';
import { Queues } from '../../shared/aws/queues.ts';
import type { Outcome } from '../../shared/journey/outcome.ts';

const sqs = mockClient(SQSClient);
afterEach(() => sqs.reset());

const record = (body: string, receives = 1): SQSRecord => ({
  messageId: `id-${body}`,
  receiptHandle: `receipt-${body}`,
  body,
  attributes: {
    ApproximateReceiveCount: String(receives),
    SentTimestamp: '0',
    SenderId: 's',
    ApproximateFirstReceiveTimestamp: '0',
  },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:us-east-1:1:q',
  awsRegion: 'us-east-1',
});

const run = (event: SQSEvent, process: (body: string) => Promise<Outcome>) =>
  processBatch(
    event,
    {} as Context,
    {
      queueUrl: 'https://sqs.test/q',
      queues: new Queues(new SQSClient({ region: 'us-east-1' })),
      log: { info: () => {}, warn: () => {}, error: () => {} },
      random: () => 0,
    },
    process,
  );

test('each record is processed separately and only those to retry are reported', async () => {
  sqs.on(ChangeMessageVisibilityCommand).resolves({});
  const event = { Records: [record('good'), record('bad'), record('fine')] };

  const response = await run(event, async (body) =>
    body === 'bad' ? { next: 'retry', delayMs: 4_200 } : { next: 'done' },
  );

  expect(response.batchItemFailures).toEqual([{ itemIdentifier: 'id-bad' }]);
  const [call] = sqs.commandCalls(ChangeMessageVisibilityCommand);
  expect(call?.args[0].input).toEqual({
    QueueUrl: 'https://sqs.test/q',
    ReceiptHandle: 'receipt-bad',
    VisibilityTimeout: 5,
  });
});

test('a deferred record is sent again with its delay and not reported', async () => {
  sqs.on(SendMessageCommand).resolves({});

  const response = await run({ Records: [record('later')] }, async () => ({
    next: 'defer',
    delayMs: 30_000,
  }));

  expect(response.batchItemFailures).toEqual([]);
  expect(sqs.commandCalls(SendMessageCommand)[0]?.args[0].input).toEqual({
    QueueUrl: 'https://sqs.test/q',
    MessageBody: 'later',
    DelaySeconds: 30,
  });
});

test('a delay longer than SQS allows is cut to fifteen minutes', async () => {
  sqs.on(SendMessageCommand).resolves({});

  await run({ Records: [record('later')] }, async () => ({ next: 'defer', delayMs: 3_600_000 }));

  expect(sqs.commandCalls(SendMessageCommand)[0]?.args[0].input.DelaySeconds).toBe(900);
});

test('a deferral that cannot be sent keeps the record in the queue', async () => {
  sqs.on(SendMessageCommand).rejects(new Error('no SQS'));

  const response = await run({ Records: [record('later')] }, async () => ({
    next: 'defer',
    delayMs: 1_000,
  }));

  expect(response.batchItemFailures).toEqual([{ itemIdentifier: 'id-later' }]);
});

test('a record whose processing throws waits longer with each receive', async () => {
  sqs.on(ChangeMessageVisibilityCommand).resolves({});
  const event = { Records: [record('first', 1), record('fourth', 4)] };

  const response = await run(event, async () => {
    throw new Error('the ledger is away');
  });

  expect(response.batchItemFailures).toHaveLength(2);
  const delays = sqs
    .commandCalls(ChangeMessageVisibilityCommand)
    .map((call) => call.args[0].input.VisibilityTimeout);
  expect(delays).toEqual([1, 125]);
});

test('an unreadable message goes to the dead-letter queue without delay', async () => {
  sqs.on(ChangeMessageVisibilityCommand).resolves({});

  const response = await run({ Records: [record('?')] }, async () => {
    throw new UnreadableMessage('not JSON');
  });

  expect(response.batchItemFailures).toEqual([{ itemIdentifier: 'id-?' }]);
  const [call] = sqs.commandCalls(ChangeMessageVisibilityCommand);
  expect(call?.args[0].input.VisibilityTimeout).toBe(0);
});

const throttled = (name: string, status: number): Error =>
  Object.assign(new Error('too many'), { name, $metadata: { httpStatusCode: status } });

test.each([
  ['DynamoDB', 'ProvisionedThroughputExceededException', 400],
  ['DynamoDB', 'RequestLimitExceeded', 400],
  ['S3', 'SlowDown', 503],
  ['SQS', 'RequestThrottled', 403],
  ['any service', 'TooManyRequests', 429],
])(
  'a record that %s throttles with %s is deferred, and costs no receive',
  async (_, name, status) => {
    sqs.on(SendMessageCommand).resolves({});

    const response = await run({ Records: [record('later', 5)] }, async () => {
      throw throttled(name, status);
    });

    expect(response.batchItemFailures).toEqual([]);
    expect(sqs.commandCalls(SendMessageCommand)[0]?.args[0].input).toEqual({
      QueueUrl: 'https://sqs.test/q',
      MessageBody: 'later',
      DelaySeconds: 30,
    });
  },
);

test('an error that only has the name of throttling is an error of ours', async () => {
  sqs.on(ChangeMessageVisibilityCommand).resolves({});
  const error = Object.assign(new Error('ours'), { name: 'SlowDown' });

  const response = await run({ Records: [record('bad')] }, async () => {
    throw error;
  });

  expect(response.batchItemFailures).toEqual([{ itemIdentifier: 'id-bad' }]);
});
