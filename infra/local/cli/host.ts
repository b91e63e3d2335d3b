import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { environment as names } from '../../../functions/settings.ts';
import { configName } from '../../../shared/config/file.ts';
import { defaultFilesPerMinute } from '../../settings.ts';
import { type ChildService, startChildService } from '../child-service.ts';
import type { ClaudeProcessSettings } from '../claude/process.ts';
import type { BucketChange } from '../s3/events.ts';
import { type LocalStack, start } from '../stack.ts';
import { type HostFacts, readHostFacts, writeHostFacts } from '../state/host-facts.ts';
import { synthesize } from '../synthesize.ts';
import type { HostSettings } from './arguments.ts';
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
/** File operations a minute: far more than one machine does, and still a number to pace by. */
const unlimitedPace = 600_000;
/** The host knows when a process has ended, so a failed invocation need not wait for its visibility timeout. */
const redeliverAfterSeconds = 5;

/** Starts the stack, and the Claude emulator unless another Claude is chosen. */
export async function startHost(
  settings: HostSettings,
  { say, path }: { say: (line: string) => void; path: string | undefined },
): Promise<Host> {
  const dataDir = resolve(settings.dataDir);
  for (const warning of settings.config.warnings) say(`Warning: ${warning}.`);
  const assembly = await synthesize(() => say('Building the functions …'));
  const port = settings.port ?? defaultPort;
  const { claude, concurrency } = settings;
  const changes = new Map<string, string>();
  let inbox = '';
  let emulator: ChildService | undefined;
  let claudeUrl = claude.kind === 'url' ? claude.url : liveUrl;
  try {
    const stack = await start({
      dataDir,
      assembly,
      port,
      dynamodbPort: port === 0 ? 0 : port + 1,
      redeliverAfter: redeliverAfterSeconds,
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(path === undefined ? {} : { path }),
      environment: async () => {
        forgetAddresses(dataDir);
        if (claude.kind === 'emulator') {
          emulator = await startEmulator(settings, dataDir, port, say);
          claudeUrl = `http://127.0.0.1:${emulator.port}`;
        }
        return variablesOf(settings, dataDir, claudeUrl);
      },
      // Only with --live does a real key leave this machine.
      secret: () => (claude.kind === 'live' ? claude.apiKey : 'local-emulator-key'),
      onLog: say,
      onChange: ({ bucket, key, sequencer }: BucketChange) => {
        if (bucket === inbox) changes.set(key, sequencer);
      },
    });
    inbox = output(stack, 'InboxBucket');
    const table = output(stack, 'LedgerTable');
    const s3 = new S3Client(stack.client('s3'));
    const dynamodb = new DynamoDBClient(stack.client('dynamodb'));
    const records = new Records(dynamodb, table);
    const facts = factsOf(settings, table);
    writeHostFacts(dataDir, {
      ...facts,
      running: { dynamodb: stack.endpoints.dynamodb, claude: claudeUrl },
    });
    const stop = async () => {
      // Before the lock is released: the next host may write its own.
      writeHostFacts(dataDir, facts);
      s3.destroy();
      dynamodb.destroy();
      await stack.stop();
      await emulator?.close();
    };
    return { stack, inbox, table, claudeUrl, s3, records, changes, stop };
  } catch (error) {
    await emulator?.close();
    throw error;
  }
}

/** A host that was killed left its addresses. */
function forgetAddresses(dataDir: string): void {
  const { running, ...facts } = readHostFacts(dataDir) ?? {};
  if (running) writeHostFacts(dataDir, facts as HostFacts);
}

function factsOf({ claude, dialect, config }: HostSettings, table: string): HostFacts {
  return {
    // Never the key.
    claude: claude.kind === 'live' ? { kind: 'live' } : claude,
    dialect,
    model: config.model,
    hasConfig: config.json !== undefined,
    table,
  };
}

/** The emulator listens two ports above the AWS services; DynamoDB is between them. */
export function startEmulator(
  {
    dialect,
    filesPerMinute = Number.POSITIVE_INFINITY,
  }: Pick<HostSettings, 'dialect' | 'filesPerMinute'>,
  dataDir: string,
  port: number,
  say: (line: string) => void,
): Promise<ChildService> {
  return startChildService({
    name: 'claude',
    module: fileURLToPath(new URL('../claude/process.ts', import.meta.url)),
    port: port === 0 ? 0 : port + 2,
    onLog: (line) => say(`claude emulator: ${line}`),
    settings: (start): ClaudeProcessSettings => ({
      port: start.port,
      portIsFixed: start.crashed,
      dialect,
      dataDir: join(dataDir, 'claude'),
      filesPerMinute,
    }),
  });
}

/** The variables of the functions that the command line decides. */
function variablesOf(
  { claude, dialect, filesPerMinute, config }: HostSettings,
  dataDir: string,
  claudeUrl: string,
): Record<string, string> {
  const defaultPace = claude.kind === 'emulator' ? unlimitedPace : defaultFilesPerMinute[dialect];
  return {
    // The local bucket has the same name on every machine, and with --live several may share a workspace.
    [names.deployment]: `${hostname()}:${dataDir}`,
    [names.claudeBaseUrl]: claudeUrl,
    [names.claudeDialect]: dialect,
    [names.filesPerMinute]: String(filesPerMinute ?? defaultPace),
    // The stand-in ends a batch in two seconds; people wait for it.
    [names.batchSeconds]: claude.kind === 'emulator' ? '5' : '60',
    [names.model]: config.model,
    [names.config]: configCopy(config, dataDir),
    [names.limits]: JSON.stringify(config.limits),
  };
}

/**
 * A copy of the configuration as it was at the start, for the functions: what is changed in the file later has no effect
 * before the next start.
 * @returns its path; empty without a configuration
 */
function configCopy({ json }: HostSettings['config'], dataDir: string): string {
  if (json === undefined) return '';
  const path = join(dataDir, configName);
  writeFileSync(path, json);
  return path;
}

function output(stack: LocalStack, name: string): string {
  const value = stack.outputs[name];
  if (value === undefined) throw new Error(`The stack has no output ${name}`);
  return value;
}
