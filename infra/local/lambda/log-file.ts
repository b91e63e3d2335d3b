import { createWriteStream, mkdirSync, renameSync, statSync, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';

const maxBytes = 20 * 1024 * 1024;

/** A function's log. When it becomes too long it is moved to `<path>.1`. */
export class LogFile {
  readonly path: string;
  #stream: WriteStream;
  #size: number;

  constructor(path: string) {
    this.path = path;
    mkdirSync(dirname(path), { recursive: true });
    this.#size = sizeOf(path);
    this.#stream = createWriteStream(path, { flags: 'a' });
  }

  write(text: string | Buffer): void {
    this.#size += Buffer.byteLength(text);
    if (this.#size > maxBytes) {
      this.#stream.end();
      renameSync(this.path, `${this.path}.1`);
      this.#stream = createWriteStream(this.path, { flags: 'a' });
      this.#size = Buffer.byteLength(text);
    }
    this.#stream.write(text);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#stream.end(() => resolve()));
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
