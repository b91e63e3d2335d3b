import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { eachAtOnce } from '../journey/each-at-once.ts';
import { maxDelaySeconds } from '../journey/steps.ts';

/** The most messages that SQS takes in one request. */
const maxBatch = 10;

/** The most requests of `sendAll` that are under way at once. */
const batchesAtOnce = 8;

/** How often `sendAll` sends a message that SQS refuses. */
const batchTries = 3;

/** Sends, returns and inspects SQS messages. */
export class Queues {
  readonly #client: SQSClient;

  constructor(client: SQSClient) {
    this.#client = client;
  }

  /**
   * Sends a message.
   * @param delayMs how long it stays invisible, at most 15 minutes (longer is cut); rounded up to whole seconds
   */
  async send(queueUrl: string, message: unknown, delayMs = 0): Promise<void> {
    await this.#client.send(
      new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: typeof message === 'string' ? message : JSON.stringify(message),
        ...(delayMs > 0
          ? { DelaySeconds: Math.min(Math.ceil(delayMs / 1000), maxDelaySeconds) }
          : {}),
      }),
    );
  }

  /**
   * Sends messages, ten in a request and several requests at once, so about in the order given. Messages that SQS
   * refuses are sent again.
   * @throws Error if SQS keeps refusing some of them; the others are sent
   */
  async sendAll(queueUrl: string, messages: readonly unknown[]): Promise<void> {
    const batches = Array.from({ length: Math.ceil(messages.length / maxBatch) }, (_, index) =>
      messages.slice(index * maxBatch, (index + 1) * maxBatch),
    );
    await eachAtOnce(batches, batchesAtOnce, (batch) => this.#sendBatch(queueUrl, batch));
  }

  async #sendBatch(queueUrl: string, messages: readonly unknown[]): Promise<void> {
    let left = messages.map((message, index) => ({
      Id: String(index),
      MessageBody: typeof message === 'string' ? message : JSON.stringify(message),
    }));
    for (let tries = 1; ; tries += 1) {
      const { Failed = [] } = await this.#client.send(
        new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: left }),
      );
      const [refused] = Failed;
      if (!refused) return;
      if (tries === batchTries) {
        throw refusedBy(refused.Code, `${Failed.length} messages: ${refused.Message}`);
      }
      const failed = new Set(Failed.map(({ Id }) => Id));
      left = left.filter(({ Id }) => failed.has(Id));
    }
  }

  /** Works on one message of a batch: queues that share requests learn that it may send something. */
  async working<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }

  /** Makes a received message visible again after `delayMs`, at most 15 minutes, instead of the queue's timeout. */
  async giveBack(queueUrl: string, receiptHandle: string, delayMs: number): Promise<void> {
    await this.#client.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: queueUrl,
        ReceiptHandle: receiptHandle,
        VisibilityTimeout: Math.min(Math.ceil(delayMs / 1000), maxDelaySeconds),
      }),
    );
  }

  /** The approximate number of visible messages: without those delayed or in flight. */
  async backlog(queueUrl: string): Promise<number> {
    const { Attributes } = await this.#client.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl,
        AttributeNames: ['ApproximateNumberOfMessages'],
      }),
    );
    return Number(Attributes?.ApproximateNumberOfMessages ?? 0);
  }

  /**
   * Reads up to ten messages without deleting them; they stay invisible for `hiddenSeconds`.
   * @returns them with the time at which they were sent first, in epoch milliseconds
   */
  async look(
    queueUrl: string,
    hiddenSeconds: number,
  ): Promise<{ messageId: string; body: string; sentAt: number }[]> {
    const { Messages } = await this.#client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: hiddenSeconds,
        WaitTimeSeconds: 0,
        MessageSystemAttributeNames: ['SentTimestamp'],
      }),
    );
    return (Messages ?? []).map(({ MessageId, Body, Attributes }) => ({
      messageId: MessageId ?? '',
      body: Body ?? '',
      sentAt: Number(Attributes?.SentTimestamp ?? 0),
    }));
  }
}

/** An entry's refusal in the form of the SDK's errors, so that a throttled one is known as such. */
function refusedBy(code: string | undefined, message: string): Error {
  return Object.assign(new Error(message), { name: code ?? 'SendMessageBatch', $metadata: {} });
}

/** The queue side of a function; `Queues` outside of tests. */
export type QueuePort = Pick<Queues, keyof Queues>;
