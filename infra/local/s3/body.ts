import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { AwsError } from '../aws/errors.ts';
import { header } from '../aws/http.ts';
import type { Blobs, Written } from './blobs.ts';
import { AwsChunkedDecoder } from './chunked.ts';
import type { ObjectHeaders } from './store.ts';
import { checkTags, tagsHeader } from './tags.ts';

const storedHeaders = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-language',
  'expires',
];

/** The headers of a request that are stored with the object. */
export function headersToKeep(request: IncomingMessage): ObjectHeaders {
  const kept: ObjectHeaders = { 'content-type': 'binary/octet-stream' };
  for (const name of storedHeaders) {
    const value = header(request, name);
    if (value) kept[name] = value;
  }
  const encoding = header(request, 'content-encoding')
    ?.split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== 'aws-chunked')
    .join(',');
  if (encoding) kept['content-encoding'] = encoding;
  const tags = header(request, tagsHeader);
  if (tags) kept[tagsHeader] = checkTags([...new URLSearchParams(tags)]);
  let metaBytes = 0;
  for (const name of Object.keys(request.headers)) {
    if (!name.startsWith('x-amz-meta-')) continue;
    const value = header(request, name) ?? '';
    metaBytes += name.length - 'x-amz-meta-'.length + value.length;
    kept[name] = value;
  }
  if (metaBytes > 2048) {
    throw new AwsError(
      'MetadataTooLarge',
      'Your metadata headers exceed the maximum allowed metadata size',
    );
  }
  return kept;
}

/**
 * Receives a body into a file and checks it against what the client sent: length, Content-MD5, SHA-256 and the
 * CRC32, SHA-1 or SHA-256 checksum headers or trailers. CRC32C and CRC64NVME are not checked.
 * @throws {AwsError} IncompleteBody, BadDigest, XAmzContentSHA256Mismatch
 */
export async function receiveBody(request: IncomingMessage, blobs: Blobs): Promise<Written> {
  const payloadHash = header(request, 'x-amz-content-sha256') ?? '';
  const chunked =
    payloadHash.startsWith('STREAMING-') ||
    (header(request, 'content-encoding')?.includes('aws-chunked') ?? false);
  const decoder = chunked ? new AwsChunkedDecoder() : undefined;
  const announced = header(request, 'x-amz-trailer')?.toLowerCase() ?? '';
  const expects = (algorithm: string) =>
    header(request, `x-amz-checksum-${algorithm}`) !== undefined ||
    announced.includes(`x-amz-checksum-${algorithm}`);
  const signedHash = /^[0-9a-f]{64}$/.test(payloadHash) ? payloadHash : undefined;

  const body: Readable = decoder ? pipeInto(request, decoder) : request;
  const written = await blobs
    .write(body, {
      sha256: signedHash !== undefined || expects('sha256'),
      sha1: expects('sha1'),
      crc32: expects('crc32'),
    })
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.code !== 'ECONNRESET') throw error;
      throw incomplete();
    });

  const problem = () => {
    const length = header(request, chunked ? 'x-amz-decoded-content-length' : 'content-length');
    if (length !== undefined && Number(length) !== written.size) return incomplete();
    const md5 = header(request, 'content-md5');
    if (md5 !== undefined && Buffer.from(md5, 'base64').toString('hex') !== written.md5) {
      return new AwsError(
        'BadDigest',
        'The Content-MD5 you specified did not match what we received.',
      );
    }
    if (signedHash !== undefined && signedHash !== written.sha256) {
      return new AwsError(
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    }
    for (const [algorithm, value] of Object.entries(written.checksums)) {
      const name = `x-amz-checksum-${algorithm}`;
      const expected = decoder?.trailers.get(name) ?? header(request, name);
      if (expected !== undefined && expected !== value) {
        return new AwsError(
          'BadDigest',
          `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
        );
      }
    }
    return undefined;
  };
  const error = problem();
  if (error) {
    blobs.discard([written]);
    throw error;
  }
  return written;
}

/** `pipe` that also passes on a broken connection. */
function pipeInto(request: IncomingMessage, decoder: AwsChunkedDecoder): AwsChunkedDecoder {
  request.once('error', (error) => decoder.destroy(error));
  return request.pipe(decoder);
}

const incomplete = () =>
  new AwsError(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
  );
