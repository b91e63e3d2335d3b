import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { Callers } from '../../infra/local/callers.ts';
import { startEmulator } from '../../infra/local/claude/index.ts';
import { localAccount } from '../../infra/local/credentials.ts';
import { Closers } from '../../infra/local/stack/closers.ts';
import { FunctionRegistry, startFunctions } from '../../infra/local/stack/functions.ts';
import { start } from '../../infra/local/stack.ts';
import { synthesize } from '../../infra/local/synthesize.ts';
import { readTemplate } from '../../infra/local/template/read.ts';
import {
  type DocumentRecord,
  terminalStatuses,
  toDocumentRecord,
} from '../../shared/journey/record.ts';
import { compare } from './compare.ts';
import { twenty } from './documents.ts';
import { poll } from './poller.ts';
import { clientsAt, createResources } from './resources.ts';
import { motoMissing, startMoto } from './server.ts';

/**
 * `npm run moto` runs the functions' bundles on an AWS that Dropline did not write, Python's moto, and on the local
 * stack, drops twenty documents on each and compares the records. Exit code 0: they are equal, apart from times
 * and ids; 1: they are not; 2: moto is not installed, and nothing was checked.
 */
const missing = motoMissing();
if (missing !== undefined) {
  console.error(`Nothing was checked: ${missing}`);
  process.exit(2);
}
const documents = await twenty();
const dir = mkdtempSync(join(tmpdir(), 'dropline-moto-'));
const closers = new Closers();
closers.add(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
let differences: string[];
try {
  const onMoto = await runOnMoto();
  const local = await runLocally();
  differences = compare(onMoto, local);
  console.log(`${onMoto.size} records on moto, ${local.size} on the local stack`);
} finally {
  await closers.closeAll();
}
for (const difference of differences) console.log(difference);
console.log(differences.length === 0 ? 'All records are equal.' : 'The records differ.');
process.exit(differences.length === 0 ? 0 : 1);

/** The settings of the functions that both runs have in common. */
async function environment(): Promise<Record<string, string>> {
  const emulator = await startEmulator({ filesPerMinute: Number.POSITIVE_INFINITY });
  closers.add(() => emulator.close());
  return {
    CLAUDE_BASE_URL: emulator.url,
    CLAUDE_FILES_PER_MINUTE: '60000',
    DROPLINE_DEPLOYMENT: 'moto',
  };
}

async function runOnMoto(): Promise<Map<string, DocumentRecord>> {
  const moto = await startMoto();
  closers.add(() => moto.stop());
  const { url } = moto;
  const queueUrl = (name: string) => `${url}/${localAccount}/${name}`;
  const resources = readTemplate(await synthesize(), queueUrl);
  const clients = clientsAt(url);
  await createResources(clients, resources, 'moto-key');
  const functions = new FunctionRegistry();
  await startFunctions(
    functions,
    {
      dataDir: join(dir, 'moto'),
      callers: new Callers(),
      resources,
      endpoints: { s3: url, sqs: url, secretsManager: url, lambda: url, dynamodb: url },
      environment: await environment(),
      maxConcurrency: 1,
      path: process.env.PATH,
      onLog: (line) => console.log(line),
    },
    closers,
  );
  const stop = new AbortController();
  const pollers = resources.eventSources.map((source) => {
    const target = functions.byId(source.functionId);
    const queue = resources.queues.find(({ arn }) => arn === source.queueArn);
    if (!target || !queue) throw new Error(`no function or queue for ${source.queueArn}`);
    const options = { source, target, queueUrl: queueUrl(queue.name), signal: stop.signal };
    return poll({ ...options, sqs: clients.sqs, s3: clients.s3 });
  });
  const records = dropAll(clients.s3, clients.dynamodb, resources.outputs);
  // A poller ends early only when it fails.
  await Promise.race([records, ...pollers]);
  stop.abort();
  await Promise.all(pollers);
  return records;
}

async function runLocally(): Promise<Map<string, DocumentRecord>> {
  const stack = await start({
    dataDir: join(dir, 'local'),
    environment: await environment(),
    secret: () => 'local-key',
    ...(process.env.PATH === undefined ? {} : { path: process.env.PATH }),
    onLog: (line) => console.log(line),
  });
  closers.add(() => stack.stop());
  const { s3, dynamodb } = clientsAt(stack.endpoints.s3);
  dynamodb.destroy();
  return dropAll(s3, clientsAt(stack.endpoints.dynamodb).dynamodb, stack.outputs);
}

/**
 * Drops the documents and returns all records, by key, when each has ended. A document with the bytes of another comes
 * when that one has ended: else it would be chance which of the two pays.
 */
async function dropAll(
  s3: S3Client,
  dynamodb: DynamoDBClient,
  { InboxBucket, LedgerTable }: Record<string, string>,
): Promise<Map<string, DocumentRecord>> {
  const byBytes = Map.groupBy(Object.entries(documents), ([, bytes]) =>
    Buffer.from(bytes).toString('latin1'),
  );
  const groups = [...byBytes.values()];
  const rounds = [
    groups.flatMap(([one]) => (one ? [one] : [])),
    groups.flatMap(([, ...rest]) => rest),
  ];
  let records = new Map<string, DocumentRecord>();
  for (const round of rounds) {
    for (const [Key, Body] of round) {
      await s3.send(new PutObjectCommand({ Bucket: InboxBucket, Key, Body }));
    }
    const keys = [...records.keys(), ...round.map(([key]) => key)];
    records = await allEnded(keys, dynamodb, LedgerTable);
  }
  return records;
}

/** All records, by key, as soon as those of the keys are there and every one has ended. */
async function allEnded(
  keys: readonly string[],
  dynamodb: DynamoDBClient,
  TableName: string | undefined,
): Promise<Map<string, DocumentRecord>> {
  const over: readonly string[] = terminalStatuses;
  for (;;) {
    const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName }));
    const records = new Map(
      Items.map((item) => unmarshall(item))
        .filter(({ sk }) => sk === 'DOC')
        .map(toDocumentRecord)
        .map((record) => [record.key, record]),
    );
    const ended = [...records.values()].every(({ status }) => over.includes(status));
    if (ended && keys.every((key) => records.has(key))) return records;
    await delay(500);
  }
}
