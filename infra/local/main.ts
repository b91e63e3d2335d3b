import { run } from './cli/run.ts';

// All state is for this user only: documents, records and logs. Child processes inherit it.
process.umask(0o077);

const stop = new AbortController();
let signals = 0;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    signals += 1;
    // On the second signal, exit at once: messages in flight are delivered again anyway.
    if (signals > 1) process.exit(130);
    stop.abort();
  });
}
// A reader such as `head` may close the pipe early; that is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  stop.abort();
});

const columns = process.stdout.columns ?? 100;
process.exitCode = await run(process.argv.slice(2), process.env.ANTHROPIC_API_KEY, {
  stdout: process.stdout,
  progress: {
    write: (text) => process.stderr.write(text),
    isTTY: process.stderr.isTTY ?? false,
    columns: process.stderr.columns ?? 80,
  },
  style: { columns, colour: (process.stdout.isTTY ?? false) && !process.env.NO_COLOR },
  signal: stop.signal,
  path: process.env.PATH,
});
