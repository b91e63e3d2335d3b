import { Transform, type TransformCallback } from 'node:stream';
import { AwsError } from '../aws/errors.ts';

const maxHeaderBytes = 16 * 1024;

/**
 * Decodes the `aws-chunked` encoding, which SDKs use to send a checksum after a stream:
 * `<hex size>[;chunk-signature=…]\r\n<bytes>\r\n … 0\r\n<trailer>: <value>\r\n\r\n`
 * (S3 API reference, "Authenticating Requests: signature calculations for chunked uploads").
 * Signatures are not checked. `trailers` is complete once the stream has ended.
 */
export class AwsChunkedDecoder extends Transform {
  readonly trailers = new Map<string, string>();
  #state: 'size' | 'data' | 'data-end' | 'trailer' | 'done' = 'size';
  #line = '';
  #left = 0;

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#state === 'data') {
        const take = Math.min(this.#left, chunk.length - offset);
        this.push(chunk.subarray(offset, offset + take));
        offset += take;
        this.#left -= take;
        if (this.#left === 0) this.#state = 'data-end';
        continue;
      }
      const newline = chunk.indexOf(10, offset);
      const end = newline === -1 ? chunk.length : newline;
      this.#line += chunk.toString('latin1', offset, end);
      offset = end + 1;
      if (this.#line.length > maxHeaderBytes) {
        done(broken());
        return;
      }
      if (newline === -1) break;
      const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line;
      this.#line = '';
      if (!this.#takeLine(line)) {
        done(broken());
        return;
      }
    }
    done();
  }

  override _flush(done: TransformCallback): void {
    // The blank line after the trailers may be missing.
    done(this.#state === 'done' || this.#state === 'trailer' ? null : broken());
  }

  #takeLine(line: string): boolean {
    switch (this.#state) {
      case 'size': {
        const size = /^([0-9a-f]{1,12})(;.*)?$/i.exec(line)?.[1];
        if (size === undefined) return false;
        this.#left = Number.parseInt(size, 16);
        this.#state = this.#left === 0 ? 'trailer' : 'data';
        return true;
      }
      case 'data-end':
        this.#state = 'size';
        return line === '';
      case 'trailer': {
        if (line === '') {
          this.#state = 'done';
          return true;
        }
        const colon = line.indexOf(':');
        if (colon > 0) {
          this.trailers.set(
            line.slice(0, colon).trim().toLowerCase(),
            line.slice(colon + 1).trim(),
          );
        }
        return colon > 0;
      }
      default:
        return line === '';
    }
  }
}

const broken = () =>
  new AwsError('IncompleteBody', 'The aws-chunked body is malformed or ended early.');
