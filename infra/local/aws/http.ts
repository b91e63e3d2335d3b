import type { IncomingMessage } from 'node:http';
import { AwsError } from './errors.ts';

/** Reads a whole request body. @throws {AwsError} above `limit` bytes */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > limit) throw new AwsError('RequestEntityTooLarge', 'The request is too large', 413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The value of a header; the first one if it was sent more than once. */
export function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
