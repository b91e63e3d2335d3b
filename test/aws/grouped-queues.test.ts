import { setTimeout as delay } from 'node:timers/promises';
import { SendMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, test } from 'vitest';
import { GroupedQueues } from '../../shared/aws/grouped-queues.ts';

const url = 'https://queue.test/q';
const sqs = mockClient(SQSClient);
let queues: GroupedQueues;

beforeEach(() => {
  sqs.reset();
  sqs.on(SendMessageCommand).resolves({});
  sqs.on(SendMessageBatchCommand).resolves({});
  queues = new GroupedQueues(new SQSClient({}));
});

const singles = () => sqs.commandCalls(SendMessageCommand).map(({ args }) => args[0].input);
const batches = () =>
  sqs
    .commandCalls(SendMessageBatchCommand)
    .map(({ args }) => (args[0].input.Entries ?? []).map(({ MessageBody }) => MessageBody));

test('a lone message is sent at once and by itself', async () => {
  await queues.send(url, { n: 1 });

  expect(singles()).toEqual([{ QueueUrl: url, MessageBody: '{"n":1}' }]);
  expect(batches()).toEqual([]);
});

test('messages that come during a request share the next ones, ten in each', async () => {
  await Promise.all(Array.from({ length: 13 }, (_, n) => queues.send(url, String(n))));

  expect(singles().map(({ MessageBody }) => MessageBody)).toEqual(['0']);
  expect(batches()).toEqual([
    ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'],
    ['11', '12'],
  ]);
});

test('a message that closely follows others waits for those that come after it', async () => {
  await queues.send(url, 'a');
  await new Promise(setImmediate);

  const later = [queues.send(url, 'b')];
  await new Promise(setImmediate);
  later.push(queues.send(url, 'c'));
  await Promise.all(later);

  expect(singles().map(({ MessageBody }) => MessageBody)).toEqual(['a']);
  expect(batches()).toEqual([['b', 'c']]);
});

test('a message that comes later than that is sent at once', async () => {
  await queues.send(url, 'a');
  await delay(60);

  const sent = queues.send(url, 'b');

  expect(singles().map(({ MessageBody }) => MessageBody)).toEqual(['a', 'b']);
  await sent;
});

test('messages of different queues and delayed ones do not wait for each other', async () => {
  await Promise.all([
    queues.send(url, 'a'),
    queues.send('https://queue.test/other', 'b'),
    queues.send(url, 'c', 5_000),
  ]);

  expect(singles()).toHaveLength(3);
  expect(singles()).toContainEqual({ QueueUrl: url, MessageBody: 'c', DelaySeconds: 5 });
  expect(batches()).toEqual([]);
});

test('long messages are not put into one request', async () => {
  const long = 'x'.repeat(40_000);

  await Promise.all([queues.send(url, 'a'), queues.send(url, long), queues.send(url, long)]);

  expect(singles()).toHaveLength(3);
});

test('what SQS refuses of a group is sent once more by itself, and its error reaches its sender alone', async () => {
  sqs.on(SendMessageBatchCommand).resolves({
    Failed: [{ Id: '1', Code: 'InternalError', SenderFault: false }],
  });
  sqs.on(SendMessageCommand, { MessageBody: 'c' }).rejects(new Error('really'));

  const ended = await Promise.allSettled(
    ['a', 'b', 'c', 'd'].map((body) => queues.send(url, body)),
  );

  expect(ended.map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
  ]);
});

test('a failed request fails for its own messages, and the next ones are sent', async () => {
  sqs.on(SendMessageBatchCommand).rejects(new Error('no network'));
  const failed = await Promise.allSettled(['a', 'b', 'c'].map((body) => queues.send(url, body)));

  await queues.send(url, 'd');

  expect(failed.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect(singles().at(-1)).toMatchObject({ MessageBody: 'd' });
});
