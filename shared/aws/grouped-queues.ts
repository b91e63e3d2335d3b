import { EventEmitter, once } from 'node:events';
import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { Queues } from './queues.ts';

/** The most messages that SQS takes in one request. */
const maxEntries = 10;

/** Characters of a request at most: far below SQS's limit in bytes, whatever the characters are. */
const maxLength = 60_000;

/** How long a message waits for those of its batch, in milliseconds: little beside the queue, much beside a request. */
const gatherMs = 100;

interface Waiting {
  body: string;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Queues whose undelayed messages share requests: a message waits until all that is being worked on beside it has sent
 * its own or has ended, and no longer than 100 ms; what is sent to a queue while a request to it is under way goes together
 * in the next one. What is worked on alone is not held back.
 */
export class GroupedQueues extends Queues {
  readonly #client: SQSClient;
  readonly #waiting = new Map<string, Waiting[]>();
  /** Messages of a batch that are being worked on, and how many sends of theirs have not ended. */
  #working = 0;
  #sending = 0;
  readonly #progress = new EventEmitter().setMaxListeners(0);

  constructor(client: SQSClient) {
    super(client);
    this.#client = client;
  }

  override async send(queueUrl: string, message: unknown, delayMs = 0): Promise<void> {
    if (delayMs > 0) return super.send(queueUrl, message, delayMs);
    const body = typeof message === 'string' ? message : JSON.stringify(message);
    this.#sending += 1;
    const sent = new Promise<void>((resolve, reject) => {
      const waiting = this.#waiting.get(queueUrl);
      if (waiting) {
        waiting.push({ body, resolve, reject });
        return;
      }
      this.#waiting.set(queueUrl, [{ body, resolve, reject }]);
      void this.#sendAll(queueUrl);
    });
    this.#progress.emit('change');
    return sent.finally(() => {
      this.#sending -= 1;
    });
  }

  override async working<T>(work: () => Promise<T>): Promise<T> {
    this.#working += 1;
    try {
      // The others of the batch are counted first.
      await undefined;
      return await work();
    } finally {
      this.#working -= 1;
      this.#progress.emit('change');
    }
  }

  async #sendAll(queueUrl: string): Promise<void> {
    const waiting = this.#waiting.get(queueUrl) ?? [];
    if (this.#sending < this.#working) await this.#othersSent();
    while (waiting.length > 0) await this.#sendGroup(queueUrl, takeGroup(waiting));
    this.#waiting.delete(queueUrl);
  }

  /** Until each message that is being worked on is sending, or has been waited for long enough. */
  async #othersSent(): Promise<void> {
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      this.#progress.emit('change');
    }, gatherMs);
    while (this.#sending < this.#working && !isOver) await once(this.#progress, 'change');
    clearTimeout(timer);
  }

  /** Never rejects: each message's own sender gets its error. */
  async #sendGroup(queueUrl: string, group: Waiting[]): Promise<void> {
    const refused = group.length === 1 ? group : await this.#sendTogether(queueUrl, group);
    await Promise.all(
      refused.map(({ body, resolve, reject }) => super.send(queueUrl, body).then(resolve, reject)),
    );
  }

  /** Sends a group in one request; returns those that SQS refused, which are worth a request of their own. */
  async #sendTogether(queueUrl: string, group: Waiting[]): Promise<Waiting[]> {
    try {
      const Entries = group.map(({ body }, index) => ({ Id: String(index), MessageBody: body }));
      const { Failed = [] } = await this.#client.send(
        new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }),
      );
      const failed = new Set(Failed.map(({ Id }) => Id));
      const refused = group.filter((_, index) => failed.has(String(index)));
      for (const one of group) if (!refused.includes(one)) one.resolve();
      return refused;
    } catch (error) {
      for (const { reject } of group) reject(error);
      return [];
    }
  }
}

/** Takes as many from the front as one request may hold. */
function takeGroup(waiting: Waiting[]): Waiting[] {
  let length = 0;
  let count = 0;
  for (const { body } of waiting) {
    length += body.length;
    if (count === maxEntries || (count > 0 && length > maxLength)) break;
    count += 1;
  }
  return waiting.splice(0, count);
}
