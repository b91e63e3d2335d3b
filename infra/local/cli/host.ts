import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { environment as names } from '../../../functions/settings.ts';
import { type ChildService, startChildService } from '../child-service.ts';
import type { ClaudeProcessSettings } from '../claude/process.ts';
import type { ObjectChange } from '../s3/events.ts';
import { type LocalStack, start } from '../stack.ts';
import { synthesize } from '../synthesize.ts';
import type { Settings } from './arguments.ts';
import { Records } from './records.ts';

/** Everything a command works with. */
export interface Host {
  stack: LocalStack;
  inbox: string;
  table: string;
  claudeUrl: string;
  s3: S3Client;
  records: Records;
  /** Sequencer of the newest change of each key of the inbox since the start. */
  changes: Map<string, string>;
  stop(): Promise<void>;
}

const defaultPort = 4566;
const liveUrl = 'https://api.anthropic.com';

/** Starts the stack, and Claude's emulator where it is wanted. */
export async function startHost(
  settings: Settings,
  options: { say: (line: string) => void; path: string | undefined },
): Promise<Host> {
  const dataDir = resolve(settings.dataDir);
  const assembly = await synthesize(() => options.say('Building the functions …'));
  const port = settings.port ?? defaultPort;
  const { claude, dialect } = settings;
  const changes = new Map<string, string>();
  let inbox = '';

  let emulator: ChildService | undefined;
  let claudeUrl = claude.kind === 'url' ? claude.url : liveUrl;
  const startEmulator = async () => {
    emulator = await startChildService({
      name: 'claude',
      module: fileURLToPath(new URL('../claude/process.ts', import.meta.url)),
      port: port === 0 ? 0 : port + 2,
      onLog: (line) => options.say(`claude emulator: ${line}`),
      settings: (now): ClaudeProcessSettings => ({
        port: now.port,
        portIsFixed: now.crashed,
        dialect,
        dataDir: join(dataDir, 'claude'),
        filesPerMinute: settings.filesPerMinute ?? Number.POSITIVE_INFINITY,
      }),
    });
    claudeUrl = `http://127.0.0.1:${emulator.port}`;
  };
  const usualPace = dialect === 'beta' ? 100 : 500;
  const pace = settings.filesPerMinute ?? (claude.kind === 'emulator' ? unlimitedPace : usualPace);

  try {
    const stack = await start({
      dataDir,
      assembly,
      port,
      dynamodbPort: port === 0 ? 0 : port + 1,
      redeliverAfter: redeliverAfterSeconds,
      ...(settings.concurrency === undefined ? {} : { concurrency: settings.concurrency }),
      ...(options.path === undefined ? {} : { path: options.path }),
      environment: async () => {
        if (claude.kind === 'emulator') await startEmulator();
        return {
          // Everybody's local bucket has the same name, and `--live` may be somebody else's workspace too.
          [names.deployment]: `${hostname()}:${dataDir}`,
          [names.claudeBaseUrl]: claudeUrl,
          [names.claudeDialect]: dialect,
          [names.filesPerMinute]: String(pace),
          ...(settings.model === undefined ? {} : { [names.model]: settings.model }),
          ...(settings.limits === undefined
            ? {}
            : { [names.limits]: JSON.stringify(settings.limits) }),
        };
      },
      // A real key leaves this machine with --live alone.
      secret: () => (claude.kind === 'live' ? claude.apiKey : 'local-emulator-key'),
      onLog: options.say,
      onChange: ({ bucket, key, sequencer }: ObjectChange) => {
        if (bucket === inbox) changes.set(key, sequencer);
      },
    });
    inbox = output(stack, 'InboxBucket');
    const table = output(stack, 'LedgerTable');
    const s3 = new S3Client(stack.client('s3'));
    const dynamodb = new DynamoDBClient(stack.client('dynamodb'));
    return {
      stack,
      inbox,
      table,
      claudeUrl,
      s3,
      records: new Records(dynamodb, table),
      changes,
      stop: async () => {
        s3.destroy();
        dynamodb.destroy();
        await stack.stop();
        await emulator?.close();
      },
    };
  } catch (error) {
    await emulator?.close();
    throw error;
  }
}

/** Far above what one machine does, and still a number that a pace can be counted in. */
const unlimitedPace = 600_000;
/** The host knows when a process has ended; nobody here wants to wait for an hour to be sure. */
const redeliverAfterSeconds = 5;

function output(stack: LocalStack, name: string): string {
  const value = stack.outputs[name];
  if (value === undefined) throw new Error(`The stack has no output ${name}`);
  return value;
}
