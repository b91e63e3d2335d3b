import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import type { Job, JobAnswer } from '../../../shared/formats/sandbox/messages.ts';
import { takeRefusals } from '../../../shared/formats/sandbox/no-network.ts';

/**
 * A worker that does what a hostile document might make a converter do. The document says what, as
 * `command argument`; the message of the error says what happened.
 */

const commands: Record<string, (argument: string, job: Job) => unknown> = {
  read: (path) => readFileSync(path, 'utf8'),
  exists: (path) => existsSync(path),
  write: (path) => writeFileSync(path, 'x'),
  link: (path, job) => symlinkSync(path, join(job.input.outDir, 'link')),
  env: () => JSON.stringify(process.env),
  connect: (port) => net.connect(Number(port), '127.0.0.1'),
  fetch: (url) => fetch(url),
  spawn: async () => (await import('node:child_process')).execSync('id'),
  thread: async () => new (await import('node:worker_threads')).Worker('1', { eval: true }),
  outside: (_, job) => ({ outcome: 'file', path: join(dirname(job.input.outDir), 'document') }),
  loop: () => {
    for (;;);
  },
  hoard: () => {
    const held: Buffer[] = [];
    for (;;) held.push(Buffer.alloc(8 * 1024 * 1024, 1));
  },
  heap: () => {
    const held: object[] = [];
    for (;;) held.push({ some: `${held.length}` });
  },
  die: () => process.exit(3),
  say: (words) => words,
};

process.on('message', async (job: Job) => {
  const [command = '', ...rest] = readFileSync(job.input.path, 'utf8').trim().split(' ');
  let message: string;
  try {
    const result = await commands[command]?.(rest.join(' '), job);
    if (typeof result === 'object' && result !== null && 'outcome' in result) {
      const fidelity = { route: 'evil', warnings: [] };
      process.send?.({ id: job.id, refused: [], conversion: { ...result, fidelity, parts: [] } });
      return;
    }
    message = `succeeded: ${result}`;
  } catch (error) {
    message = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
  const answer: JobAnswer = {
    id: job.id,
    refused: takeRefusals(),
    error: { kind: 'RejectDocument', code: 'evil.done', message },
  };
  process.send?.(answer);
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
