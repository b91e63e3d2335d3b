import type { Counters } from '../counters.ts';
import { md5OfAttributes, systemAttributes } from '../sqs/messages.ts';
import type { MessageAttribute, QueueSettings, QueueStore, ReceivedMessage } from '../sqs/store.ts';
import type { LocalFunction } from './local-function.ts';

export interface EventSourceOptions {
  queue: QueueSettings;
  store: QueueStore;
  target: LocalFunction;
  batchSize: number;
  /** How long to wait for a batch to fill, in seconds; 0 takes what is there. */
  windowSeconds: number;
  /** `ReportBatchItemFailures`: the function's response names the messages that failed. */
  reportsFailures: boolean;
  concurrency: number;
  region: string;
  counters: Counters;
  /** Called with faults of the host itself. */
  onError: (error: unknown) => void;
  /** Seconds until the messages of a failed invocation are visible again. Default: their visibility timeout. */
  redeliverAfter?: number | undefined;
}

/** A batch's payload must not exceed 6 MB. */
const maxBatchBytes = 6 * 1024 * 1024;
/** The longest wait that SQS allows. It ends as soon as a message arrives. */
const waitSeconds = 20;

/**
 * Polls a queue for a function, as Lambda's event source mapping for SQS does: messages that succeeded are
 * deleted, failed ones stay in flight until their visibility timeout ends.
 */
export class EventSource {
  readonly options: EventSourceOptions;
  readonly #stop = new AbortController();
  readonly #stopped = new Promise<void>((resolve) => {
    this.#stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  readonly #running = new Set<Promise<void>>();
  #loop: Promise<void> | undefined;
  #finished = 0;
  #failed = 0;

  constructor(options: EventSourceOptions) {
    this.options = options;
  }

  /** Messages that succeeded, and deliveries that failed, since the start. */
  get tally(): { finished: number; failed: number } {
    return { finished: this.#finished, failed: this.#failed };
  }

  /** Resolves when no invocation is running. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  start(): void {
    this.#loop = this.#poll();
  }

  /** Stops taking messages. Does not wait for running invocations. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (this.#running.size >= this.options.concurrency) {
        await Promise.race([...this.#running, this.#stopped]);
        continue;
      }
      const batch = await this.#gather(signal);
      if (batch.length === 0) continue;
      // A fault of the host itself must not end the polling; the batch is delivered again.
      const run: Promise<void> = this.#run(batch)
        .catch((error: unknown) => this.options.onError(error))
        .finally(() => this.#running.delete(run));
      this.#running.add(run);
    }
  }

  async #gather(signal: AbortSignal): Promise<ReceivedMessage[]> {
    const { batchSize, windowSeconds } = this.options;
    const batch = await this.#receive(batchSize, waitSeconds, signal);
    if (batch.length === 0) return batch;
    const until = Date.now() + windowSeconds * 1000;
    let bytes = batch.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
    while (batch.length < batchSize && bytes < maxBatchBytes && !signal.aborted) {
      const left = Math.max(until - Date.now(), 0) / 1000;
      const more = await this.#receive(batchSize - batch.length, left, signal);
      if (more.length === 0) break;
      batch.push(...more);
      bytes += more.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
    }
    return batch;
  }

  #receive(max: number, wait: number, signal: AbortSignal): Promise<ReceivedMessage[]> {
    const { store, queue, counters } = this.options;
    counters.add('sqs ReceiveMessage (event source)');
    return store.receiveWaiting(queue, Math.min(max, 10), wait, { signal });
  }

  async #run(batch: ReceivedMessage[]): Promise<void> {
    const { target, store, queue, reportsFailures, counters, redeliverAfter } = this.options;
    const result = await target.invoke({ Records: batch.map((message) => this.#record(message)) });
    const failed = result.ok
      ? failedIds(result.payload, batch, reportsFailures)
      : new Set(batch.map(({ messageId }) => messageId));
    if (this.#stop.signal.aborted && failed.size === batch.length) return;
    if (!result.ok && redeliverAfter !== undefined) {
      for (const { receipt } of batch) store.changeVisibility(queue, receipt, redeliverAfter);
    }
    const done = batch.filter(({ messageId }) => !failed.has(messageId));
    for (const { receipt } of done) store.delete(queue, receipt);
    if (done.length > 0) {
      counters.add('sqs DeleteMessageBatch (event source)', Math.ceil(done.length / 10));
    }
    this.#finished += done.length;
    this.#failed += failed.size;
  }

  /** A message as Lambda passes it to functions ("Using Lambda with Amazon SQS"). */
  #record(message: ReceivedMessage) {
    const { queue, region } = this.options;
    const named = Object.keys(message.attributes).length > 0;
    return {
      messageId: message.messageId,
      receiptHandle: message.receipt,
      body: message.body,
      attributes: systemAttributes(message),
      messageAttributes: Object.fromEntries(
        Object.entries(message.attributes).map(([name, value]) => [name, eventAttribute(value)]),
      ),
      md5OfBody: message.md5,
      ...(named ? { md5OfMessageAttributes: md5OfAttributes(message.attributes) } : {}),
      eventSource: 'aws:sqs',
      eventSourceARN: queue.arn,
      awsRegion: region,
    };
  }
}

function eventAttribute({ DataType, StringValue, BinaryValue }: MessageAttribute) {
  return {
    ...(StringValue === undefined ? {} : { stringValue: StringValue }),
    ...(BinaryValue === undefined ? {} : { binaryValue: BinaryValue }),
    stringListValues: [],
    binaryListValues: [],
    dataType: DataType,
  };
}

/**
 * The messages that failed according to a function's response, by the rules of "Reporting batch item
 * failures": nothing, null or an empty list means success; a response that cannot be read, or that names an
 * unknown or empty id, fails the whole batch.
 */
export function failedIds(
  payload: string,
  batch: { messageId: string }[],
  reportsFailures: boolean,
): Set<string> {
  const none = new Set<string>();
  if (!reportsFailures) return none;
  const all = new Set(batch.map(({ messageId }) => messageId));
  let answer: unknown;
  try {
    answer = JSON.parse(payload === '' ? 'null' : payload);
  } catch {
    return all;
  }
  if (answer === null) return none;
  if (typeof answer !== 'object') return all;
  const failures = (answer as { batchItemFailures?: unknown }).batchItemFailures;
  if (failures === undefined || failures === null) return none;
  if (!Array.isArray(failures)) return all;
  const ids = failures.map((failure) => (failure as { itemIdentifier?: unknown })?.itemIdentifier);
  const known = ids.filter((id): id is string => typeof id === 'string' && all.has(id));
  return known.length === ids.length ? new Set(known) : all;
}
