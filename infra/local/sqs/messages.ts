import { createHash } from 'node:crypto';
import { AwsError } from '../aws/errors.ts';
import { type Input, integer, invalidParameter, text } from './input.ts';
import type { MessageAttribute, QueueSettings, ReceivedMessage } from './store.ts';

/** A message that a client wants to send. @throws {AwsError} when SQS would refuse it */
export function checkMessage(queue: QueueSettings, input: Input) {
  const body = text(input, 'MessageBody');
  const attributes = (input.MessageAttributes ?? {}) as Record<string, MessageAttribute>;
  const size = Buffer.byteLength(body) + Buffer.byteLength(JSON.stringify(attributes)) - 2;
  if (size > queue.maxMessageBytes) {
    throw invalidParameter(
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
    throw invalidParameter('FIFO queues are not supported locally.');
  }
  return { body, attributes, delay: integer(input, 'DelaySeconds', 0, 900) };
}

/** Characters that XML 1.0 does not allow, lone surrogates included: SQS refuses them. */
const unsendable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the refused characters
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** What the answer to a send says about the message. */
export function sendResult(
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

/**
 * A received message as ReceiveMessage returns it.
 * @param system names of the system attributes asked for, or `All`
 * @param named names of the message attributes asked for, with `prefix.*` or `All`
 */
export function receivedShape(message: ReceivedMessage, system: string[], named: string[]) {
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
export function systemAttributes(message: ReceivedMessage) {
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
