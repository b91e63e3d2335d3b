import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../infra/local/claude/index.ts';
import { type LocalStack, start } from '../../infra/local/stack.ts';
import {
  type DocumentRecord,
  DroplineReader,
  terminalStatuses,
} from '../../shared/client/index.ts';
import { toDocumentRecord } from '../../shared/journey/record.ts';
import { schemaKey } from '../../shared/ledger/schema.ts';
import { deployment } from './documents.ts';
import { type PastDir, pastDataDir, pastItems } from './past.ts';

const inbox = 'dropline-inbox';
const underWay = ['received.txt', 'normalized.txt', 'uploaded.txt', 'asking.txt', 'held.txt'];

describe('a data directory of the last version', () => {
  let dir: PastDir;
  let emulator: Emulator;
  let stack: LocalStack;
  let client: DynamoDBClient;
  let reader: DroplineReader;
  let before: Map<string, DocumentRecord>;

  beforeAll(async () => {
    dir = pastDataDir();
    const documents = pastItems(dir.path).filter(({ sk }) => sk === 'DOC');
    before = new Map(documents.map(toDocumentRecord).map((record) => [record.key, record]));
    emulator = await startEmulator({ dataDir: join(dir.path, 'claude') });
    stack = await start({
      dataDir: dir.path,
      environment: {
        CLAUDE_BASE_URL: emulator.url,
        CLAUDE_FILES_PER_MINUTE: '60000',
        DROPLINE_DEPLOYMENT: deployment,
      },
      secret: () => 'present-key',
    });
    client = new DynamoDBClient(stack.client('dynamodb'));
    reader = new DroplineReader({ table: stack.outputs.LedgerTable ?? '', client });
    await quiet();
    // What the functions know of the closed lane, they may keep for some seconds.
    await stack.killFunctions();
    // Not one run: the first may only send out the document that probes whether Claude works again.
    while (!(await underWayHaveEnded())) {
      await passTheWaitOfTheLane();
      await stack.invoke('reconcile', {});
      await quiet();
    }
  }, 120_000);

  afterAll(async () => {
    await stack?.stop();
    await emulator?.close();
    dir?.remove();
  });

  /** Waits until no message can be worked on now. */
  async function quiet(): Promise<void> {
    const busy = () => stack.tallies().some(({ visible, inFlight }) => visible + inFlight > 0);
    while (busy()) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** A closed lane waits ten minutes for its next try: they are over. */
  async function passTheWaitOfTheLane(): Promise<void> {
    const refused = (error: Error) => {
      if (error.name !== 'ConditionalCheckFailedException') throw error;
    };
    await client
      .send(
        new UpdateItemCommand({
          TableName: stack.outputs.LedgerTable,
          Key: marshall({ pk: 'CIRCUIT#claude', sk: 'CIRCUIT' }),
          UpdateExpression: 'SET retryAt = :now',
          ConditionExpression: 'attribute_exists(retryAt)',
          ExpressionAttributeValues: marshall({ ':now': Date.now() }),
        }),
      )
      .catch(refused);
  }

  async function underWayHaveEnded(): Promise<boolean> {
    const over: (string | undefined)[] = [...terminalStatuses];
    const records = await Promise.all(underWay.map((key) => reader.get(inbox, key)));
    const leaving = await reader.get(inbox, 'leaving.txt');
    return (
      records.every((record) => over.includes(record?.status)) && leaving?.status === 'removed'
    );
  }

  const titlesAsked = () =>
    emulator.journal({ operation: 'messages.create' }).flatMap(({ titles = [] }) => titles);
  const uploads = () =>
    emulator.journal({ operation: 'files.upload' }).map(({ filename = '' }) => filename);

  it.each(['plain.txt', 'log.txt', 'sales.csv', 'report.docx', 'mail.eml', 'overwritten.txt'])(
    'keeps what it knows of %s, which is ready',
    async (key) => {
      const record = await reader.get(inbox, key);

      const { status, fileId, summary, usage, contentSha256, revision } = before.get(key) ?? {};
      expect(status).toBe('ready');
      expect(record).toMatchObject({ status, fileId, summary, usage, contentSha256, revision });
      expect(emulator.files().map(({ id }) => id)).toContain(fileId);
    },
  );

  it.each(['broken.docx', 'refused.txt', 'emptied.txt', 'skipped.bin', 'removed.txt'])(
    'leaves %s as it ended',
    async (key) => {
      const record = await reader.get(inbox, key);

      const { status, error, revision } = before.get(key) ?? {};
      expect(record).toMatchObject({ status, ...(error ? { error } : {}), revision });
    },
  );

  it.each([
    ['received.txt', undefined],
    ['normalized.txt', 'normalized'],
    ['uploaded.txt', 'uploaded'],
    ['asking.txt', 'uploaded'],
    ['held.txt', 'held'],
  ])('finishes %s, which was %s', async (key, status) => {
    const record = await reader.get(inbox, key);

    expect(before.get(key)?.status).toBe(status);
    expect(record?.status).toBe('ready');
    expect(record?.summary?.text).toContain('turbine');
  });

  it('keeps the file of an uploaded document', async () => {
    const record = await reader.get(inbox, 'uploaded.txt');

    expect(record?.fileId).toBe(before.get('uploaded.txt')?.fileId);
  });

  it('counts the call that was cut off when the last version was stopped', async () => {
    const record = await reader.get(inbox, 'asking.txt');

    expect(record?.usage?.calls).toBe(2);
  });

  it('removes the document whose object was deleted while the last version stopped', async () => {
    const record = await reader.get(inbox, 'leaving.txt');

    expect(before.get('leaving.txt')?.status).toBe('ready');
    expect(record?.status).toBe('removed');
    expect(emulator.files().map(({ id }) => id)).not.toContain(before.get('leaving.txt')?.fileId);
  });

  it('uploads only what had no file', () => {
    const names = uploads().map((name) => name.split('.')[0] ?? '');

    expect(names.sort()).toEqual(['held', 'normalized', 'received']);
  });

  it('asks only about what had no answer', () => {
    expect(titlesAsked().sort()).toEqual(underWay.toSorted());
  });

  it('retires the SQLite file of the table', () => {
    const files = readdirSync(dir.path);

    expect(files.filter((name) => name.startsWith('dynamodb'))).toEqual([
      'dynamodb',
      'dynamodb.db.imported',
    ]);
  });

  // The last test: from here on the functions refuse to work.
  it('is refused by the functions once a newer version that they cannot read has written there', async () => {
    const Item = marshall({ ...schemaKey, version: 99, readableFrom: 99 });
    await client.send(new PutItemCommand({ TableName: stack.outputs.LedgerTable, Item }));
    await stack.killFunctions();

    const result = await stack.invoke('reconcile', {});

    expect(result).toMatchObject({
      ok: false,
      error: { errorType: 'LedgerTooNew', errorMessage: expect.stringMatching(/newer Dropline/) },
    });
  });
});
