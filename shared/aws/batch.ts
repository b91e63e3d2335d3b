import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { backoffMs, throttledWaitMs } from '../journey/backoff.ts';
import type { Log } from '../journey/log.ts';
import type { Outcome } from '../journey/outcome.ts';
import { UnreadableMessage } from './events.ts';
import type { QueuePort } from './queues.ts';
import { isThrottled } from './throttled.ts';

export interface BatchOptions {
  /** The queue the batch came from. */
  queueUrl: string;
  queues: QueuePort;
  log: Log;
  random: () => number;
}

/** The message stays in the queue: reported as a failed item of the batch. */
class NotDone extends Error {
  override readonly name = 'NotDone';
}

/**
 * Works on a batch of SQS records, each by itself, and reports those that are to stay in the queue.
 * - `done`: the record is reported as processed, and Lambda deletes it.
 * - `retry`: made visible again after the step's own delay; SQS counts the receive, and after the
 *   queue's `maxReceiveCount` the message is a dead letter.
 * - `defer`: sent again with a delay and reported as processed, because a receive would count
 *   although nothing failed (docs/decisions/0003).
 * An error that `process` throws means that nothing could be recorded: as `retry`, with backoff. A throttled request
 * of AWS is no failure of the message: as `defer`, so that no message becomes a dead letter because of load.
 */
export async function processBatch(
  event: SQSEvent,
  context: Context,
  options: BatchOptions,
  process: (body: string) => Promise<Outcome>,
): Promise<SQSBatchResponse> {
  const { queueUrl, queues } = options;

  const handle = async (record: SQSRecord): Promise<void> => {
    let outcome: Outcome;
    try {
      outcome = await queues.working(() => process(record.body));
    } catch (error) {
      outcome = outcomeOf(error, record, options);
    }
    if (outcome.next === 'done') return;
    if (outcome.next === 'defer') {
      await queues.send(queueUrl, record.body, outcome.delayMs);
      return;
    }
    await queues.giveBack(queueUrl, record.receiptHandle, outcome.delayMs);
    throw new NotDone(record.messageId);
  };

  return processPartialResponse(event, handle, new BatchProcessor(EventType.SQS), {
    context,
    throwOnFullBatchFailure: false,
  });
}

function outcomeOf(
  error: unknown,
  record: SQSRecord,
  { log, random }: Pick<BatchOptions, 'log' | 'random'>,
): Outcome {
  const { messageId } = record;
  if (isThrottled(error)) {
    const delayMs = throttledWaitMs(random);
    log.warn('throttled by AWS', { messageId, delayMs, error: String(error) });
    return { next: 'defer', delayMs };
  }
  log.error('nothing could be recorded', {
    messageId,
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  // No later delivery can read it either: straight on to the dead letters.
  if (error instanceof UnreadableMessage) return { next: 'retry', delayMs: 0 };
  const receives = Number(record.attributes.ApproximateReceiveCount);
  return { next: 'retry', delayMs: backoffMs(receives, random) };
}
