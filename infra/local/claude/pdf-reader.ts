import { Worker } from 'node:worker_threads';
import { invalid } from './errors.ts';
import type { PdfAnswer, PdfText } from './pdf-worker.ts';

/** Reads the text of PDFs in a worker thread, cached by content. The thread starts with the first PDF. */

const cacheSize = 200;
const timeoutMs = 60_000;

interface Waiting {
  resolve: (text: PdfText) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

export class PdfReader {
  #worker: Worker | undefined;
  #nextId = 1;
  readonly #waiting = new Map<number, Waiting>();
  readonly #texts = new Map<string, Promise<PdfText>>();

  /**
   * Reads the PDF at a path or in memory; `sha256` is the hash of its content. Throws 400 when it is
   * damaged or takes longer than a minute.
   */
  read(sha256: string, source: string | Uint8Array): Promise<PdfText> {
    const known = this.#texts.get(sha256);
    if (known) return known;

    const reading = this.#ask(source);
    this.#texts.set(sha256, reading);
    const oldest = this.#texts.keys().next().value;
    if (this.#texts.size > cacheSize && oldest !== undefined) this.#texts.delete(oldest);
    // A damaged PDF stays damaged, but a timeout or an unreadable disk may pass.
    reading.catch(() => this.#texts.delete(sha256));
    return reading;
  }

  #ask(source: string | Uint8Array): Promise<PdfText> {
    this.#worker ??= this.#start();
    const id = this.#nextId++;
    const worker = this.#worker;

    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(worker, 'reading the PDF took too long');
        void worker.terminate();
      }, timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      worker.ref();
      worker.postMessage({ id, source });
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL('./pdf-worker.ts', import.meta.url), {
      // A PDF that decompresses endlessly fails alone and does not take down the process.
      resourceLimits: { maxOldGenerationSizeMb: 1_024 },
    });
    worker.unref();
    worker.on('message', (answer: PdfAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      if (!waiting) return;
      this.#waiting.delete(answer.id);
      clearTimeout(waiting.timer);
      if (this.#waiting.size === 0) worker.unref();
      if ('ok' in answer) waiting.resolve(answer.ok);
      else waiting.reject(invalid('The PDF specified was not valid.'));
    });
    worker.on('error', () => this.#fail(worker, 'the PDF could not be read'));
    worker.on('exit', () => this.#fail(worker, 'the PDF could not be read'));
    return worker;
  }

  /** Fails all reads that wait for this thread; the next PDF gets a new thread. */
  #fail(worker: Worker, message: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(invalid(`The PDF specified was not valid: ${message}`));
    }
    this.#waiting.clear();
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }
}
