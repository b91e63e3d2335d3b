import { parseArgs } from 'node:util';
import { ZodError } from 'zod';
import type { Fault } from './faults.ts';
import { type EmulatorOptions, toSettings } from './options.ts';

/** `npm run emulator -- …`: the emulator on its own. Prints its URL and runs until SIGINT or SIGTERM. */

const help = `Usage: npm run emulator -- [options]

An emulator of the Claude API. Prints its URL on stdout; stop it with Ctrl-C.

  --port N                     port, 0 for a free one (default 0)
  --host ADDRESS               address to listen on (default 127.0.0.1)
  --dialect ga|beta            the Files API since 2026-08-20, or before it (default ga)
  --data DIR                   folder for files and batches (default: a temporary folder)
  --files-per-minute N         limit on file operations, 0 for no limit (default 500, beta 100)
  --files-burst N              file operations in a burst (default 10)
  --messages-per-minute N      limit on Messages, 0 for no limit (default 4000)
  --input-tokens-per-minute N  0 for no limit (default 4000000)
  --output-tokens-per-minute N 0 for no limit (default 800000)
  --latency-ms N               delay of every reply (default 0)
  --batch-delay-ms N           time from a batch's creation to its end (default 2000)
  --storage-bytes N            storage quota (default 1 TB, beta 500 GB)
  --fault JSON                 a fault from the start, such as '{"kind":"credit_balance","count":"all"}';
                               can be repeated; the kinds are in infra/local/claude/faults.ts
  --api-key KEY                accepts only this key; can be repeated (default: any key)
  --help                       this text

Controls: GET URL/_emulator lists them (journal, faults, files, batches).
`;

const options = {
  port: { type: 'string' },
  host: { type: 'string' },
  dialect: { type: 'string' },
  data: { type: 'string' },
  'files-per-minute': { type: 'string' },
  'files-burst': { type: 'string' },
  'messages-per-minute': { type: 'string' },
  'input-tokens-per-minute': { type: 'string' },
  'output-tokens-per-minute': { type: 'string' },
  'latency-ms': { type: 'string' },
  'batch-delay-ms': { type: 'string' },
  'storage-bytes': { type: 'string' },
  'api-key': { type: 'string', multiple: true },
  fault: { type: 'string', multiple: true },
  help: { type: 'boolean' },
} as const;

class UsageError extends Error {}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+(\.\d+)?$/.test(text))
    throw new UsageError(`--${name} must be a number, not "${text}"`);
  return Number(text);
}

/** On the command line 0 means no limit: nobody types Infinity. */
function rateOf(name: string, text: string | undefined): number | undefined {
  const rate = numberOf(name, text);
  return rate === 0 ? Infinity : rate;
}

function faultOf(text: string): Fault {
  try {
    return JSON.parse(text) as Fault;
  } catch {
    throw new UsageError(`--fault must be JSON, not "${text}"`);
  }
}

function read(args: string[]): EmulatorOptions | 'help' {
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    ({ values } = parseArgs({ args, options }));
  } catch (error) {
    throw new UsageError(String(error instanceof Error ? error.message : error).split('\n')[0]);
  }
  if (values.help) return 'help';
  const { dialect } = values;
  if (dialect !== undefined && dialect !== 'ga' && dialect !== 'beta') {
    throw new UsageError(`--dialect must be ga or beta, not "${dialect}"`);
  }
  return {
    port: numberOf('port', values.port),
    host: values.host,
    dialect,
    dataDir: values.data,
    filesPerMinute: rateOf('files-per-minute', values['files-per-minute']),
    filesBurst: numberOf('files-burst', values['files-burst']),
    messagesPerMinute: rateOf('messages-per-minute', values['messages-per-minute']),
    inputTokensPerMinute: rateOf('input-tokens-per-minute', values['input-tokens-per-minute']),
    outputTokensPerMinute: rateOf('output-tokens-per-minute', values['output-tokens-per-minute']),
    latencyMs: numberOf('latency-ms', values['latency-ms']),
    batchDelayMs: numberOf('batch-delay-ms', values['batch-delay-ms']),
    storageBytes: numberOf('storage-bytes', values['storage-bytes']),
    apiKeys: values['api-key'],
    faults: values.fault?.map(faultOf),
  };
}

async function main(): Promise<void> {
  // What is kept is for this user only.
  process.umask(0o077);
  const parent = process.ppid;
  const given = read(process.argv.slice(2));
  if (given === 'help') {
    process.stdout.write(help);
    return;
  }
  toSettings(given);
  // Imported late, so that a usage error does not wait for the image and PDF libraries.
  const { startEmulator } = await import('./index.ts');
  const emulator = await startEmulator(given);
  process.stdout.write(`${emulator.url}\n`);

  const end = () => {
    emulator.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(`emulator: ${String(error)}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  // npm sends SIGTERM only to its shell, which dies and leaves this process running.
  if (process.env.npm_lifecycle_event !== undefined) {
    setInterval(() => {
      if (process.ppid !== parent) end();
    }, 250).unref();
  }
}

main().catch((error: unknown) => {
  if (error instanceof UsageError || error instanceof ZodError) {
    const reason =
      error instanceof ZodError
        ? error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
        : error.message;
    console.error(`emulator: ${reason} (see --help)`);
    process.exit(2);
  }
  console.error(`emulator: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
