import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';

/** The longest delay of an SQS message, in milliseconds. */
const maxDelayMs = 900_000;

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

  /** Makes a received message visible again after `delayMs` instead of the queue's timeout. */
  async giveBack(queueUrl: string, receiptHandle: string, delayMs: number): Promise<void> {
    await this.#client.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: queueUrl,
        ReceiptHandle: receiptHandle,
        VisibilityTimeout: Math.ceil(delayMs / 1000),
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
