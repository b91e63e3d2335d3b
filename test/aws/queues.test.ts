import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, test } from 'vitest';
import { Queues } from '../../shared/aws/queues.ts';

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

/** What each request of a batch carried. */
const bodies = (sqs: ReturnType<typeof mockClient>) =>
  sqs
    .commandCalls(SendMessageBatchCommand)
    .map(({ args }) => args[0].input.Entries?.map(({ MessageBody }) => MessageBody));

test('many messages are sent ten at a time, in their order', async () => {
  const sqs = mockClient(SQSClient);
  sqs.on(SendMessageBatchCommand).resolves({});
  const messages = Array.from({ length: 23 }, (_, n) => ({ n }));

  await new Queues(new SQSClient({})).sendBatch('https://queue.test/q', messages);

  const sent = bodies(sqs);
  expect(sent.map((batch) => batch?.length)).toEqual([10, 10, 3]);
  expect(sent.flat()).toEqual(messages.map((message) => JSON.stringify(message)));
});

test('what SQS does not take of a batch is sent again', async () => {
  const sqs = mockClient(SQSClient);
  sqs
    .on(SendMessageBatchCommand)
    .resolvesOnce({ Failed: [{ Id: '1', SenderFault: false, Code: 'InternalError' }] })
    .resolves({});

  await new Queues(new SQSClient({})).sendBatch('https://queue.test/q', ['a', 'b', 'c']);

  expect(bodies(sqs)).toEqual([['a', 'b', 'c'], ['b']]);
});

test('a message that SQS never takes is an error', async () => {
  const sqs = mockClient(SQSClient);
  sqs
    .on(SendMessageBatchCommand)
    .resolves({ Failed: [{ Id: '0', SenderFault: true, Code: 'TooLong' }] });

  const sending = new Queues(new SQSClient({})).sendBatch('https://queue.test/q', ['a', 'b']);

  await expect(sending).rejects.toThrow('SQS did not take 1 of 2 messages');
});

test('no message is hidden for longer than 15 minutes', async () => {
  const sqs = mockClient(SQSClient);
  sqs.on(ChangeMessageVisibilityCommand).resolves({});

  await new Queues(new SQSClient({})).giveBack('https://queue.test/q', 'r', 31_536_000_000);

  expect(sqs.commandCalls(ChangeMessageVisibilityCommand)[0]?.args[0].input).toMatchObject({
    VisibilityTimeout: 900,
  });
});
