import { join } from 'node:path';
import { Environment, type FunctionSettings, type InvocationResult } from './environment.ts';
import { LogFile } from './log-file.ts';
import type { RuntimeApi } from './runtime-api.ts';

export interface LocalFunctionOptions {
  settings: FunctionSettings;
  api: RuntimeApi;
  /** Invocations at once. */
  concurrency: number;
  logPath: string;
  tmpDir: string;
  /** Told when an invocation fails as a whole. */
  onFailure: (name: string, result: InvocationResult & { ok: false }, logPath: string) => void;
}

const idleMs = 5 * 60_000;
const memoryCheckMs = 100;

/** A function with its execution environments: made when needed, used again, ended when idle long. */
export class LocalFunction {
  readonly settings: FunctionSettings;
  readonly concurrency: number;
  readonly #options: LocalFunctionOptions;
  readonly #log: LogFile;
  readonly #idle: { environment: Environment; slot: number; timer: NodeJS.Timeout }[] = [];
  readonly #busy = new Map<number, Environment>();
  readonly #queue: (() => void)[] = [];
  #memoryTimer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: LocalFunctionOptions) {
    this.settings = options.settings;
    this.concurrency = options.concurrency;
    this.#options = options;
    this.#log = new LogFile(options.logPath);
  }

  get running(): number {
    return this.#busy.size;
  }

  /** Runs the function on an event, waiting for its turn when all environments are busy. */
  async invoke(event: unknown): Promise<InvocationResult> {
    const text = JSON.stringify(event) ?? 'null';
    while (this.#busy.size >= this.concurrency) {
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    }
    if (this.#stopped) {
      const error = { errorType: 'Host.Stopped', errorMessage: 'The host is stopping' };
      return { ok: false, reason: 'crash', error };
    }
    const { environment, slot } = this.#take();
    this.#busy.set(slot, environment);
    this.#memoryTimer ??= setInterval(() => {
      for (const running of this.#busy.values()) running.checkMemory();
    }, memoryCheckMs);
    const result = await environment.invoke(text);
    this.#busy.delete(slot);
    if (environment.alive && !this.#stopped) {
      const timer = setTimeout(() => this.#retire(environment), idleMs);
      timer.unref();
      this.#idle.push({ environment, slot, timer });
    }
    if (this.#busy.size === 0) {
      clearInterval(this.#memoryTimer);
      this.#memoryTimer = undefined;
    }
    this.#queue.shift()?.();
    if (!result.ok && !this.#stopped) {
      this.#options.onFailure(this.settings.name, result, this.#log.path);
    }
    return result;
  }

  /** Ends all processes at once, whatever they do. They are made anew when needed. */
  async kill(): Promise<void> {
    const environments = [...this.#busy.values()];
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

  /** The environment that was used last is taken first, so that the others can be let go. */
  #take(): { environment: Environment; slot: number } {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      clearTimeout(idle.timer);
      if (idle.environment.alive) return idle;
    }
    let slot = 0;
    while (this.#busy.has(slot)) slot += 1;
    const { settings, api, tmpDir } = this.#options;
    const environment = new Environment(settings, api, this.#log, join(tmpDir, String(slot)));
    return { environment, slot };
  }

  #retire(environment: Environment): void {
    const index = this.#idle.findIndex((idle) => idle.environment === environment);
    if (index >= 0) this.#idle.splice(index, 1);
    void environment.stop();
  }
}
