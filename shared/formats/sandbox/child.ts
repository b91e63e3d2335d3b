import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import type { Job, JobAnswer } from './messages.ts';

/** Why a child did not answer. */
export type Ending = 'timeout' | 'out_of_memory' | 'crashed' | 'unstarted';

/** A child process that converts documents one at a time and can be killed at any moment. */
export class SandboxChild {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (result: JobAnswer | Ending) => void>();
  /** `unstarted` until the child says that it is ready. */
  #ending: Ending = 'unstarted';
  #stderr = '';
  /** Highest resident memory seen during the current job, in MiB. */
  peakRssMb = 0;
  isAlive = true;

  /**
   * @param entry absolute path of `worker.ts` or of its bundle
   * @param workDir the only directory the child may write to; it also holds the documents
   * @param heapMb V8's old space in MiB
   * @param execArgv further options of Node, for tests
   */
  constructor(entry: string, workDir: string, heapMb: number, execArgv: readonly string[]) {
    this.#process = fork(entry, [], {
      execArgv: [
        '--permission',
        // For sharp and other native modules, which the permission model cannot restrict.
        '--allow-addons',
        ...readable(entry).map((path) => `--allow-fs-read=${path}`),
        `--allow-fs-read=${join(workDir, '*')}`,
        `--allow-fs-write=${join(workDir, '*')}`,
        `--max-old-space-size=${heapMb}`,
        '--disable-warning=ExperimentalWarning',
        '--disable-warning=SecurityWarning',
        ...execArgv,
      ],
      // No credentials, no proxies, no NODE_OPTIONS.
      env: {},
      cwd: workDir,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process.on('message', (message: JobAnswer | 'ready') => {
      if (message !== 'ready') this.#answer(message.id, message);
      else if (this.#ending === 'unstarted') this.#ending = 'crashed';
    });
    this.#process.on('error', () => this.#end());
    // Not 'exit': stderr may not have been read to its end, where V8 says that it ran out of heap.
    this.#process.on('close', (_code, signal) => {
      const isOutOfHeap = signal === 'SIGABRT' || /heap out of memory/i.test(this.#stderr);
      if (this.#ending === 'crashed' && isOutOfHeap) this.#ending = 'out_of_memory';
      this.#end();
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4_096);
    });
    this.#setRef(false);
  }

  /** The end of what the child wrote to stderr. */
  get lastWords(): string {
    return this.#stderr.trim();
  }

  /**
   * @param maxSeconds wall-clock time after which the child is killed
   * @param maxMemoryMb resident memory in MiB above which it is killed
   */
  async run(job: Job, maxSeconds: number, maxMemoryMb: number): Promise<JobAnswer | Ending> {
    this.#setRef(true);
    this.peakRssMb = 0;
    this.#resetPeak();
    const timer = setTimeout(() => this.kill('timeout'), maxSeconds * 1000);
    const watch = setInterval(() => this.#watchMemory(maxMemoryMb), 50);
    try {
      return await new Promise<JobAnswer | Ending>((resolve) => {
        if (!this.isAlive) {
          resolve(this.#ending);
          return;
        }
        this.#waiting.set(job.id, resolve);
        this.#process.send(job, (error) => {
          if (error) this.kill('crashed');
        });
      });
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
      const memory = this.#memory();
      this.peakRssMb = Math.max(this.peakRssMb, memory?.peakMb ?? 0);
      this.#setRef(false);
    }
  }

  /** Current resident memory in MiB; 0 where the system does not report it. */
  rssMb(): number {
    return this.#memory()?.rssMb ?? 0;
  }

  kill(ending: Ending): void {
    this.#ending = ending;
    this.#process.kill('SIGKILL');
  }

  #answer(id: number, result: JobAnswer | Ending): void {
    this.#waiting.get(id)?.(result);
    this.#waiting.delete(id);
  }

  #end(): void {
    this.isAlive = false;
    for (const id of [...this.#waiting.keys()]) this.#answer(id, this.#ending);
  }

  #watchMemory(maxMemoryMb: number): void {
    const memory = this.#memory();
    if (!memory) return;
    this.peakRssMb = Math.max(this.peakRssMb, memory.rssMb);
    if (memory.rssMb > maxMemoryMb) this.kill('out_of_memory');
  }

  /**
   * Linux only; elsewhere only V8's own limit applies. The kernel answers from memory, so a read that waits costs a
   * fraction of one by way of a thread.
   */
  #memory(): { rssMb: number; peakMb: number } | undefined {
    try {
      const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
      const kb = (name: string): number =>
        Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
      return { rssMb: kb('VmRSS') / 1024, peakMb: kb('VmHWM') / 1024 };
    } catch {
      return undefined;
    }
  }

  /** Resets the kernel's high-water mark (proc(5), clear_refs: 5), where that is allowed. */
  #resetPeak(): void {
    try {
      writeFileSync(`/proc/${this.#process.pid}/clear_refs`, '5');
    } catch {
      // The peak is then that of the child's whole life.
    }
  }

  /** An idle child does not keep its parent running. */
  #setRef(isBusy: boolean): void {
    const stderr = this.#process.stderr as { ref?: () => void; unref?: () => void } | null;
    if (isBusy) {
      this.#process.ref();
      this.#process.channel?.ref();
      stderr?.ref?.();
    } else {
      this.#process.unref();
      this.#process.channel?.unref();
      stderr?.unref?.();
    }
  }
}

/**
 * What the child may read: the folder of its code (all of `shared/` when run from source), and
 * `node_modules` and `package.json` of that folder and those above it.
 */
function readable(entry: string): string[] {
  const code = dirname(entry);
  const paths = [join(code, '*')];
  if (entry.endsWith('.ts')) paths.push(join(dirname(code), '*'));
  for (let dir = code; ; dir = dirname(dir)) {
    const modules = join(dir, 'node_modules');
    if (existsSync(modules)) paths.push(join(modules, '*'));
    paths.push(join(dir, 'package.json'));
    if (dir === dirname(dir) || dir === sep) return paths;
  }
}
