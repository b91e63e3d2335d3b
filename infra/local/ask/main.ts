import { createInterface } from 'node:readline/promises';
import { runAsk } from './run.ts';

process.umask(0o077);

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // On the second signal, exit at once.
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  });
}
// A reader such as `head` may close the pipe early; that is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

async function confirm(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and the end of the input are a no.
  lines.once('SIGINT', () => stop.abort());
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([
      lines.question(question, { signal: stop.signal }).catch(() => ''),
      ended,
    ]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}

process.exitCode = await runAsk(process.argv.slice(2), process.env.ANTHROPIC_API_KEY, {
  stdout: process.stdout,
  stderr: process.stderr,
  confirm: process.stdin.isTTY ? confirm : undefined,
  signal: stop.signal,
  now: Date.now,
});
