import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { defaultLimits } from '../../../shared/formats/limits.ts';
import { type Attempt, ConversionSandbox } from '../../../shared/formats/sandbox/sandbox.ts';
import type { Targets } from './case.ts';

const spy = fileURLToPath(new URL('./fs-spy.ts', import.meta.url));
const shared = fileURLToPath(new URL('../../../shared', import.meta.url));
const worker = join(shared, 'convert', 'worker.ts');

export interface Trial {
  attempt: Attempt;
  /** Everything that was made, as Latin-1. */
  written: string;
  /** Paths that were touched, except the document, the code and the results. */
  touched: string;
  /** Requests that reached the server since the lab was opened. */
  visits: string[];
}

/** A watched sandbox, a file that must not be read and a server that must not be called. */
export class Lab {
  /** Content of the file that hostile documents try to read. */
  readonly secret = 'canary-4711-canary';
  readonly targets: Targets;
  readonly #dir: string;
  readonly #sandbox: ConversionSandbox;
  readonly #visits: string[];
  readonly #stop: () => void;
  #seen = 0;

  private constructor(
    dir: string,
    port: number,
    entry: string,
    visits: string[],
    stop: () => void,
  ) {
    this.#dir = dir;
    this.#visits = visits;
    this.#stop = stop;
    this.targets = { file: join(dir, 'canary.txt'), url: `http://127.0.0.1:${port}` };
    this.#sandbox = new ConversionSandbox({
      entry,
      workDir: join(dir, 'work'),
      execArgv: [
        `--allow-fs-read=${spy}`,
        `--allow-fs-read=${join(shared, '*')}`,
        '--import',
        pathToFileURL(spy).href,
      ],
    });
  }

  static async open(entry = worker): Promise<Lab> {
    const visits: string[] = [];
    const server = createServer((request, response) => {
      visits.push(request.url ?? '');
      response.end('x');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const dir = await mkdtemp(join(tmpdir(), 'dropline-lab-'));
    const lab = new Lab(dir, port, entry, visits, () => server.close());
    await writeFile(lab.targets.file, lab.secret);
    return lab;
  }

  async try(name: string, bytes: Uint8Array): Promise<Trial> {
    const path = join(this.#dir, 'document');
    const outDir = await mkdtemp(join(this.#dir, 'out-'));
    await writeFile(path, bytes);
    const limits = { ...defaultLimits, maxSeconds: 25 };
    const attempt = await this.#sandbox.attempt({
      path,
      name,
      sizeBytes: bytes.length,
      outDir,
      limits,
    });
    const written = await allText(outDir);
    await rm(outDir, { recursive: true, force: true });
    return { attempt, written, touched: await this.#touched(), visits: this.#visits };
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#sandbox.close();
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #touched(): Promise<string> {
    const work = join(this.#dir, 'work');
    const [root = ''] = await readdir(work);
    const log = await readFile(join(work, root, 'touched.log'), 'utf8').catch(() => '');
    const fresh = log.slice(this.#seen);
    this.#seen = log.length;
    return fresh;
  }
}

async function allText(dir: string): Promise<string> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const texts = entries
    .filter((entry) => entry.isFile())
    .map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1'));
  return (await Promise.all(texts)).join('\n');
}
