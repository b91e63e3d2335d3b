import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, test } from 'vitest';
import { Queues } from '../../shared/aws/queues.ts';
import { isThrottled } from '../../shared/aws/throttled.ts';

test.each([
  ['the visible messages', { ApproximateNumberOfMessages: '1200' }, 1_200],
  ['zero when the queue does not report it', undefined, 0],
])('the backlog is %s', async (_, Attributes, expected) => {
  const sqs = mockClient(SQSClient);
  sqs.on(GetQueueAttributesCommand).resolves({ Attributes });

  const backlog = await new Queues(new SQSClient({})).backlog('https://queue.test/q');

  expect(backlog).toBe(expected);
  expect(sqs.commandCalls(GetQueueAttributesCommand)[0]?.args[0].input).toEqual({
    QueueUrl: 'https://queue.test/q',
    AttributeNames: ['ApproximateNumberOfMessages'],
  });
});

test('many messages are sent ten in a request', async () => {
  const sqs = mockClient(SQSClient);
  sqs.on(SendMessageBatchCommand).resolves({});
  const messages = Array.from({ length: 25 }, (_, at) => ({ at }));

  await new Queues(new SQSClient({})).sendAll('https://queue.test/q', messages);

  const entries = sqs
    .commandCalls(SendMessageBatchCommand)
    .map((call) => call.args[0].input.Entries ?? []);
  expect(entries.map((batch) => batch.length)).toEqual([10, 10, 5]);
  expect(entries.flat().map(({ MessageBody }) => JSON.parse(MessageBody ?? ''))).toEqual(messages);
  for (const batch of entries) expect(new Set(batch.map(({ Id }) => Id)).size).toBe(batch.length);
});

test('no messages make no request', async () => {
  const sqs = mockClient(SQSClient);

  await new Queues(new SQSClient({})).sendAll('https://queue.test/q', []);

  expect(sqs.calls()).toHaveLength(0);
});

test.each([
  ['RequestThrottled', true],
  ['InternalError', false],
])(
  'a batch of which SQS keeps refusing a message with %s fails (throttled: %s)',
  async (Code, expected) => {
    const sqs = mockClient(SQSClient);
    sqs.on(SendMessageBatchCommand).resolves({
      Failed: [{ Id: '1', Code, Message: 'its words', SenderFault: false }],
    });

    const error = await new Queues(new SQSClient({}))
      .sendAll('https://queue.test/q', ['a', 'b'])
      .catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ message: '1 messages: its words' });
    expect(isThrottled(error)).toBe(expected);
  },
);

/** What each request of a batch carried. */
const bodies = (sqs: ReturnType<typeof mockClient>) =>
  sqs
    .commandCalls(SendMessageBatchCommand)
    .map(({ args }) => args[0].input.Entries?.map(({ MessageBody }) => MessageBody));

test('what SQS refuses of a batch is sent again', async () => {
  const sqs = mockClient(SQSClient);
  sqs
    .on(SendMessageBatchCommand)
    .resolvesOnce({ Failed: [{ Id: '1', SenderFault: false, Code: 'InternalError' }] })
    .resolves({});

  await new Queues(new SQSClient({})).sendAll('https://queue.test/q', ['a', 'b', 'c']);

  expect(bodies(sqs)).toEqual([['a', 'b', 'c'], ['b']]);
});

test('no message is hidden for longer than 15 minutes', async () => {
  const sqs = mockClient(SQSClient);
  sqs.on(ChangeMessageVisibilityCommand).resolves({});

  await new Queues(new SQSClient({})).giveBack('https://queue.test/q', 'r', 31_536_000_000);

  expect(sqs.commandCalls(ChangeMessageVisibilityCommand)[0]?.args[0].input).toMatchObject({
    VisibilityTimeout: 900,
  });
});
