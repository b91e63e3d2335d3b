import { AwsError } from '../aws/errors.ts';
import type { JsonService } from '../aws/server.ts';
import {
  checkEntries,
  type Entry,
  type Input,
  integer,
  missingParameter,
  noQueue,
  receiptOf,
  strings,
  text,
} from './input.ts';
import { checkMessage, receivedShape, sendResult } from './messages.ts';
import type { QueueSettings, QueueStore } from './store.ts';

interface Context {
  store: QueueStore;
  urlOf: (queue: QueueSettings) => string;
}

type Operation = (context: Context, input: Input, signal: AbortSignal) => unknown;

const operations: Record<string, Operation> = {
  GetQueueUrl: getQueueUrl,
  ListQueues: listQueues,
  GetQueueAttributes: getQueueAttributes,
  SendMessage: ({ store }, input) => sendOne(store, queueOf(store, input), input),
  SendMessageBatch: sendBatch,
  ReceiveMessage: receive,
  DeleteMessage: ({ store }, input) => {
    store.delete(queueOf(store, input), receiptOf(input));
    return {};
  },
  DeleteMessageBatch: ({ store }, input) => {
    const queue = queueOf(store, input);
    return eachEntry(checkEntries(input), (entry) => {
      store.delete(queue, receiptOf(entry));
      return {};
    });
  },
  ChangeMessageVisibility: ({ store }, input) =>
    changeVisibility(store, queueOf(store, input), input),
  ChangeMessageVisibilityBatch: ({ store }, input) => {
    const queue = queueOf(store, input);
    return eachEntry(checkEntries(input), (entry) => changeVisibility(store, queue, entry));
  },
  PurgeQueue: ({ store }, input) => {
    store.purge(queueOf(store, input));
    return {};
  },
};

/**
 * The operations of SQS's JSON protocol that applications use on existing standard queues, with the
 * checks and error codes of the SQS API reference (2012-11-05).
 * @param urlOf the URL that clients know a queue by
 */
export function sqsService(
  store: QueueStore,
  urlOf: (queue: QueueSettings) => string,
): JsonService {
  return async (operation, input, signal) => {
    const run = operations[operation];
    if (!run) {
      throw new AwsError(
        'com.amazonaws.sqs#UnsupportedOperation',
        `${operation} is not supported locally: queues come from the stack's template`,
      );
    }
    return run({ store, urlOf }, input, signal);
  };
}

function queueOf(store: QueueStore, input: Input): QueueSettings {
  const url = text(input, 'QueueUrl');
  // Only the last part counts: the port in the URL may be that of an earlier run.
  const queue = store.get(url.split('/').at(-1) ?? '');
  if (!queue) throw noQueue();
  return queue;
}

function getQueueUrl({ store, urlOf }: Context, input: Input) {
  const queue = store.get(text(input, 'QueueName'));
  if (!queue) throw noQueue();
  return { QueueUrl: urlOf(queue) };
}

function listQueues({ store, urlOf }: Context, input: Input) {
  const prefix = typeof input.QueueNamePrefix === 'string' ? input.QueueNamePrefix : '';
  const urls = store
    .list()
    .flatMap((queue) => (queue.name.startsWith(prefix) ? [urlOf(queue)] : []));
  return urls.length > 0 ? { QueueUrls: urls } : {};
}

function getQueueAttributes({ store }: Context, input: Input) {
  const wanted = strings(input.AttributeNames);
  const all = Object.entries(attributesOf(store, queueOf(store, input)));
  const kept = all.filter(([name]) => wanted.includes('All') || wanted.includes(name));
  return kept.length > 0 ? { Attributes: Object.fromEntries(kept) } : {};
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

function sendOne(store: QueueStore, queue: QueueSettings, input: Input) {
  const message = checkMessage(queue, input);
  const sent = store.send(queue, message.body, message.attributes, message.delay);
  return sendResult(sent, message.attributes);
}

function sendBatch({ store }: Context, input: Input) {
  const queue = queueOf(store, input);
  const entries = checkEntries(input);
  let bytes = 0;
  for (const entry of entries) bytes += Buffer.byteLength(String(entry.MessageBody ?? ''));
  if (bytes > queue.maxMessageBytes) {
    throw new AwsError(
      'com.amazonaws.sqs#BatchRequestTooLong',
      `Batch requests cannot be longer than ${queue.maxMessageBytes} bytes. You have sent ${bytes} bytes.`,
    );
  }
  return eachEntry(entries, (entry) => sendOne(store, queue, entry));
}

async function receive({ store }: Context, input: Input, signal: AbortSignal) {
  const queue = queueOf(store, input);
  const max = integer(input, 'MaxNumberOfMessages', 1, 10) ?? 1;
  const wait = integer(input, 'WaitTimeSeconds', 0, 20) ?? queue.receiveWaitSeconds;
  const visibilityTimeout = integer(input, 'VisibilityTimeout', 0, 43_200);
  const taken = await store.receiveWaiting(queue, max, wait, {
    signal,
    ...(visibilityTimeout === undefined ? {} : { visibilityTimeout }),
  });
  const system = [...strings(input.AttributeNames), ...strings(input.MessageSystemAttributeNames)];
  const named = strings(input.MessageAttributeNames);
  return taken.length > 0
    ? { Messages: taken.map((message) => receivedShape(message, system, named)) }
    : {};
}

function changeVisibility(store: QueueStore, queue: QueueSettings, input: Input): object {
  const seconds = integer(input, 'VisibilityTimeout', 0, 43_200);
  if (seconds === undefined) throw missingParameter('VisibilityTimeout');
  if (!store.changeVisibility(queue, receiptOf(input), seconds)) {
    throw new AwsError(
      'com.amazonaws.sqs#MessageNotInflight',
      'The specified message is not in flight.',
    );
  }
  return {};
}

/**
 * Runs each entry of a batch by itself; one that SQS would refuse is listed as failed.
 * @param run what it returns is added to the entry's result
 */
function eachEntry(entries: Entry[], run: (entry: Entry) => object) {
  const Successful: unknown[] = [];
  const Failed: unknown[] = [];
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry.Id, ...run(entry) });
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
