import { createHash } from 'node:crypto';
import { AwsError } from '../aws/errors.ts';
import type { JsonService } from '../aws/server.ts';
import type { MessageAttribute, QueueSettings, QueueStore, Received } from './store.ts';

/**
 * The operations of SQS's JSON protocol that applications use on existing standard queues, with the
 * checks and error codes of the SQS API reference (2012-11-05).
 * @param urlOf the URL that clients know a queue by
 */
export function sqsService(
  store: QueueStore,
  urlOf: (queue: QueueSettings) => string,
): JsonService {
  const queueOf = (input: Record<string, unknown>): QueueSettings => {
    const url = text(input, 'QueueUrl');
    // By its last part: the port in the URL may be that of an earlier run.
    const queue = store.get(url.split('/').at(-1) ?? '');
    if (!queue) throw noQueue();
    return queue;
  };

  const operations: Record<
    string,
    (input: Record<string, unknown>, signal: AbortSignal) => unknown
  > = {
    GetQueueUrl: (input) => {
      const queue = store.get(text(input, 'QueueName'));
      if (!queue) throw noQueue();
      return { QueueUrl: urlOf(queue) };
    },
    ListQueues: (input) => {
      const prefix = typeof input.QueueNamePrefix === 'string' ? input.QueueNamePrefix : '';
      const urls = store
        .list()
        .flatMap((queue) => (queue.name.startsWith(prefix) ? [urlOf(queue)] : []));
      return urls.length > 0 ? { QueueUrls: urls } : {};
    },
    GetQueueAttributes: (input) => {
      const wanted = strings(input.AttributeNames);
      const all = Object.entries(attributesOf(store, queueOf(input)));
      const kept = all.filter(([name]) => wanted.includes('All') || wanted.includes(name));
      return kept.length > 0 ? { Attributes: Object.fromEntries(kept) } : {};
    },
    SendMessage: (input) => {
      const queue = queueOf(input);
      const message = checkMessage(queue, input);
      const sent = store.send(queue, message.body, message.attributes, message.delay);
      return sendResult(sent, message.attributes);
    },
    SendMessageBatch: (input) => {
      const queue = queueOf(input);
      const Successful: unknown[] = [];
      const Failed: unknown[] = [];
      const entries = checkEntries(input);
      let bytes = 0;
      for (const entry of entries) bytes += Buffer.byteLength(String(entry.MessageBody ?? ''));
      if (bytes > queue.maxMessageBytes) {
        throw new AwsError(
          'com.amazonaws.sqs#BatchRequestTooLong',
          `Batch requests cannot be longer than ${queue.maxMessageBytes} bytes. You have sent ${bytes} bytes.`,
        );
      }
      for (const entry of entries) {
        try {
          const message = checkMessage(queue, entry);
          const sent = store.send(queue, message.body, message.attributes, message.delay);
          Successful.push({ Id: entry.Id, ...sendResult(sent, message.attributes) });
        } catch (error) {
          Failed.push(failedEntry(entry, error));
        }
      }
      return { Successful, Failed };
    },
    ReceiveMessage: async (input, signal) => {
      const queue = queueOf(input);
      const max = integer(input, 'MaxNumberOfMessages', 1, 10) ?? 1;
      const wait = integer(input, 'WaitTimeSeconds', 0, 20) ?? queue.receiveWaitSeconds;
      const visibilityTimeout = integer(input, 'VisibilityTimeout', 0, 43_200);
      const taken = await store.receiveWaiting(queue, max, wait, {
        signal,
        ...(visibilityTimeout === undefined ? {} : { visibilityTimeout }),
      });
      const system = [
        ...strings(input.AttributeNames),
        ...strings(input.MessageSystemAttributeNames),
      ];
      const named = strings(input.MessageAttributeNames);
      return taken.length > 0
        ? { Messages: taken.map((message) => receivedShape(message, system, named)) }
        : {};
    },
    DeleteMessage: (input) => {
      store.delete(queueOf(input), receiptOf(input));
      return {};
    },
    DeleteMessageBatch: (input) => {
      const queue = queueOf(input);
      return eachEntry(checkEntries(input), (entry) => {
        store.delete(queue, receiptOf(entry));
      });
    },
    ChangeMessageVisibility: (input) => {
      changeVisibility(store, queueOf(input), input);
      return {};
    },
    ChangeMessageVisibilityBatch: (input) => {
      const queue = queueOf(input);
      return eachEntry(checkEntries(input), (entry) => changeVisibility(store, queue, entry));
    },
    PurgeQueue: (input) => {
      store.purge(queueOf(input));
      return {};
    },
  };

  return async (operation, input, signal) => {
    const run = operations[operation];
    if (!run) {
      throw new AwsError(
        'com.amazonaws.sqs#UnsupportedOperation',
        `${operation} is not supported locally: queues come from the stack's template`,
      );
    }
    return run(input, signal);
  };
}

/** A queue's attributes as GetQueueAttributes names them. */
function attributesOf(store: QueueStore, queue: QueueSettings): Record<string, string> {
  const depth = store.depth(queue);
  return {
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(depth.visible),
    ApproximateNumberOfMessagesNotVisible: String(depth.inFlight),
    ApproximateNumberOfMessagesDelayed: String(depth.delayed),
    VisibilityTimeout: String(queue.visibilityTimeout),
    DelaySeconds: String(queue.delaySeconds),
    ReceiveMessageWaitTimeSeconds: String(queue.receiveWaitSeconds),
    MaximumMessageSize: String(queue.maxMessageBytes),
    ...(queue.redrive
      ? {
          RedrivePolicy: JSON.stringify({
            deadLetterTargetArn: queue.redrive.deadLetterArn,
            maxReceiveCount: queue.redrive.maxReceiveCount,
          }),
        }
      : {}),
  };
}

function changeVisibility(
  store: QueueStore,
  queue: QueueSettings,
  input: Record<string, unknown>,
): void {
  const seconds = integer(input, 'VisibilityTimeout', 0, 43_200);
  if (seconds === undefined) throw missing('VisibilityTimeout');
  if (!store.changeVisibility(queue, receiptOf(input), seconds)) {
    throw new AwsError(
      'com.amazonaws.sqs#MessageNotInflight',
      'The specified message is not in flight.',
    );
  }
}

function checkMessage(queue: QueueSettings, input: Record<string, unknown>) {
  const body = text(input, 'MessageBody');
  const attributes = (input.MessageAttributes ?? {}) as Record<string, MessageAttribute>;
  const size = Buffer.byteLength(body) + Buffer.byteLength(JSON.stringify(attributes)) - 2;
  if (size > queue.maxMessageBytes) {
    throw invalid(
      `One or more parameters are invalid. Reason: Message must be shorter than ${queue.maxMessageBytes} bytes.`,
    );
  }
  if (unsendable.test(body)) {
    throw new AwsError(
      'com.amazonaws.sqs#InvalidMessageContents',
      'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF, #xE000 to #xFFFD, #x10000 to #x10FFFF.',
    );
  }
  if (input.MessageGroupId !== undefined || input.MessageDeduplicationId !== undefined) {
    throw invalid('FIFO queues are not supported locally.');
  }
  return { body, attributes, delay: integer(input, 'DelaySeconds', 0, 900) };
}

/** What XML 1.0 cannot hold, which SQS refuses. Lone surrogates count. */
const unsendable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the refused characters
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

function sendResult(
  sent: { messageId: string; md5: string },
  attributes: Record<string, MessageAttribute>,
) {
  return {
    MessageId: sent.messageId,
    MD5OfMessageBody: sent.md5,
    ...(Object.keys(attributes).length > 0
      ? { MD5OfMessageAttributes: md5OfAttributes(attributes) }
      : {}),
  };
}

function receivedShape(message: Received, system: string[], named: string[]) {
  const available: Record<string, string> = systemAttributes(message);
  const wanted = Object.entries(available).filter(
    ([name]) => system.includes('All') || system.includes(name),
  );
  const attributes = Object.fromEntries(
    Object.entries(message.attributes).filter(([name]) =>
      named.some(
        (pattern) =>
          pattern === 'All' ||
          pattern === name ||
          (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -2))),
      ),
    ),
  );
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receipt,
    MD5OfBody: message.md5,
    Body: message.body,
    ...(wanted.length > 0 ? { Attributes: Object.fromEntries(wanted) } : {}),
    ...(Object.keys(attributes).length > 0
      ? { MessageAttributes: attributes, MD5OfMessageAttributes: md5OfAttributes(attributes) }
      : {}),
  };
}

/** The system attributes of a received message, also part of what a Lambda function gets. */
export function systemAttributes(message: Received) {
  return {
    ApproximateReceiveCount: String(message.receiveCount),
    SentTimestamp: String(message.sentAt),
    SenderId: '000000000000',
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
  };
}

/** The digest that SDKs check, as the SQS developer guide describes it ("Calculating the MD5"). */
export function md5OfAttributes(attributes: Record<string, MessageAttribute>): string {
  const hash = createHash('md5');
  const add = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  for (const name of Object.keys(attributes).sort()) {
    const value = attributes[name];
    if (!value) continue;
    add(Buffer.from(name));
    add(Buffer.from(value.DataType));
    const binary = value.DataType.startsWith('Binary');
    hash.update(Buffer.from([binary ? 2 : 1]));
    add(
      binary
        ? Buffer.from(value.BinaryValue ?? '', 'base64')
        : Buffer.from(value.StringValue ?? ''),
    );
  }
  return hash.digest('hex');
}

type Entry = Record<string, unknown> & { Id: string };

function checkEntries(input: Record<string, unknown>): Entry[] {
  const entries = Array.isArray(input.Entries) ? (input.Entries as Entry[]) : [];
  if (entries.length === 0) {
    throw new AwsError(
      'com.amazonaws.sqs#EmptyBatchRequest',
      'There should be at least one entry in the request.',
    );
  }
  if (entries.length > 10) {
    throw new AwsError(
      'com.amazonaws.sqs#TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are 10. You have sent ${entries.length}.`,
    );
  }
  if (new Set(entries.map(({ Id }) => Id)).size !== entries.length) {
    throw new AwsError('com.amazonaws.sqs#BatchEntryIdsNotDistinct', 'Ids must be distinct.');
  }
  return entries;
}

function eachEntry(entries: Entry[], run: (entry: Entry) => void) {
  const Successful: unknown[] = [];
  const Failed: unknown[] = [];
  for (const entry of entries) {
    try {
      run(entry);
      Successful.push({ Id: entry.Id });
    } catch (error) {
      Failed.push(failedEntry(entry, error));
    }
  }
  return { Successful, Failed };
}

function failedEntry(entry: Entry, error: unknown) {
  if (!(error instanceof AwsError)) throw error;
  return {
    Id: entry.Id,
    SenderFault: true,
    Code: error.code.replace('com.amazonaws.sqs#', ''),
    Message: error.message,
  };
}

function receiptOf(input: Record<string, unknown>): string {
  const receipt = text(input, 'ReceiptHandle');
  if (!/^\d+\.[0-9a-f-]{36}$/.test(receipt)) {
    throw new AwsError(
      'com.amazonaws.sqs#ReceiptHandleIsInvalid',
      `The input receipt handle "${receipt}" is not a valid receipt handle.`,
    );
  }
  return receipt;
}

function text(input: Record<string, unknown>, name: string): string {
  const value = input[name];
  if (typeof value !== 'string' || value === '') throw missing(name);
  return value;
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function integer(
  input: Record<string, unknown>,
  name: string,
  min: number,
  max: number,
): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalid(
      `Value ${String(value)} for parameter ${name} is invalid. Reason: Must be between ${min} and ${max}, if provided.`,
    );
  }
  return value;
}

const missing = (name: string) =>
  new AwsError(
    'com.amazonaws.sqs#MissingParameter',
    `The request must contain the parameter ${name}.`,
  );
const invalid = (message: string) =>
  new AwsError('com.amazonaws.sqs#InvalidParameterValue', message);
const noQueue = () =>
  new AwsError('com.amazonaws.sqs#QueueDoesNotExist', 'The specified queue does not exist.');
