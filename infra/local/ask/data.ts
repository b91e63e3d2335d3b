import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type Config, readConfig } from '../../../shared/config/config.ts';
import { WrongConfig } from '../../../shared/config/faults.ts';
import { configName, readConfigFile } from '../../../shared/config/file.ts';
import type { DocumentRecord } from '../../../shared/journey/record.ts';
import type { ClaudeChoice } from '../cli/arguments.ts';
import { startEmulator } from '../cli/host.ts';
import { Records } from '../cli/records.ts';
import { UsageError } from '../cli/usage.ts';
import { localCredentials, localRegion } from '../credentials.ts';
import { startDynamo } from '../dynamodb/start.ts';
import { Closers } from '../stack/closers.ts';
import { DataDirUnavailable } from '../state/database.ts';
import { holdState } from '../state/hold.ts';
import { type HostFacts, readHostFacts } from '../state/host-facts.ts';
import type { AskCommand } from './arguments.ts';
import { Trouble } from './trouble.ts';

/** What a question needs of a data directory. */
export interface AskData {
  records: AsyncIterable<DocumentRecord>;
  config: Pick<Config, 'model' | 'prices'>;
  claude: { url: string; apiKey: string; dialect: 'ga' | 'beta'; isStandIn: boolean };
  close(): Promise<void>;
}

const liveUrl = 'https://api.anthropic.com';

type Settings = Pick<AskCommand, 'dataDir' | 'claude' | 'configPath'>;

/**
 * Opens the documents of a data directory: through the host that runs on it, or by starting what is needed of it.
 * @throws {DataDirUnavailable} when another command has it, or it cannot be read
 * @throws {UsageError} when the flags do not fit what is in it
 * @throws {Trouble} when there is nothing in it
 */
export async function openData(settings: Settings, say: (line: string) => void): Promise<AskData> {
  const dir = resolve(settings.dataDir);
  const hold = holdState(dir);
  const closers = new Closers();
  try {
    if (hold.by === 'nobody') throw nothingIn(settings.dataDir);
    if (hold.by === 'us') closers.add(async () => hold.release());
    const facts = factsIn(dir, hold.by === 'another');
    const config = configOf(settings, dir, facts);
    const choice = chosen(settings.claude, facts);
    const running = hold.by === 'another' ? facts.running : undefined;
    const dynamodb = running?.dynamodb ?? (await ownDynamo(dir, closers, say));
    const claude = await claudeAt(choice, facts, { dir, running: running?.claude, closers, say });
    const client = new DynamoDBClient({
      endpoint: dynamodb,
      region: localRegion,
      credentials: localCredentials,
    });
    closers.add(async () => client.destroy());
    const records = recordsOf(new Records(client, facts.table), settings.dataDir);
    return { records, config, claude, close: () => closers.closeAll() };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

function nothingIn(dataDir: string): Trouble {
  return new Trouble(
    'question.no_documents',
    `there are no documents in ${dataDir}`,
    'Drop some first (npm start -- --once PATH...), or name another --data.',
  );
}

function factsIn(dir: string, isInUse: boolean): HostFacts {
  const facts = readHostFacts(dir);
  if (isInUse && !facts?.running) {
    throw new DataDirUnavailable(
      `${dir} is in use by a host that is just starting or ending, or by another question; try again`,
    );
  }
  if (facts) return facts;
  throw new DataDirUnavailable(
    `${dir} was written by an earlier Dropline; run npm start on it once, and ask again`,
  );
}

/** The configuration that a flag names, or that the last host had. */
function configOf({ configPath }: Settings, dir: string, facts: HostFacts): AskData['config'] {
  if (configPath !== undefined) {
    try {
      return readConfigFile(configPath);
    } catch (error) {
      throw error instanceof WrongConfig ? new UsageError(error.message) : error;
    }
  }
  const { prices } = readConfig(
    facts.hasConfig ? readFileSync(join(dir, configName), 'utf8') : undefined,
    { dialect: facts.dialect },
  );
  return { model: facts.model, prices };
}

/** The Claude to ask: that of the documents' files, which no other has. A real key is used only by a flag. */
function chosen(given: ClaudeChoice | undefined, { claude }: HostFacts): ClaudeChoice {
  if (given?.kind === 'live' && claude.kind !== 'live') {
    throw new UsageError(
      'the files of these documents are at the stand-in for Claude, so --live cannot find them',
    );
  }
  if (given) return given;
  if (claude.kind !== 'live') return claude;
  throw new UsageError(
    'the files of these documents are at the real Claude API: use --live, which costs money',
  );
}

interface Place {
  dir: string;
  /** Address of the Claude that the running host uses. */
  running: string | undefined;
  closers: Closers;
  say: (line: string) => void;
}

async function claudeAt(
  choice: ClaudeChoice,
  { dialect }: HostFacts,
  { dir, running, closers, say }: Place,
): Promise<AskData['claude']> {
  if (choice.kind === 'live') {
    return { url: liveUrl, apiKey: choice.apiKey, dialect, isStandIn: false };
  }
  const standIn = { apiKey: 'local-emulator-key', dialect, isStandIn: true };
  if (choice.kind === 'url') return { url: choice.url, ...standIn };
  if (running !== undefined) return { url: running, ...standIn };
  const emulator = await startEmulator({ dialect, filesPerMinute: undefined }, dir, 0, say);
  closers.add(() => emulator.close());
  return { url: `http://127.0.0.1:${emulator.port}`, ...standIn };
}

async function ownDynamo(
  dataDir: string,
  closers: Closers,
  say: (line: string) => void,
): Promise<string> {
  // It reads items only: indexes that a kill left wrong are the next host's to rebuild.
  const own = { dataDir, region: localRegion, port: 0, unclean: false, tables: [] };
  const dynamo = await startDynamo({ ...own, onLog: (line) => say(`dynamodb: ${line}`) });
  closers.add(() => dynamo.close());
  return dynamo.url;
}

async function* recordsOf(records: Records, dataDir: string): AsyncGenerator<DocumentRecord> {
  try {
    yield* records.all();
  } catch (error) {
    const { name, code } = error as NodeJS.ErrnoException;
    if (name === 'ResourceNotFoundException') throw nothingIn(dataDir);
    if (code !== 'ECONNREFUSED' && code !== 'ECONNRESET') throw error;
    throw new DataDirUnavailable(`the host that has ${dataDir} does not answer; try again`);
  }
}
