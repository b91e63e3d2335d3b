import { type ChildProcess, fork } from 'node:child_process';

export interface ChildServiceOptions {
  /** For messages. */
  name: string;
  /** Absolute path of the module to run. */
  module: string;
  /** Sent to the child as its first message; `port` is the one it had before, after a crash. */
  settings: (start: { port: number; crashed: boolean }) => unknown;
  port: number;
  env?: Record<string, string>;
  /** A line the child wrote to stderr, or what befell it. */
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
  /** To the question with this number. */
  id?: number;
  answer?: unknown;
}

const restartDelayMs = 300;

/**
 * Runs a server in a child process: it has its own event loop (and core), and a fault in it cannot
 * take the host down. It is started again on the same port when it dies, and ends by itself when
 * the host does, because its IPC channel closes.
 */
export async function startChildService(options: ChildServiceOptions): Promise<ChildService> {
  let closing = false;
  let questions = 0;
  /** Whether it ever got as far as serving: one that cannot start at all is not tried again. */
  let served = false;
  let port = options.port;
  let child: ChildProcess;

  const start = (crashed: boolean) =>
    new Promise<void>((resolve, reject) => {
      child = fork(options.module, [], {
        // Flags of the parent (an inspector, a test runner's loader) are not the child's.
        execArgv: [],
        env: options.env ?? {},
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        serialization: 'advanced',
        // Ctrl-C in the terminal is the host's to handle, which then ends this one in good order.
        detached: true,
      });
      const started = child;
      started.stderr?.setEncoding('utf8').on('data', (text: string) => {
        for (const line of text.split('\n')) if (line.trim() !== '') options.onLog(line);
      });
      started.on('message', (reply: Reply) => {
        if (reply.failed !== undefined) reject(new Error(`${options.name}: ${reply.failed}`));
        if (reply.ready === undefined) return;
        port = reply.ready;
        served = true;
        resolve();
      });
      started.once('exit', (code, signal) => {
        const cause = String(signal ?? `exit ${code}`);
        reject(new Error(`${options.name} ended early (${cause})`));
        if (closing || !served) return;
        options.onLog(`ended (${cause}); starting it again`);
        // Should this start fail too, its own exit leads to the next.
        setTimeout(() => {
          if (!closing) start(true).catch(() => {});
        }, restartDelayMs);
      });
      started.send({ settings: options.settings({ port, crashed }) });
    });

  await start(false);
  return {
    get port() {
      return port;
    },
    get pid() {
      return child.pid;
    },
    ask: (question) =>
      new Promise((resolve, reject) => {
        const asked = child;
        questions += 1;
        const id = questions;
        const onExit = () => reject(new Error(`${options.name} ended`));
        const onMessage = (reply: Reply) => {
          if (reply.id !== id) return;
          asked.off('message', onMessage);
          asked.off('exit', onExit);
          resolve(reply.answer);
        };
        asked.on('message', onMessage);
        asked.once('exit', onExit);
        asked.send({ question, id });
      }),
    close: () =>
      new Promise((resolve) => {
        closing = true;
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        const hard = setTimeout(() => child.kill('SIGKILL'), 3000);
        child.once('exit', () => {
          clearTimeout(hard);
          resolve();
        });
        child.disconnect();
      }),
  };
}
