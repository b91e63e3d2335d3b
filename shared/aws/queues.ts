import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';

/** The longest delay of an SQS message, in milliseconds. */
const maxDelayMs = 900_000;
/** Messages of one request at most, requests at once, and times that what SQS refuses is sent again. */
const maxBatch = 10;
const batchesAtOnce = 8;
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
        ...(delayMs > 0 ? { DelaySeconds: Math.ceil(Math.min(delayMs, maxDelayMs) / 1000) } : {}),
      }),
    );
  }

  /**
   * Sends many messages, ten in a request, and several requests at once: about in the order given.
   * @throws Error when SQS does not take some of them, even when they are sent again
   */
  async sendBatch(queueUrl: string, messages: readonly unknown[]): Promise<void> {
    const batches: unknown[][] = [];
    for (let at = 0; at < messages.length; at += maxBatch) {
      batches.push(messages.slice(at, at + maxBatch));
    }
    for (let at = 0; at < batches.length; at += batchesAtOnce) {
      const now = batches.slice(at, at + batchesAtOnce);
      await Promise.all(now.map((batch) => this.#sendAll(queueUrl, batch)));
    }
  }

  async #sendAll(queueUrl: string, messages: readonly unknown[]): Promise<void> {
    let left = messages.map((message, index) => ({
      Id: String(index),
      MessageBody: typeof message === 'string' ? message : JSON.stringify(message),
    }));
    for (let tries = 0; tries < batchTries; tries += 1) {
      const { Failed = [] } = await this.#client.send(
        new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: left }),
      );
      const failed = new Set(Failed.map(({ Id }) => Id));
      left = left.filter(({ Id }) => failed.has(Id));
      if (left.length === 0) return;
    }
    throw new Error(`SQS did not take ${left.length} of ${messages.length} messages`);
  }

  /** Makes a received message visible again after `delayMs`, at most 15 minutes, instead of the queue's timeout. */
  async giveBack(queueUrl: string, receiptHandle: string, delayMs: number): Promise<void> {
    await this.#client.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: queueUrl,
        ReceiptHandle: receiptHandle,
        VisibilityTimeout: Math.ceil(Math.min(delayMs, maxDelayMs) / 1000),
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

  /** Reads up to ten messages without deleting them; they stay invisible for `hiddenSeconds`. */
  async look(
    queueUrl: string,
    hiddenSeconds: number,
  ): Promise<{ messageId: string; body: string }[]> {
    const { Messages } = await this.#client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: hiddenSeconds,
        WaitTimeSeconds: 0,
      }),
    );
    return (Messages ?? []).map(({ MessageId, Body }) => ({
      messageId: MessageId ?? '',
      body: Body ?? '',
    }));
  }
}

/** The queue side of a function; `Queues` outside of tests. */
export type QueuePort = Pick<Queues, keyof Queues>;
