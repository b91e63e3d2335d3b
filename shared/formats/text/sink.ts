import { type FileHandle, open } from 'node:fs/promises';
import { RejectDocument } from '../../journey/errors.ts';

/**
 * Writes text to a file as UTF-8, no more bytes than allowed, and overlaps writing with the making of
 * the next text. Close it at the end, also after an error.
 */
export class TextSink {
  /** Bytes written so far, including those in flight. */
  bytes = 0;
  /** Whether anything but white space was written. */
  hasInk = false;
  readonly #file: FileHandle;
  readonly #maxBytes: number;
  #writing: Promise<unknown> = Promise.resolve();
  /** One is being written while the other is filled. */
  #buffers: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];

  private constructor(file: FileHandle, maxBytes: number) {
    this.#file = file;
    this.#maxBytes = maxBytes;
  }

  static async open(path: string, maxBytes: number): Promise<TextSink> {
    return new TextSink(await open(path, 'w'), maxBytes);
  }

  /** @throws RejectDocument `normalize.too_large` */
  async write(text: string): Promise<void> {
    if (text === '') return;
    this.hasInk ||= /\S/.test(text);
    const bytes = this.#encode(text);
    this.bytes += bytes.length;
    if (this.bytes > this.#maxBytes) {
      throw new RejectDocument({
        code: 'normalize.too_large',
        message: `The text of the file has more than ${this.#maxBytes} bytes.`,
      });
    }
    await this.#writing;
    this.#writing = this.#file.write(bytes);
    // The next write or `flush` reports the error; until then it must not be an unhandled rejection.
    this.#writing.catch(() => {});
  }

  #encode(text: string): Buffer {
    const [writing, free] = this.#buffers;
    // No UTF-16 unit takes more than three bytes of UTF-8.
    const needed = text.length * 3;
    const buffer = free.length < needed ? Buffer.allocUnsafeSlow(needed) : free;
    this.#buffers = [buffer, writing];
    return buffer.subarray(0, buffer.write(text));
  }

  /** Waits until everything is written; throws the system's error if that failed. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#file.close();
  }
}
