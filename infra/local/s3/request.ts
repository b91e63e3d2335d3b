import type { IncomingMessage, ServerResponse } from 'node:http';
import { AwsError } from '../aws/errors.ts';
import type { Blobs } from './blobs.ts';
import { requestIds } from './events.ts';
import type { S3Store } from './store.ts';
import { renderXml, type XmlObject } from './xml.ts';

/** One parsed S3 request. */
export interface S3Request {
  request: IncomingMessage;
  response: ServerResponse;
  bucket: string;
  /** Empty for requests to the bucket itself. */
  key: string;
  query: URLSearchParams;
}

/** What the operations need. */
export interface S3Context {
  store: S3Store;
  blobs: Blobs;
  region: string;
}

/**
 * Parses a path-style request. Keys are decoded as UTF-8; a `+` in a path is a plus.
 * @throws {AwsError} InvalidURI, KeyTooLongError
 */
export function parseS3Request(request: IncomingMessage, response: ServerResponse): S3Request {
  const target = request.url ?? '/';
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1));
  const slash = path.indexOf('/', 1);
  const bucket = slash === -1 ? path.slice(1) : path.slice(1, slash);
  const key = slash === -1 ? '' : decodeUri(path.slice(slash + 1));
  if (Buffer.byteLength(key) > 1024) {
    throw new AwsError('KeyTooLongError', 'Your key is too long');
  }
  return { request, response, bucket, key, query };
}

/** @throws {AwsError} InvalidURI */
export function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError('InvalidURI', "Couldn't parse the specified URI.");
  }
}

/** Sends a complete response. */
export function send(
  { request, response }: S3Request,
  status: number,
  headers: Record<string, string | number> = {},
  body = '',
): void {
  if (response.destroyed) return;
  const head = { ...requestIds(), server: 'Dropline', ...headers };
  if (body !== '' && !('content-type' in headers)) {
    Object.assign(head, { 'content-type': 'application/xml' });
  }
  response.writeHead(status, {
    ...head,
    ...(status === 204 || status === 304 ? {} : { 'content-length': Buffer.byteLength(body) }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

export function sendXml(call: S3Request, root: string, content: XmlObject): void {
  send(call, 200, {}, renderXml(root, content));
}
