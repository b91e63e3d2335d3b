import { ReadStream } from 'node:fs';
import { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { releaseAfterSending } from './connect.ts';
import { UploadSizeMismatch } from './errors.ts';

/** A file to upload. The body is read once; its size must be known in advance. */
export interface UploadFile {
  /** Name that the API shows, 1 to 255 characters; see `markedFilename`. */
  filename: string;
  /** Decides which content block may later carry the file. */
  mimeType: string;
  /** The exact length of `body` in bytes. */
  sizeBytes: number;
  /** The bytes. Consumed; closed early when the upload fails. */
  body: AsyncIterable<Uint8Array>;
  /** Seconds until the API removes the file: 3,600 to 7,776,000. Only in the ga dialect. */
  expiresInSeconds?: number | undefined;
  /**
   * True when nothing else reads the chunks of `body`: each is emptied and its memory released as
   * soon as it has been sent, which keeps memory flat whatever the garbage collector does. By
   * default true only for the body of a file or HTTP reply, whose chunks nothing else can hold.
   */
  ownsChunks?: boolean | undefined;
}

/** The request body of an upload, with its exact length. */
export interface MultipartBody {
  contentType: string;
  contentLength: number;
  chunks: AsyncIterable<Uint8Array>;
  /** The failure of the file's body, if there was one. */
  failure: () => { error: unknown } | undefined;
  /** Closes the file's body once the request reads no more of it. */
  dispose: () => void;
}

const encoder = new TextEncoder();

/**
 * Frames a file as `multipart/form-data` (RFC 7578) without buffering or copying it. Nothing is sent
 * before the file's first chunk arrives, and the closing boundary is not sent when the body fails or
 * is not `sizeBytes` long, so that the API cannot take a damaged file for a complete one.
 * @param boundary characters that do not occur in the file; random ones
 * @throws TypeError when the MIME type is not valid in a header, RangeError when the size is invalid
 */
export function multipartBody(file: UploadFile, boundary: string): MultipartBody {
  if (!/^[\x21-\x7e]+\/[\x20-\x7e]+$/.test(file.mimeType)) {
    throw new TypeError(`Not a MIME type: ${JSON.stringify(file.mimeType)}`);
  }
  if (!Number.isSafeInteger(file.sizeBytes) || file.sizeBytes < 0) {
    throw new RangeError(`Not a size in bytes: ${file.sizeBytes}`);
  }
  const head = encoder.encode(headOf(file, boundary));
  const tail = encoder.encode(`\r\n--${boundary}--\r\n`);
  const source = file.body[Symbol.asyncIterator]();
  let failure: { error: unknown } | undefined;

  async function* frame(): AsyncGenerator<Uint8Array> {
    try {
      const owns = file.ownsChunks ?? isSoleReader(file.body);
      let sent = 0;
      let next = await source.next();
      yield head;
      for (; next.done !== true; next = await source.next()) {
        const chunk = bytesOf(next.value);
        sent += chunk.byteLength;
        if (sent > file.sizeBytes) break;
        if (owns) releaseAfterSending(chunk);
        yield chunk;
      }
      if (sent !== file.sizeBytes) throw new UploadSizeMismatch(file.sizeBytes, sent);
    } catch (error) {
      failure = { error };
      throw error;
    }
    yield tail;
  }

  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    contentLength: head.byteLength + file.sizeBytes + tail.byteLength,
    chunks: frame(),
    failure: () => failure,
    dispose: () => {
      // A stream is destroyed rather than asked to return: the iterator of a stalled stream would
      // queue that behind a read that never ends.
      if (file.body instanceof Readable) file.body.destroy();
      else source.return?.().catch(() => undefined);
    },
  };
}

/**
 * The fields before the file's bytes. The name is raw UTF-8, with the three characters that would
 * end it escaped as in WHATWG form encoding: this is what the official SDK sends.
 */
function headOf(file: UploadFile, boundary: string): string {
  const filename = file.filename
    .replaceAll('"', '%22')
    .replaceAll('\r', '%0D')
    .replaceAll('\n', '%0A');
  const expiry =
    file.expiresInSeconds === undefined
      ? ''
      : `--${boundary}\r\nContent-Disposition: form-data; name="expires_in_seconds"\r\n\r\n${file.expiresInSeconds}\r\n`;
  return `${expiry}--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\nContent-Type: ${file.mimeType}\r\n\r\n`;
}

/** Rejects text chunks (a stream with an encoding set): they are counted in characters, sent in bytes. */
function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError(`The body of an upload must yield bytes, not ${typeof chunk}`);
}

/** Node allocates a new buffer for every chunk of these two and keeps none. */
function isSoleReader(body: AsyncIterable<Uint8Array>): boolean {
  return (
    (body instanceof ReadStream || body instanceof IncomingMessage) &&
    body.listenerCount('data') === 0
  );
}
