import { HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import {
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { failedIds } from '../../infra/local/lambda/event-source.ts';
import type { LocalFunction } from '../../infra/local/lambda/local-function.ts';
import type { EventSourceResource } from '../../infra/local/template/resources.ts';

export interface PollerOptions {
  source: EventSourceResource;
  target: LocalFunction;
  queueUrl: string;
  sqs: SQSClient;
  s3: S3Client;
  signal: AbortSignal;
}

/**
 * What Lambda does for a queue: receives batches, invokes the function, and deletes what it does not report as
 * failed. Ends with the signal.
 */
export async function poll(options: PollerOptions): Promise<void> {
  const { source, target, queueUrl, sqs, s3, signal } = options;
  while (!signal.aborted) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: Math.min(source.batchSize, 10),
        WaitTimeSeconds: 1,
        MessageSystemAttributeNames: ['All'],
      }),
    );
    if (Messages.length === 0) continue;
    const Records = await Promise.all(
      Messages.map(async (message) => recordOf(message, await completed(message, s3), source)),
    );
    const result = await target.invoke({ Records });
    if (!result.ok) throw new Error(`${target.settings.name}: ${result.error.errorMessage}`);
    const ids = Records.map(({ messageId }) => ({ messageId }));
    const failed = failedIds(result.payload, ids, source.reportsFailures);
    for (const { MessageId = '', ReceiptHandle } of Messages) {
      if (failed.has(MessageId)) continue;
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
    }
  }
}

let sequence = 0;

/** The body of a message. moto's S3 events lack the version and the sequencer, which S3 always sends: they are added. */
async function completed({ Body = '' }: Message, s3: S3Client): Promise<string> {
  const body = JSON.parse(Body);
  for (const record of body.Records ?? []) {
    const { bucket, object } = record.s3;
    const Key = decodeURIComponent(object.key.replaceAll('+', ' '));
    const { VersionId } = await s3.send(new HeadObjectCommand({ Bucket: bucket.name, Key }));
    sequence += 1;
    object.versionId = VersionId;
    object.sequencer = sequence.toString(16).padStart(16, '0');
  }
  return JSON.stringify(body);
}

function recordOf(message: Message, body: string, { queueArn }: EventSourceResource) {
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle,
    body,
    attributes: message.Attributes ?? {},
    messageAttributes: {},
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: 'us-east-1',
  };
}
