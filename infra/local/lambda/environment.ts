import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { LogFile } from './log-file.ts';
import { residentBytes } from './memory.ts';
import type { FunctionError, RuntimeApi } from './runtime-api.ts';

/** A function of the template, everything resolved. */
export interface FunctionSettings {
  name: string;
  arn: string;
  /** Absolute path of the unpacked bundle. */
  taskRoot: string;
  /** `<file>.<export>`. */
  handler: string;
  timeoutMs: number;
  memoryMb: number;
  /** The environment of the process, except what differs between execution environments. */
  env: Record<string, string>;
}

export type InvocationResult =
  | { ok: true; payload: string }
  | { ok: false; reason: 'error' | 'timeout' | 'memory' | 'crash'; error: FunctionError };

interface Pending {
  requestId: string;
  event: string;
  settle: (result: InvocationResult) => void;
  timer?: NodeJS.Timeout;
  startedAt?: number;
}

/** On Lambda, init does not count towards the function's timeout; it has one of its own. */
const initTimeoutMs = 30_000;
const bootstrap = fileURLToPath(new URL('bootstrap.ts', import.meta.url));

/** One process of a function. It handles one event at a time and is reused while it lives. */
export class Environment {
  readonly #settings: FunctionSettings;
  readonly #api: RuntimeApi;
  readonly #log: LogFile;
  readonly #id = randomUUID();
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #waiting: ServerResponse | undefined;
  #pending: Pending | undefined;
  #initTimer: NodeJS.Timeout | undefined;
  #initError: FunctionError | undefined;
  #death: { reason: 'timeout' | 'memory'; message: string } | undefined;
  #alive = true;

  /** @param tmpDir created for the process, deleted with it */
  constructor(settings: FunctionSettings, api: RuntimeApi, log: LogFile, tmpDir: string) {
    this.#settings = settings;
    this.#api = api;
    this.#log = log;
    mkdirSync(tmpDir, { recursive: true });
    const address = api.register(this.#id, {
      onNext: (response) => this.#onNext(response),
      onResponse: (id, payload) => this.#onOutcome(id, { ok: true, payload }),
      onError: (id, error) => this.#onOutcome(id, { ok: false, reason: 'error', error }),
      onInitError: (error) => {
        this.#initError = error;
      },
    });
    this.#child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        `--max-old-space-size=${settings.memoryMb}`,
        bootstrap,
      ],
      {
        cwd: settings.taskRoot,
        env: {
          ...settings.env,
          AWS_LAMBDA_RUNTIME_API: address,
          AWS_LAMBDA_LOG_STREAM_NAME: `local/[$LATEST]${this.#id.replaceAll('-', '')}`,
          TMPDIR: tmpDir,
        },
        stdio: ['pipe', 'pipe', 'pipe'],
        // A process group of its own: what it starts (a browser) is killed with it.
        detached: true,
      },
    );
    this.#child.stdin?.on('error', () => {});
    this.#child.stdout?.on('data', (chunk: Buffer) => log.write(chunk));
    this.#child.stderr?.on('data', (chunk: Buffer) => log.write(chunk));
    this.#exited = new Promise((resolve) => {
      const onExit = (cause: string) => {
        if (!this.#alive) return;
        this.#onExit(cause);
        rmSync(tmpDir, { recursive: true, force: true, maxRetries: 3 });
        resolve();
      };
      this.#child.once('error', (error) => onExit(error.message));
      this.#child.once('exit', (code, signal) => onExit(String(signal ?? `exit ${code}`)));
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Runs the function on an event. Must not be called while another is running. */
  invoke(event: string): Promise<InvocationResult> {
    return new Promise((settle) => {
      this.#pending = { requestId: randomUUID(), event, settle };
      if (!this.#alive) return this.#settle(this.#crash('Runtime exited before the invocation'));
      if (this.#waiting) return this.#deliver();
      this.#initTimer = setTimeout(
        () => this.#kill('timeout', `Init timed out after ${initTimeoutMs / 1000} seconds`),
        initTimeoutMs,
      );
    });
  }

  /** Kills the process if it uses more memory than the function may. */
  checkMemory(): void {
    const { memoryMb } = this.#settings;
    const pid = this.#child.pid;
    if (!this.#pending || pid === undefined || !this.#alive) return;
    const bytes = residentBytes(pid);
    if (bytes !== undefined && bytes > memoryMb * 1024 * 1024) {
      this.#kill('memory', `Memory used ${Math.ceil(bytes / 1024 / 1024)} MB of ${memoryMb} MB`);
    }
  }

  /** Kills the process and everything it started. */
  async stop(): Promise<void> {
    this.#signal();
    await this.#exited;
  }

  #onNext(response: ServerResponse): void {
    this.#waiting = response;
    response.once('close', () => {
      if (this.#waiting === response) this.#waiting = undefined;
    });
    if (this.#pending) this.#deliver();
  }

  #deliver(): void {
    const pending = this.#pending;
    const response = this.#waiting;
    if (!pending || !response) return;
    clearTimeout(this.#initTimer);
    this.#waiting = undefined;
    const { timeoutMs } = this.#settings;
    pending.startedAt = Date.now();
    pending.timer = setTimeout(
      () => this.#kill('timeout', `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`),
      timeoutMs,
    );
    this.#log.write(`START RequestId: ${pending.requestId}\n`);
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(pending.event),
      'lambda-runtime-aws-request-id': pending.requestId,
      'lambda-runtime-deadline-ms': pending.startedAt + timeoutMs,
      'lambda-runtime-invoked-function-arn': this.#settings.arn,
      'lambda-runtime-trace-id': `Root=1-${Math.floor(pending.startedAt / 1000).toString(16)}-${this.#id.replaceAll('-', '').slice(0, 24)};Sampled=0`,
    });
    response.end(pending.event);
  }

  #onOutcome(requestId: string, result: InvocationResult): void {
    if (this.#pending?.requestId === requestId) this.#settle(result);
  }

  #onExit(cause: string): void {
    this.#alive = false;
    this.#api.unregister(this.#id);
    this.#waiting?.destroy();
    if (!this.#pending) return;
    if (this.#death) {
      const { reason, message } = this.#death;
      const errorType = reason === 'memory' ? 'Runtime.OutOfMemory' : 'Sandbox.Timedout';
      this.#settle({ ok: false, reason, error: { errorType, errorMessage: message } });
      return;
    }
    this.#settle(
      this.#initError
        ? { ok: false, reason: 'error', error: this.#initError }
        : this.#crash(`Runtime exited: ${cause}`),
    );
  }

  #crash(errorMessage: string): InvocationResult {
    return { ok: false, reason: 'crash', error: { errorType: 'Runtime.ExitError', errorMessage } };
  }

  #settle(result: InvocationResult): void {
    const pending = this.#pending;
    if (!pending) return;
    this.#pending = undefined;
    clearTimeout(this.#initTimer);
    clearTimeout(pending.timer);
    const ms = Date.now() - (pending.startedAt ?? Date.now());
    const end = result.ok ? '' : ` ${result.error.errorType}: ${result.error.errorMessage}`;
    this.#log.write(`END RequestId: ${pending.requestId} Duration: ${ms} ms${end}\n`);
    pending.settle(result);
  }

  #kill(reason: 'timeout' | 'memory', message: string): void {
    this.#death = { reason, message };
    this.#signal();
  }

  #signal(): void {
    const pid = this.#child.pid;
    if (pid === undefined || !this.#alive) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      this.#child.kill('SIGKILL');
    }
  }
}
