import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type QueueSettings, QueueStore } from '../../infra/local/sqs/store.ts';
import { type LocalStack, start } from '../../infra/local/stack.ts';
import { openState, type State } from '../../infra/local/state/database.ts';
import { assemblyOf, clientsOf, plainQueue, queueUrl, temporaryDir } from './support.ts';

const settings = (name: string, more: Partial<QueueSettings> = {}): QueueSettings => ({
  name,
  arn: `arn:aws:sqs:us-east-1:000000000000:${name}`,
  visibilityTimeout: 30,
  delaySeconds: 0,
  receiveWaitSeconds: 0,
  maxMessageBytes: 1024 * 1024,
  ...more,
});

describe('a queue as time passes', () => {
  let dir: ReturnType<typeof temporaryDir>;
  let state: State;
  let store: QueueStore;
  let now: number;
  const dead = settings('dead');
  const work = settings('work', { redrive: { deadLetterArn: dead.arn, maxReceiveCount: 2 } });
  const bodies = (queue: QueueSettings, max = 10) =>
    store.receive(queue, max).map(({ body, receiveCount }) => [body, receiveCount]);

  beforeEach(() => {
    dir = temporaryDir();
    state = openState(dir.path);
    now = 1_000_000;
    store = new QueueStore(state, () => now);
    store.define(dead);
    store.define(work);
    return () => {
      store.close();
      state.close();
      dir.remove();
    };
  });

  it('hides a received message until its timeout, and counts each receive', () => {
    store.send(work, 'a');

    expect(bodies(work)).toEqual([['a', 1]]);
    now += 29_999;
    expect(bodies(work)).toEqual([]);
    now += 1;
    expect(bodies(work)).toEqual([['a', 2]]);
  });

  it('moves a message to the dead-letter queue once it was received too often, not before', () => {
    store.send(work, 'a');
    for (const _ of [1, 2]) {
      bodies(work);
      now += 30_000;
    }

    expect(bodies(work)).toEqual([]);
    expect(bodies(dead)).toEqual([['a', 3]]);
    expect(store.depth(work)).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('makes a message visible at once or later when asked, and never loses it', () => {
    store.send(work, 'a');
    const [first] = store.receive(work, 1);

    expect(store.changeVisibility(work, first?.receipt ?? '', 0)).toBe(true);
    const [second] = store.receive(work, 1);
    expect(store.changeVisibility(work, second?.receipt ?? '', 600)).toBe(true);
    now += 599_999;
    expect(bodies(work)).toEqual([]);
    expect(store.depth(work)).toMatchObject({ inFlight: 1, nextVisibleAt: now + 1 });
    now += 1;
    expect(bodies(dead)).toEqual([]);
    expect(store.depth(work)).toMatchObject({ visible: 1 });
  });

  it('ignores a receipt that a later receive has replaced', () => {
    store.send(work, 'a');
    const [first] = store.receive(work, 1);
    now += 30_000;
    const [second] = store.receive(work, 1);

    expect(store.delete(work, first?.receipt ?? '')).toBe(false);
    expect(store.changeVisibility(work, first?.receipt ?? '', 0)).toBe(false);
    expect(store.delete(work, second?.receipt ?? '')).toBe(true);
  });

  it('hides a delayed message, and makes all visible when a host starts', () => {
    store.send(work, 'later', {}, 900);
    store.send(work, 'taken');
    bodies(work);

    expect(store.depth(work)).toMatchObject({ visible: 0, inFlight: 1, delayed: 1 });
    store.releaseAll();
    expect(bodies(work).sort()).toEqual([
      ['later', 1],
      ['taken', 2],
    ]);
  });

  it('wakes a waiting receiver when a message arrives, and only then', async () => {
    const waiting = store.receiveWaiting(work, 1, 20);

    store.send(work, 'a');

    expect((await waiting).map(({ body }) => body)).toEqual(['a']);
    expect(await store.receiveWaiting(work, 1, 0)).toEqual([]);
  });
});

describe('the SQS API', () => {
  const dir = temporaryDir();
  let stack: LocalStack;
  let sqs: SQSClient;
  let QueueUrl: string;

  beforeAll(async () => {
    stack = await start({
      dataDir: `${dir.path}/data`,
      assembly: assemblyOf(dir.path, { Plain: plainQueue }),
    });
    ({ sqs } = clientsOf(stack));
    QueueUrl = queueUrl(stack, 'Plain');
  });

  afterAll(async () => {
    await stack.stop();
    dir.remove();
  });

  it('passes bodies and attributes through unchanged, with the digests that the SDK checks', async () => {
    const MessageAttributes = {
      text: { DataType: 'String', StringValue: 'ü🦀' },
      bytes: { DataType: 'Binary', BinaryValue: new Uint8Array([0, 255]) },
    };

    const sent = await sqs.send(
      new SendMessageCommand({ QueueUrl, MessageBody: 'tab\tü🦀', MessageAttributes }),
    );
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ['All'] }),
    );

    expect(Messages).toMatchObject([
      { MessageId: sent.MessageId, Body: 'tab\tü🦀', MessageAttributes },
    ]);
    expect(Messages?.[0]?.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes);
    await sqs.send(
      new DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages?.[0]?.ReceiptHandle }),
    );
  });

  it('handles each entry of a batch by itself', async () => {
    const { Successful, Failed } = await sqs.send(
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: [
          { Id: 'good', MessageBody: 'x', DelaySeconds: 900 },
          { Id: 'bad', MessageBody: '\u0001' },
        ],
      }),
    );

    expect(Successful?.map(({ Id }) => Id)).toEqual(['good']);
    expect(Failed).toMatchObject([
      { Id: 'bad', Code: 'InvalidMessageContents', SenderFault: true },
    ]);
  });

  it.each([
    ['QueueDoesNotExist', () => new GetQueueUrlCommand({ QueueName: 'unknown' })],
    [
      'InvalidParameterValue',
      () => new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 11 }),
    ],
    [
      'InvalidParameterValue',
      () => new SendMessageCommand({ QueueUrl, MessageBody: 'x'.repeat(1024 * 1024 + 1) }),
    ],
    ['ReceiptHandleIsInvalid', () => new DeleteMessageCommand({ QueueUrl, ReceiptHandle: 'x' })],
    [
      'MessageNotInflight',
      () =>
        new ChangeMessageVisibilityCommand({
          QueueUrl,
          ReceiptHandle: '1.00000000-0000-0000-0000-000000000000',
          VisibilityTimeout: 0,
        }),
    ],
  ])('answers %s as AWS does', async (name, command) => {
    const sending = sqs.send(command() as SendMessageCommand);

    await expect(sending).rejects.toMatchObject({ name: expect.stringContaining(name) });
  });

  it('tells a client that is too old which protocol to use', async () => {
    const response = await fetch(stack.endpoints.sqs, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Action=ListQueues',
    });

    expect(response.status).toBe(400);
    expect(await response.text()).toContain('JSON protocol');
  });
});
