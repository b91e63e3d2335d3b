import type { IncomingMessage } from 'node:http';
import { AwsError } from '../aws/errors.ts';
import { header } from '../aws/http.ts';
import type { Precondition, StoredObject } from './store.ts';

const failed = () =>
  new AwsError(
    'PreconditionFailed',
    'At least one of the pre-conditions you specified did not hold',
    412,
  );

/**
 * Checks the conditional headers of a read, in the order of RFC 9110 section 13.2.2.
 * @returns whether the answer is 304 @throws {AwsError} PreconditionFailed
 */
export function checkRead(request: IncomingMessage, object: StoredObject, prefix = ''): boolean {
  const ifMatch = header(request, `${prefix}if-match`);
  const ifNoneMatch = header(request, `${prefix}if-none-match`);
  const unmodified = header(request, `${prefix}if-unmodified-since`);
  const modified = header(request, `${prefix}if-modified-since`);
  // HTTP dates have whole seconds.
  const modifiedAt = Math.floor(object.modifiedAt.getTime() / 1000) * 1000;
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, object.etag)) throw failed();
  } else if (unmodified !== undefined && modifiedAt > Date.parse(unmodified)) {
    throw failed();
  }
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, object.etag);
  return modified !== undefined && modifiedAt <= Date.parse(modified);
}

/** The conditions of a write: `If-None-Match: *` and `If-Match`, which S3 has supported since 2024. */
export function writePrecondition(request: IncomingMessage): Precondition | undefined {
  const ifMatch = header(request, 'if-match');
  const ifNoneMatch = header(request, 'if-none-match');
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw new AwsError(
      'NotImplemented',
      'A header you provided implies functionality that is not implemented.',
      501,
    );
  }
  return (current) => {
    if (ifNoneMatch !== undefined && current) throw failed();
    if (ifMatch === undefined) return;
    if (!current) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
    if (!matches(ifMatch, current.etag)) throw failed();
  };
}

function matches(list: string, etag: string): boolean {
  return list
    .split(',')
    .map((item) => item.trim().replace(/^"|"$/g, ''))
    .some((item) => item === '*' || item === etag);
}
