import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type * as Emulator from '../../infra/local/claude/index.ts';
import type * as Stack from '../../infra/local/stack.ts';
import type { DocumentRecord, DroplineReader } from '../../shared/client/index.ts';
import * as documents from './documents.ts';
import { packDataDir } from './pack.ts';

/**
 * Makes the data directory of a past version, for the tests beside this file. Run it in a checkout of that
 * version, after its `npm ci`, with the path of the fixture to write:
 *
 *   git worktree add ../past b1a0632 && cd ../past && npm ci
 *   node ../dropline/test/compat/make-past.ts ../dropline/test/compat/fixtures/b1a0632.json.br
 *
 * Everything that reads or writes data is loaded from that checkout.
 */
const past = pathToFileURL(`${process.cwd()}/`);
const require = createRequire(past);
const { start } = (await import(new URL('infra/local/stack.ts', past).href)) as typeof Stack;
const { startEmulator } = (await import(
  new URL('test/emulator/index.ts', past).href
)) as typeof Emulator;
const { DroplineReader: Reader } = (await import(new URL('shared/index.ts', past).href)) as {
  DroplineReader: typeof DroplineReader;
};
const { S3Client, PutObjectCommand, DeleteObjectCommand } = require('@aws-sdk/client-s3');
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb');

const target = process.argv[2];
if (target === undefined) throw new Error('no path for the fixture given');
const dataDir = await mkdtemp(join(tmpdir(), 'dropline-past-'));
const emulator = await startEmulator({ dataDir: join(dataDir, 'claude') });
const stack = await start({
  dataDir,
  environment: {
    CLAUDE_BASE_URL: emulator.url,
    CLAUDE_FILES_PER_MINUTE: '60000',
    DROPLINE_DEPLOYMENT: documents.deployment,
  },
  secret: () => 'past-key',
  onLog: (line) => console.log(line),
});
const s3 = new S3Client(stack.client('s3'));
const Bucket = stack.outputs.InboxBucket ?? '';
const reader = new Reader({
  table: stack.outputs.LedgerTable ?? '',
  client: new DynamoDBClient(stack.client('dynamodb')),
});

const drop = (Key: string, Body: string | Uint8Array) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body }));

// Waits without an end: a version that never gets there is seen in the last line on screen.
async function until(key: string, holds: (record: DocumentRecord) => boolean): Promise<void> {
  console.log(`waiting for ${key}`);
  for (;;) {
    const record = await reader.get(Bucket, key);
    if (record && holds(record)) return;
    await delay(50);
  }
}

const is =
  (...wanted: string[]) =>
  ({ status }: DocumentRecord) =>
    wanted.includes(status);

// Everything that ends.
emulator.addFault({ kind: 'refusal', filename: 'refused*', count: 'all' });
for (const [key, body] of Object.entries(await documents.ended())) await drop(key, body);
for (const key of documents.ready) await until(key, is('ready'));
for (const key of documents.failed) await until(key, is('failed'));
await until('skipped.bin', is('skipped'));
await drop('overwritten.txt', documents.second);
await drop('emptied.txt', '');
await until(
  'overwritten.txt',
  ({ sizeBytes, status }) => sizeBytes === documents.second.length && status === 'ready',
);
await until('emptied.txt', is('failed'));
await s3.send(new DeleteObjectCommand({ Bucket, Key: 'removed.txt' }));
await until('removed.txt', is('removed'));

// Everything that is under way.
const failing = { kind: 'error', count: 'all' } as const;
emulator.addFault({ ...failing, operation: 'files.upload', filename: 'normalized*', status: 529 });
emulator.addFault({ ...failing, operation: 'messages.create', filename: 'uploaded*', status: 529 });
emulator.addFault({
  kind: 'hang',
  operation: 'messages.create',
  filename: 'asking*',
  count: 'all',
});
emulator.addFault({ ...failing, operation: 'files.upload', filename: 'held*', status: 401 });
await drop('asking.txt', documents.textOf('asking.txt'));
while (emulator.journal().every(({ fault }) => fault !== 'hang')) await delay(50);
await drop('normalized.txt', documents.textOf('normalized.txt'));
await drop('uploaded.txt', documents.textOf('uploaded.txt'));
await until('normalized.txt', ({ error }) => error !== undefined);
await until('uploaded.txt', ({ error }) => error !== undefined);
await drop('held.txt', documents.textOf('held.txt'));
await until('held.txt', is('held'));

// Events that nothing has read yet.
await stack.killFunctions('normalize');
await drop('received.txt', documents.textOf('received.txt'));
await s3.send(new DeleteObjectCommand({ Bucket, Key: 'leaving.txt' }));
await stack.killFunctions();
await stack.stop();
await emulator.close();
await packDataDir(dataDir, target);
await rm(dataDir, { recursive: true });
process.exit(0);
