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

test('a message waits until all others of its batch have sent theirs or have ended', async () => {
  const third = Promise.withResolvers<void>();
  const fourth = Promise.withResolvers<void>();
  const ended = Promise.all([
    queues.working(() => queues.send(url, 'a')),
    queues.working(() => queues.send(url, 'b')),
    queues.working(() => third.promise.then(() => queues.send(url, 'c'))),
    queues.working(() => fourth.promise),
  ]);
  await new Promise(setImmediate);
  third.resolve();
  await new Promise(setImmediate);
  expect(sqs.calls()).toEqual([]);

  fourth.resolve();
  await ended;

  expect(singles()).toEqual([]);
  expect(batches()).toEqual([['a', 'b', 'c']]);
});

test('a message that is worked on alone is sent at once', async () => {
  const end = Promise.withResolvers<void>();
  const work = queues.working(async () => {
    await queues.send(url, 'a');
    await end.promise;
  });
  await new Promise(setImmediate);

  expect(singles().map(({ MessageBody }) => MessageBody)).toEqual(['a']);
  end.resolve();
  await work;
});

test('a slow neighbour is not waited for for long', async () => {
  const slow = Promise.withResolvers<void>();
  const neighbour = queues.working(() => slow.promise);

  await queues.working(() => queues.send(url, 'a'));

  expect(singles().map(({ MessageBody }) => MessageBody)).toEqual(['a']);
  slow.resolve();
  await neighbour;
});

test('work that fails is not waited for, and its error reaches its caller', async () => {
  const failing = queues.working(() => Promise.reject(new Error('broken')));

  await Promise.all([
    expect(failing).rejects.toThrow('broken'),
    queues.working(() => queues.send(url, 'a')),
  ]);

  expect(singles().map(({ MessageBody }) => MessageBody)).toEqual(['a']);
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
