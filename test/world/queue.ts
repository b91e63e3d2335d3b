import type { SQSRecord } from 'aws-lambda';
import type { QueuePort } from '../../shared/aws/queues.ts';
import type { QueueName } from '../../shared/journey/steps.ts';

interface Message {
  id: string;
  body: string;
  visibleAt: number;
  receives: number;
  /** Epoch milliseconds; 0 for one that a test put there by hand. */
  sentAt?: number;
}

/** An in-memory standard SQS queue: visibility, delays, receive counts and a dead-letter queue. */
export class MemoryQueue {
  readonly url: string;
  readonly deadLetters: Message[] = [];
  readonly messages: Message[] = [];
  readonly #visibilityMs: number;
  readonly #maxReceives: number;
  #counter = 0;

  constructor(url: string, { visibilityMs = 3_600_000, maxReceives = 5 } = {}) {
    this.url = url;
    this.#visibilityMs = visibilityMs;
    this.#maxReceives = maxReceives;
  }

  send(body: string, visibleAt: number, sentAt = visibleAt): void {
    this.#counter += 1;
    const id = `${this.url}#${this.#counter}`;
    this.messages.push({ id, body, visibleAt, receives: 0, sentAt });
  }

  /** Takes a visible message, chosen by `pick` (a number from 0 to below 1), or `undefined`. */
  receive(now: number, pick: number): SQSRecord | undefined {
    for (;;) {
      const visible = this.messages.filter((message) => message.visibleAt <= now);
      const message = visible[Math.floor(pick * visible.length)];
      if (!message) return undefined;
      message.receives += 1;
      if (message.receives > this.#maxReceives) {
        this.deadLetters.push(message);
        this.delete(message.id);
        continue;
      }
      message.visibleAt = now + this.#visibilityMs;
      return recordOf(message, this.url);
    }
  }

  delete(id: string): void {
    const index = this.messages.findIndex((message) => message.id === id);
    if (index >= 0) this.messages.splice(index, 1);
  }

  hide(id: string, until: number): void {
    const message = this.messages.find((candidate) => candidate.id === id);
    if (message) message.visibleAt = until;
  }

  /** When the next message can be received, or `undefined` when there is none. */
  nextAt(): number | undefined {
    if (this.messages.length === 0) return undefined;
    return Math.min(...this.messages.map((message) => message.visibleAt));
  }

  /** Delivers all waiting messages twice, as a standard queue may. */
  redeliver(now: number): void {
    for (const { body } of [...this.messages]) this.send(body, now);
  }

  /** Moves all dead letters back, as an SQS redrive does. */
  redrive(now: number): void {
    for (const { body } of this.deadLetters.splice(0)) this.send(body, now);
  }
}

function recordOf(message: Message, url: string): SQSRecord {
  return {
    messageId: message.id,
    receiptHandle: message.id,
    body: message.body,
    attributes: {
      ApproximateReceiveCount: String(message.receives),
      SentTimestamp: '0',
      SenderId: 'test',
      ApproximateFirstReceiveTimestamp: '0',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: url,
    awsRegion: 'us-east-1',
  };
}

/** The queues of a world as the functions see them. */
export function queuePort(queues: Record<QueueName, MemoryQueue>, now: () => number): QueuePort {
  const find = (url: string): MemoryQueue => {
    const queue = Object.values(queues).find((one) => one.url === url);
    if (!queue) throw new Error(`no queue ${url}`);
    return queue;
  };
  return {
    send: async (url, message, delayMs = 0) => {
      const body = typeof message === 'string' ? message : JSON.stringify(message);
      find(url).send(body, now() + delayMs, now());
    },
    sendAll: async (url, messages) => {
      for (const message of messages) find(url).send(JSON.stringify(message), now());
    },
    working: (work) => work(),
    giveBack: async (url, receipt, delayMs) => find(url).hide(receipt, now() + delayMs),
    backlog: async (url) => find(url).messages.filter(({ visibleAt }) => visibleAt <= now()).length,
    look: async (url) =>
      find(url.replace(deadLetterSuffix, '')).deadLetters.map(({ id, body, sentAt = 0 }) => ({
        messageId: id,
        body,
        sentAt,
      })),
  };
}

const deadLetterSuffix = /-dead-letters$/;
