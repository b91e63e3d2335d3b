import { type ChildProcess, fork } from 'node:child_process';

export interface ChildServiceOptions {
  /** For messages. */
  name: string;
  /** Absolute path of the module to run. */
  module: string;
  /** Sent to the child as its first message. After a crash `port` is the one that it had before. */
  settings: (start: { port: number; crashed: boolean }) => unknown;
  port: number;
  env?: Record<string, string>;
  /** Called with each line that the child writes to stderr, and when it ends early. */
  onLog: (line: string) => void;
}

/** A server in a process of its own. */
export interface ChildService {
  readonly port: number;
  readonly pid: number | undefined;
  /** Asks the child something; resolves with its answer. */
  ask(question: string): Promise<unknown>;
  close(): Promise<void>;
}

interface Reply {
  ready?: number;
  failed?: string;
  /** Number of the question that `answer` belongs to. */
  id?: number;
  answer?: unknown;
}

const restartDelayMs = 300;
const killAfterMs = 3000;

/**
 * Runs a server in a child process: it has its own event loop (and core), and a fault in it cannot take the
 * host down. When it dies it is restarted on the same port. It ends with the host, because its IPC channel
 * closes.
 */
export async function startChildService(options: ChildServiceOptions): Promise<ChildService> {
  const service = new RestartingService(options);
  await service.start(false);
  return service;
}

class RestartingService implements ChildService {
  readonly #options: ChildServiceOptions;
  #child: ChildProcess | undefined;
  #port: number;
  #closing = false;
  /** Whether it was ever ready: a server that cannot start at all is not restarted. */
  #served = false;
  #questions = 0;

  constructor(options: ChildServiceOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when the child is ready to serve. */
  start(crashed: boolean): Promise<void> {
    const { name, settings, onLog } = this.#options;
    return new Promise((resolve, reject) => {
      const child = this.#fork();
      child.on('message', ({ ready, failed }: Reply) => {
        if (failed !== undefined) reject(new Error(`${name}: ${failed}`));
        if (ready === undefined) return;
        this.#port = ready;
        this.#served = true;
        resolve();
      });
      child.once('exit', (code, signal) => {
        const cause = String(signal ?? `exit ${code}`);
        reject(new Error(`${name} ended early (${cause})`));
        if (this.#closing || !this.#served) return;
        onLog(`ended (${cause}); restarting it`);
        // If this start fails too, the exit of that child leads to the next one.
        setTimeout(() => {
          if (!this.#closing) this.start(true).catch(() => {});
        }, restartDelayMs);
      });
      child.send({ settings: settings({ port: this.#port, crashed }) });
    });
  }

  ask(question: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const child = this.#child;
      this.#questions += 1;
      const id = this.#questions;
      const onExit = () => reject(new Error(`${this.#options.name} ended`));
      const onMessage = (reply: Reply) => {
        if (reply.id !== id) return;
        child?.off('message', onMessage);
        child?.off('exit', onExit);
        resolve(reply.answer);
      };
      child?.on('message', onMessage);
      child?.once('exit', onExit);
      child?.send({ question, id });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#closing = true;
      const child = this.#child;
      if (!child || child.exitCode !== null || child.signalCode !== null) return resolve();
      const killing = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
      child.once('exit', () => {
        clearTimeout(killing);
        resolve();
      });
      child.disconnect();
    });
  }

  #fork(): ChildProcess {
    const { module, env = {}, onLog } = this.#options;
    const child = fork(module, [], {
      // The parent's flags (an inspector, a test runner's loader) are not for the child.
      execArgv: [],
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
      // Ctrl-C in the terminal goes to the host alone, which then ends the child in good order.
      detached: true,
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n')) if (line.trim() !== '') onLog(line);
    });
    this.#child = child;
    return child;
  }
}
