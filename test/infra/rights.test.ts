import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { strToU8, zipSync } from 'fflate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { synthesize } from '../../infra/local/synthesize.ts';
import type { DocumentRecord } from '../../shared/client/index.ts';
import { documentIdOf } from '../../shared/journey/ids.ts';
import { partKey } from '../../shared/steps/part-keys.ts';
import { illustratedReport } from '../fixtures/documents.ts';
import { type Journey, startJourney } from '../journey/support.ts';
import { allows, grantsIn } from './policies.ts';

/**
 * What the functions did on the local host, call by call, against the policies in the template. To change what a step
 * calls: change `infra/rights.ts` until this test agrees.
 */

/** What Lambda itself does with the queue of a function, by the rights of the function. */
const ofTheEventSource = [
  'sqs:ReceiveMessage',
  'sqs:DeleteMessage',
  'sqs:GetQueueAttributes',
  'sqs:ChangeMessageVisibility',
  // CDK's event source grants it; Lambda does not need it.
  'sqs:GetQueueUrl',
];
const queueOf: Record<string, string> = {
  normalize: 'intake',
  render: 'render',
  upload: 'upload',
  summarize: 'summarize',
};

/** Steps let go of what a version before held when they end a document, and the step before did not get to it. */
const afterACrash = [
  'dynamodb:UpdateItem dropline-ledger/DOC#*',
  'dynamodb:DeleteItem dropline-ledger/DOC#*',
  'dynamodb:Query dropline-ledger/DOC#*',
  's3:DeleteObject dropline-staging/staged/*',
  's3:DeleteObject dropline-staging/parts/*',
  's3:ListBucket dropline-staging',
  'sqs:SendMessage dropline-intake-queue',
  'sqs:SendMessage dropline-upload-queue',
];

/** The first function of a new version of the code writes it down; the others find it. */
const firstOfAVersion = ['dynamodb:UpdateItem dropline-ledger/SCHEMA'];

/** An outage or a fault of the deployment, its end, and a probe that gets through (ledger/troubles.ts and circuit.ts). */
const inTrouble = [
  'dynamodb:UpdateItem dropline-ledger/TROUBLE#*',
  'dynamodb:DeleteItem dropline-ledger/TROUBLE#*',
  'dynamodb:UpdateItem dropline-ledger/CIRCUIT#*',
];

/** Several messages of one batch at the same time (ledger/grouped-table.ts). */
const together = ['dynamodb:BatchGetItem dropline-ledger/DOC#*'];

/** Grants that no journey below uses, because it takes a crash or an hour; each with the code that does. */
const rare: Record<string, string[]> = {
  // S3 answers 404 only to those who may list (infra/grants.ts).
  normalize: [
    's3:ListBucket dropline-inbox',
    // An object whose version is not known (aws/objects.ts, `profileTag`).
    's3:GetObjectTagging dropline-inbox/*',
    ...together,
    // Past versions of a document that was overwritten and then removed (steps/release-past.ts).
    'dynamodb:DeleteItem dropline-ledger/DOC#*',
    // Bytes that go up as a type Claude does not read itself (steps/staging.ts, `idFor`).
    'dynamodb:GetItem dropline-ledger/CONTENT#*',
  ],
  render: [
    's3:ListBucket dropline-inbox',
    ...afterACrash,
    ...together,
    ...firstOfAVersion,
    'dynamodb:GetItem dropline-ledger/CONTENT#*',
  ],
  upload: [
    's3:ListBucket dropline-inbox',
    ...afterACrash,
    ...inTrouble,
    ...together,
    'dynamodb:BatchWriteItem dropline-ledger/CONTENT#*',
    // Another worker took the slot first, or the pace was pushed back (pace/pace.ts).
    'dynamodb:GetItem dropline-ledger/PACE#*',
    ...firstOfAVersion,
    // Calls whose end nobody saw, and long replies, go with the content (steps/answer-store.ts).
    'dynamodb:PutItem dropline-ledger/COST#*',
    's3:DeleteObject dropline-results/answers/*',
  ],
  summarize: [
    's3:ListBucket dropline-inbox',
    ...afterACrash,
    ...inTrouble,
    ...together,
    ...firstOfAVersion,
    // A message that came after its version was replaced, and documents that wait (steps/summarize.ts).
    'dynamodb:Query dropline-ledger/CONTENT#*',
    'sqs:SendMessage dropline-summarize-queue',
    // The content was removed during the call (steps/ask.ts, `notSettled`).
    'dynamodb:DeleteItem dropline-ledger/CONTENT#*',
    // Replies that are long, or that the ledger does not take (steps/answer-store.ts).
    's3:GetObject dropline-results/answers/*',
    's3:ListBucket dropline-results',
    's3:PutObject dropline-results/answers/*',
    // The rates that a response reports are near (pace/messages-pace.ts).
    'dynamodb:UpdateItem dropline-ledger/PACE#*',
  ],
  reconcile: [
    ...firstOfAVersion,
    // What is kept for a week (reconcile/past.ts), and what a removed document left (steps/release-past.ts).
    'dynamodb:DeleteItem dropline-ledger/DOC#*',
    'dynamodb:PutItem dropline-ledger/COST#*',
    'dynamodb:Query dropline-ledger/DOC#*',
    's3:DeleteObject dropline-results/answers/*',
    's3:ListBucket dropline-results',
    // Bytes of versions that were replaced (reconcile/staged.ts).
    's3:DeleteObject dropline-staging/staged/*',
    // Content that no document refers to (reconcile/contents.ts).
    'dynamodb:DeleteItem dropline-ledger/CONTENT#*',
    // Refusals met in a repair (steps/release.ts), and orphans (reconcile/orphans.ts).
    'dynamodb:PutItem dropline-ledger/CIRCUIT#*',
    'dynamodb:Query dropline-ledger/index/by-file',
    // As for upload.
    'dynamodb:GetItem dropline-ledger/PACE#*',
    // Parts that a worker staged late (reconcile/staged.ts).
    's3:DeleteObject dropline-staging/parts/*',
    's3:GetObject dropline-staging/parts/*',
    's3:GetObject dropline-staging/staged/*',
    // What a dead worker had reserved of the budget, and a counter that is wrong (ledger/budgets.ts).
    'dynamodb:UpdateItem dropline-ledger/BUDGET#*',
    'dynamodb:GetItem dropline-ledger/COST#*',
    // Batches that nobody looks after (reconcile/batches.ts).
    'dynamodb:GetItem dropline-ledger/BATCH#*',
    'dynamodb:UpdateItem dropline-ledger/BATCH#*',
    // Documents that stood still for two hours (reconcile/stuck.ts).
    'sqs:SendMessage dropline-render-queue',
    ...['intake', 'render', 'upload', 'summarize'].map(
      (queue) => `sqs:GetQueueAttributes dropline-${queue}-queue`,
    ),
  ],
};

let folder: string;
let journey: Journey;
let dynamodb: DynamoDBClient;
let grants: Record<string, string[]>;
let calls: Record<string, string[]>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dropline-rights-'));
  const config = join(folder, 'dropline.config.json');
  // Enough for all of them: what is asked of the counters is the same.
  writeFileSync(
    config,
    JSON.stringify({
      profiles: [{ prefix: 'batch/', mode: 'batch' }],
      budget: { dailyUsd: 100, monthlyUsd: 1_000 },
    }),
  );
  journey = await startJourney({ DROPLINE_CONFIG: config, DROPLINE_BATCH_SECONDS: '1' });
  dynamodb = new DynamoDBClient(journey.stack.client('dynamodb'));
  await partsAndPrints();
  await removals();
  await repairs();
  await refusals();
  grants = byStep(grantsIn((await synthesize()).template));
  calls = byStep(await journey.stack.calls());
}, 480_000);

afterAll(async () => {
  dynamodb.destroy();
  await journey.close();
  rmSync(folder, { recursive: true });
});

const byStep = (all: Record<string, string[]>): Record<string, string[]> =>
  Object.fromEntries(
    Object.entries(all).map(([name, list]) => [name.replace(/^dropline-|-function$/g, ''), list]),
  );

const partOf = (key: string, name: string): string =>
  partKey({ documentId: documentIdOf(journey.inbox, key), key }, name);

/** Archives and mails, prints, and a file that Claude lost. */
async function partsAndPrints(): Promise<void> {
  const report = await illustratedReport();
  const entries = { 'note.txt': strToU8('A note. It is short.'), 'report.docx': report };
  await journey.drop('overwritten.zip', zipSync(entries));
  await journey.drop('removed.zip', zipSync({ 'other.txt': strToU8('Another. And more.') }));
  await journey.drop('report.docx', report);
  await journey.drop('tagged.txt', 'It has a tag. It is about the year.', { tagging: 'year=2026' });
  await journey.drop('name,count.csv', 'name,count\nalpha,1\n');
  await journey.drop('broken.docx', 'PK no archive');
  await journey.drop('batch/note.txt', 'It waits for others. It is cheaper so.');
  journey.emulator.addFault({
    kind: 'vanish_file',
    operation: 'messages.create',
    filename: 'lost*',
  });
  await journey.drop('lost.txt', 'Claude loses this file. It is uploaded again.');
  for (const key of [
    partOf('overwritten.zip', 'report.docx'),
    partOf('removed.zip', 'other.txt'),
    'report.docx',
  ]) {
    await journey.ended(key);
  }
  await journey.ended('lost.txt');
  await journey.ended('batch/note.txt');
  await journey.drop('overwritten.zip', 'It is a text now. There are no entries.');
  await until(partOf('overwritten.zip', 'note.txt'), ({ status }) => status === 'removed');
}

async function removals(): Promise<void> {
  const { s3, inbox: Bucket } = journey;
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'removed.zip' }));
  await until(partOf('removed.zip', 'other.txt'), ({ status }) => status === 'removed');
  // For good: the event names a version, and normalize asks the bucket what is there now.
  const { Versions } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'lost.txt' }));
  const VersionId = Versions?.[0]?.VersionId;
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'lost.txt', VersionId }));
  await until('lost.txt', ({ status }) => status === 'removed');
}

/** A record without an object, and a file that is gone. */
async function repairs(): Promise<void> {
  const { inbox, table: TableName } = journey;
  await journey.drop('gone.txt', 'Its file is lost. The reconciler uploads it.');
  const { fileId } = await journey.ended('gone.txt');
  const pk = (key: string) => ({ S: `DOC#${documentIdOf(inbox, key)}` });
  const Key = { pk: pk('gone.txt'), sk: { S: 'DOC' } };
  const { Item } = await dynamodb.send(new GetItemCommand({ TableName, Key }));
  const removed = {
    ...Item,
    pk: pk('removed-unsaid.txt'),
    documentId: { S: documentIdOf(inbox, 'removed-unsaid.txt') },
    key: { S: 'removed-unsaid.txt' },
    updatedAt: { S: '2026-11-01T00:00:00.000Z' },
  };
  await dynamodb.send(new PutItemCommand({ TableName, Item: removed }));
  await journey.emulator.vanishFile(fileId ?? '');
  await reconcile({ sweep: true });
  await until('removed-unsaid.txt', ({ status }) => status === 'removed');
}

/** Lanes that a person has to open, at both steps that call Claude; then they are open again. */
async function refusals(): Promise<void> {
  journey.emulator.addFault({ kind: 'storage_full', filename: 'full*' });
  await journey.drop('full.txt', 'It does not fit. Now it does.');
  await until('full.txt', ({ status }) => status === 'held');
  journey.emulator.addFault({ kind: 'spend_cap', operation: 'messages.create' });
  await journey.drop('capped.txt', 'Its call is refused. Now it is not.');
  await until('capped.txt', ({ status }) => status === 'held');
  // Workers trust what they knew of a lane for five seconds; a probe before that would be held once more.
  for (
    let runs = 0;
    runs < 30 && !((await isReady('full.txt')) && (await isReady('capped.txt')));
  ) {
    runs += 1;
    await new Promise((resolve) => setTimeout(resolve, 5_200));
    await skipTheWait('upload');
    await skipTheWait('claude');
    await reconcile({});
  }
  await until('full.txt', ({ status }) => status === 'ready');
  await until('capped.txt', ({ status }) => status === 'ready');
}

const isReady = async (key: string): Promise<boolean> =>
  (await journey.reader.get(journey.inbox, key))?.status === 'ready';

async function reconcile(event: object): Promise<boolean> {
  return (await journey.stack.invoke('reconcile', event)).ok;
}

/** Lets the next probe of a lane be due. */
async function skipTheWait(lane: string): Promise<void> {
  const update = new UpdateItemCommand({
    TableName: journey.table,
    Key: { pk: { S: `CIRCUIT#${lane}` }, sk: { S: 'CIRCUIT' } },
    UpdateExpression: 'SET retryAt = :now',
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeValues: { ':now': { N: '0' } },
  });
  await dynamodb.send(update).catch((error: Error) => {
    if (error.name !== 'ConditionalCheckFailedException') throw error;
  });
}

async function until(key: string, holds: (record: DocumentRecord) => boolean): Promise<void> {
  for (let looks = 0; ; looks += 1) {
    const record = await journey.reader.get(journey.inbox, key);
    if (record !== undefined && holds(record)) return;
    if (looks > 3_000) throw new Error(`${key} is ${record?.status}: ${record?.error?.message}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('nothing is missing: the policies allow every call that the functions made', () => {
  const missing = Object.entries(calls).flatMap(([step, made]) =>
    made
      .filter((call) => !(grants[step] ?? []).some((grant) => allows(grant, call)))
      .map((call) => `${step}: ${call}`),
  );

  expect(Object.keys(calls).sort()).toEqual(Object.keys(grants).sort());
  expect(missing).toEqual([]);
});

test('nothing is spare: every grant was used, or is one of the rare ones', () => {
  const spare = Object.entries(grants).flatMap(([step, granted]) =>
    granted
      .filter((grant) => !isOfTheEventSource(step, grant) && !rare[step]?.includes(grant))
      .filter((grant) => !calls[step]?.some((call) => allows(grant, call)))
      .map((grant) => `${step}: ${grant}`),
  );

  expect(spare).toEqual([]);
});

test('what is listed as rare is granted', () => {
  const stale = Object.entries(rare).flatMap(([step, listed]) =>
    listed.filter((grant) => !grants[step]?.includes(grant)).map((grant) => `${step}: ${grant}`),
  );

  expect(stale).toEqual([]);
});

function isOfTheEventSource(step: string, grant: string): boolean {
  const [action = '', resource] = grant.split(' ');
  return resource === `dropline-${queueOf[step]}-queue` && ofTheEventSource.includes(action);
}
