import { mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, realpath, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { RejectDocument, SkipDocument } from '../../journey/errors.ts';
import type { Conversion, ConvertInput } from '../types.ts';
import { type Ending, SandboxChild } from './child.ts';
import type { JobAnswer, SentError } from './messages.ts';
import { Turns } from './turns.ts';

export interface Measured {
  /** Wall-clock milliseconds, without the wait for a free child. */
  ms: number;
  /** Highest resident memory of the child during the conversion, in MiB. */
  peakRssMb: number;
  /** Attempts to reach the network, all refused. */
  refused: string[];
}

/** The result of a conversion, measured whether it failed or not. */
export type Attempt = { measured: Measured } & ({ conversion: Conversion } | { error: Error });

export interface SandboxOptions {
  /** Path of `shared/convert/worker.ts`, or of its bundle. */
  entry: string;
  /** Maximum number of child processes; each converts one document at a time. Default 1. */
  size?: number;
  /** How long a document waits for a free child, in milliseconds, before it is turned away; by default without end. */
  patienceMs?: number;
  /** Where documents are staged and results are made; a new temporary directory by default. */
  workDir?: string;
  /** Further Node options for the children, for tests. */
  execArgv?: readonly string[];
}

type Result = JobAnswer | Exclude<Ending, 'unstarted'>;

/** An idle child that uses more than this share of its memory limit is replaced. */
const recycleShare = 0.5;

/**
 * Converts documents in child processes that can read only their code and the document, write only
 * their own directory, and reach no network. A child that takes too long or too much memory is
 * killed. Then, or if it crashes, that one document is rejected; the caller and the next document
 * are not affected.
 */
export class ConversionSandbox {
  readonly #options: SandboxOptions;
  readonly #idle: SandboxChild[] = [];
  readonly #turns: Turns;
  #jobs = 0;
  #root: Promise<string> | undefined;
  #isClosed = false;

  constructor(options: SandboxOptions) {
    this.#options = options;
    this.#turns = new Turns(options.size ?? 1, options.patienceMs);
  }

  /**
   * @throws RejectDocument from the converter, or `normalize.timeout`, `normalize.out_of_memory`,
   *   `normalize.crashed`; SkipDocument; Defer `normalize.busy`; Error if the machine is at fault (a full disk)
   */
  async convert(input: ConvertInput): Promise<Conversion & { measured: Measured }> {
    const attempt = await this.attempt(input);
    if ('error' in attempt) throw attempt.error;
    return { ...attempt.conversion, measured: attempt.measured };
  }

  /** Like `convert`, but returns the document's errors, measured, instead of throwing them. */
  async attempt(input: ConvertInput): Promise<Attempt> {
    if (this.#isClosed) throw new Error('the sandbox is closed');
    await this.#turns.take();
    const started = performance.now();
    try {
      const first = await this.#runOnce(input);
      // A crash may be a late effect of the previous document, so a new child tries once more.
      const { result, peakRssMb } = first.result === 'crashed' ? await this.#runOnce(input) : first;
      const measured = { ms: performance.now() - started, peakRssMb, refused: refusedOf(result) };
      if (typeof result === 'string') return { error: endingError(result, input), measured };
      if ('error' in result) return { error: errorOf(result.error), measured };
      return { conversion: result.conversion, measured };
    } finally {
      this.#turns.give();
    }
  }

  /** Ends the children and removes the sandbox's directory. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const child of this.#idle.splice(0)) child.kill('crashed');
    if (this.#root) await rm(await this.#root, { recursive: true, force: true });
  }

  async #runOnce(input: ConvertInput): Promise<{ result: Result; peakRssMb: number }> {
    const root = await this.#rootDir();
    this.#jobs += 1;
    const id = this.#jobs;
    const jobDir = join(root, String(id));
    const outDir = join(jobDir, 'out');
    // Waiting for these takes less than handing them to a thread, and nothing large is touched.
    mkdirSync(outDir, { recursive: true });
    try {
      // The child can read only below its root; this link leads it to the one file.
      const path = join(jobDir, 'document');
      symlinkSync(realpathSync(input.path), path);
      const { maxSeconds, maxMemoryMb } = input.limits;
      const child = this.#takeChild(root, maxMemoryMb);
      const result = await child.run(
        { id, input: { ...input, path, outDir } },
        maxSeconds,
        maxMemoryMb,
      );
      if (result === 'unstarted') {
        throw new Error(`the conversion process did not start: ${child.lastWords}`);
      }
      const { peakRssMb } = child;
      this.#giveBack(child, maxMemoryMb);
      if (typeof result !== 'string' && 'conversion' in result) {
        await moveOut(result.conversion, outDir, input.outDir);
      }
      return { result, peakRssMb };
    } finally {
      rmSync(jobDir, { recursive: true, force: true });
    }
  }

  #rootDir(): Promise<string> {
    const { workDir } = this.#options;
    this.#root ??= (async () => {
      if (workDir) await mkdir(workDir, { recursive: true });
      return realpath(await mkdtemp(join(workDir ?? tmpdir(), 'dropline-')));
    })();
    return this.#root;
  }

  #takeChild(root: string, maxMemoryMb: number): SandboxChild {
    for (let child = this.#idle.pop(); child; child = this.#idle.pop()) {
      if (child.isAlive) return child;
    }
    const entry = resolve(this.#options.entry);
    return new SandboxChild(entry, root, maxMemoryMb, this.#options.execArgv ?? []);
  }

  #giveBack(child: SandboxChild, maxMemoryMb: number): void {
    if (!child.isAlive) return;
    if (this.#isClosed || child.rssMb() > maxMemoryMb * recycleShare) child.kill('crashed');
    else this.#idle.push(child);
  }
}

/** Moves the child's results into the caller's directory and corrects the paths. */
async function moveOut(conversion: Conversion, from: string, to: string): Promise<void> {
  const move = async (path: string): Promise<string> => {
    const inside = relative(from, path);
    if (inside === '' || inside.startsWith('..')) {
      throw new Error('a conversion named a file outside its directory');
    }
    const target = join(to, inside);
    await mkdir(join(target, '..'), { recursive: true });
    await rename(path, target).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EXDEV') throw error;
      await copyFile(path, target);
    });
    return target;
  };
  if (conversion.outcome === 'file') conversion.path = await move(conversion.path);
  if (conversion.outcome === 'pass' && conversion.textLayer !== undefined) {
    conversion.textLayer = await move(conversion.textLayer);
  }
  for (const part of conversion.parts) part.path = await move(part.path);
}

function refusedOf(result: Result): string[] {
  return typeof result === 'string' ? [] : result.refused;
}

function endingError(
  ending: Exclude<Ending, 'unstarted'>,
  { limits, name }: ConvertInput,
): RejectDocument {
  const messages = {
    timeout: `The conversion took longer than ${limits.maxSeconds} s.`,
    out_of_memory: `The conversion used more memory than ${limits.maxMemoryMb} MiB.`,
    crashed: `The conversion process crashed twice on “${basename(name)}”.`,
  };
  return new RejectDocument({ code: `normalize.${ending}`, message: messages[ending] });
}

function errorOf({ kind, code, message, advice }: SentError): Error {
  const details = { code, message, ...(advice !== undefined && { advice }) };
  if (kind === 'RejectDocument') return new RejectDocument(details);
  if (kind === 'SkipDocument') return new SkipDocument(details);
  return Object.assign(new Error(message), { code });
}
