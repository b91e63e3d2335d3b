import { setTimeout as delay } from 'node:timers/promises';
import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { Queues } from './queues.ts';

/** The most messages that SQS takes in one request. */
const maxEntries = 10;

/** Characters of a request at most: far below SQS's limit in bytes, whatever the characters are. */
const maxLength = 60_000;

/** A message that comes this soon after others, in milliseconds, is probably followed by more; it waits for them. */
const closeMs = 50;
const gatherMs = 5;

interface Waiting {
  body: string;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Queues whose undelayed messages share requests: what is sent to a queue while a request to it is under way
 * goes together in the next one, and one that closely follows others waits a few milliseconds for more of them. A lone
 * message is not held back.
 */
export class GroupedQueues extends Queues {
  readonly #client: SQSClient;
  readonly #waiting = new Map<string, Waiting[]>();
  /** When the last request to a queue ended, by the process's own clock. */
  readonly #sentAt = new Map<string, number>();

  constructor(client: SQSClient) {
    super(client);
    this.#client = client;
  }

  override async send(queueUrl: string, message: unknown, delayMs = 0): Promise<void> {
    if (delayMs > 0) return super.send(queueUrl, message, delayMs);
    const body = typeof message === 'string' ? message : JSON.stringify(message);
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(queueUrl);
      if (waiting) {
        waiting.push({ body, resolve, reject });
        return;
      }
      this.#waiting.set(queueUrl, [{ body, resolve, reject }]);
      void this.#sendAll(queueUrl);
    });
  }

  async #sendAll(queueUrl: string): Promise<void> {
    const waiting = this.#waiting.get(queueUrl) ?? [];
    const sentAt = this.#sentAt.get(queueUrl) ?? Number.NEGATIVE_INFINITY;
    if (performance.now() - sentAt < closeMs) await delay(gatherMs);
    while (waiting.length > 0) await this.#sendGroup(queueUrl, takeGroup(waiting));
    this.#waiting.delete(queueUrl);
    this.#sentAt.set(queueUrl, performance.now());
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
