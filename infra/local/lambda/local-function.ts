import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Environment, type FunctionSettings, type InvocationResult } from './environment.ts';
import { LogFile } from './log-file.ts';
import type { RuntimeApi } from './runtime-api.ts';

export interface LocalFunctionOptions {
  settings: FunctionSettings;
  api: RuntimeApi;
  /** Maximum of concurrent invocations. */
  concurrency: number;
  logPath: string;
  tmpDir: string;
  /** Called when an invocation fails as a whole. */
  onFailure: (name: string, result: InvocationResult & { ok: false }, logPath: string) => void;
}

const idleMs = 5 * 60_000;
const memoryCheckMs = 100;

/** A function with its execution environments: started when needed, reused, ended after a long idle time. */
export class LocalFunction {
  readonly settings: FunctionSettings;
  readonly concurrency: number;
  readonly #options: LocalFunctionOptions;
  readonly #log: LogFile;
  readonly #idle: { environment: Environment; timer: NodeJS.Timeout }[] = [];
  readonly #busy = new Set<Environment>();
  #made = 0;
  readonly #queue: (() => void)[] = [];
  #memoryTimer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: LocalFunctionOptions) {
    this.settings = options.settings;
    this.concurrency = options.concurrency;
    this.#options = options;
    this.#log = new LogFile(options.logPath);
    // Left behind by the processes of a host that was killed.
    rmSync(options.tmpDir, { recursive: true, force: true });
  }

  get running(): number {
    return this.#busy.size;
  }

  /** Runs the function on an event; waits when as many invocations are running as may. */
  async invoke(event: unknown): Promise<InvocationResult> {
    const text = JSON.stringify(event) ?? 'null';
    while (this.#busy.size >= this.concurrency) {
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    }
    if (this.#stopped) {
      const error = { errorType: 'Host.Stopped', errorMessage: 'The host is stopping' };
      return { ok: false, reason: 'crash', error };
    }
    const environment = this.#take();
    this.#busy.add(environment);
    this.#memoryTimer ??= setInterval(() => {
      for (const running of this.#busy) running.checkMemory();
    }, memoryCheckMs);
    const result = await environment.invoke(text);
    this.#busy.delete(environment);
    this.#queue.shift()?.();
    if (environment.alive && !this.#stopped) {
      const timer = setTimeout(() => this.#retire(environment), idleMs);
      timer.unref();
      this.#idle.push({ environment, timer });
    }
    if (this.#busy.size === 0) {
      clearInterval(this.#memoryTimer);
      this.#memoryTimer = undefined;
    }
    if (!result.ok && !this.#stopped) {
      this.#options.onFailure(this.settings.name, result, this.#log.path);
    }
    return result;
  }

  /** Kills all processes. New ones start when needed. */
  async kill(): Promise<void> {
    const environments = [...this.#busy];
    for (const { environment, timer } of this.#idle.splice(0)) {
      clearTimeout(timer);
      environments.push(environment);
    }
    await Promise.all(environments.map((environment) => environment.stop()));
  }

  /** Ends the function for good. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const wake of this.#queue.splice(0)) wake();
    await this.kill();
    clearInterval(this.#memoryTimer);
    await this.#log.close();
  }

  /** Takes the environment that was used last, so that the others can be retired. */
  #take(): Environment {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      clearTimeout(idle.timer);
      if (idle.environment.alive) return idle.environment;
    }
    const { settings, api, tmpDir } = this.#options;
    // A new name each time: an environment that just died may still be deleting its directory.
    this.#made += 1;
    return new Environment(settings, api, this.#log, join(tmpDir, String(this.#made)));
  }

  #retire(environment: Environment): void {
    const index = this.#idle.findIndex((idle) => idle.environment === environment);
    if (index >= 0) this.#idle.splice(index, 1);
    void environment.stop();
  }
}
