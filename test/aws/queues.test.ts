import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
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
