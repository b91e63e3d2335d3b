import { AwsError } from '../aws/errors.ts';

/** Reads the fields of a request, with the error codes of the SQS API reference. */

export type Input = Record<string, unknown>;

export type Entry = Input & { Id: string };

/** The entries of a batch request: 1 to 10, with distinct ids. @throws {AwsError} */
export function checkEntries(input: Input): Entry[] {
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

/** The receipt handle. @throws {AwsError} ReceiptHandleIsInvalid */
export function receiptOf(input: Input): string {
  const receipt = text(input, 'ReceiptHandle');
  if (!/^\d+\.[0-9a-f-]{36}$/.test(receipt)) {
    throw new AwsError(
      'com.amazonaws.sqs#ReceiptHandleIsInvalid',
      `The input receipt handle "${receipt}" is not a valid receipt handle.`,
    );
  }
  return receipt;
}

/** A required text. @throws {AwsError} MissingParameter */
export function text(input: Input, name: string): string {
  const value = input[name];
  if (typeof value !== 'string' || value === '') throw missingParameter(name);
  return value;
}

/** A list of strings; empty when it is missing. */
export function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** An optional whole number. @throws {AwsError} InvalidParameterValue */
export function integer(input: Input, name: string, min: number, max: number): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalidParameter(
      `Value ${String(value)} for parameter ${name} is invalid. Reason: Must be between ${min} and ${max}, if provided.`,
    );
  }
  return value;
}

export const missingParameter = (name: string) =>
  new AwsError(
    'com.amazonaws.sqs#MissingParameter',
    `The request must contain the parameter ${name}.`,
  );
export const invalidParameter = (message: string) =>
  new AwsError('com.amazonaws.sqs#InvalidParameterValue', message);
export const noQueue = () =>
  new AwsError('com.amazonaws.sqs#QueueDoesNotExist', 'The specified queue does not exist.');
