import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  DynamoDBClient,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { expect, onTestFinished, test } from 'vitest';
import { importSqliteTables } from '../../infra/local/dynamodb/sqlite-import.ts';
import { startDynamo } from '../../infra/local/dynamodb/start.ts';
import type { TableSettings } from '../../infra/local/dynamodb/tables.ts';
import { DataDirUnavailable, openState } from '../../infra/local/state/database.ts';
import { pastDataDir, pastItems } from './past.ts';

const TableName = 'dropline-ledger';

/** As the stack of b1a0632 defined it, as far as the tests look at it. */
const settings: TableSettings = {
  TableName,
  AttributeDefinitions: ['pk', 'sk', 'stateShard', 'stateAt'].map((AttributeName) => ({
    AttributeName,
    AttributeType: 'S',
  })),
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'by-state',
      KeySchema: [
        { AttributeName: 'stateShard', KeyType: 'HASH' },
        { AttributeName: 'stateAt', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ],
};

async function open(dataDir: string) {
  const server = await startDynamo({
    dataDir,
    region: 'us-east-1',
    port: 0,
    unclean: false,
    tables: [settings],
    onLog: () => {},
  });
  const client = new DynamoDBClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  onTestFinished(() => server.close());
  return { server, client };
}

function past() {
  const dir = pastDataDir();
  onTestFinished(dir.remove);
  return dir.path;
}

async function itemsIn(client: DynamoDBClient): Promise<Record<string, unknown>[]> {
  const { Items = [] } = await client.send(new ScanCommand({ TableName }));
  return Items.map((item) => unmarshall(item));
}

const byKey = (items: Record<string, unknown>[]) =>
  items.toSorted((a, b) => `${a.pk} ${a.sk}`.localeCompare(`${b.pk} ${b.sk}`));

/** The SQLite file as it would be had only some of it been read when the process was killed. */
function keepOnly(dataDir: string, share: (index: number) => boolean): () => void {
  const db = new DatabaseSync(join(dataDir, 'dynamodb.db'));
  const rows = db
    .prepare("SELECT key, value FROM pairs WHERE CAST(key AS TEXT) LIKE '!item-%'")
    .all();
  const left = rows.filter((_, index) => !share(index));
  const remove = db.prepare('DELETE FROM pairs WHERE key = ?');
  for (const { key } of left) remove.run(key as Uint8Array);
  db.close();
  return () => {
    const again = new DatabaseSync(join(dataDir, 'dynamodb.db'));
    const insert = again.prepare('INSERT INTO pairs (key, value) VALUES (?, ?)');
    for (const { key, value } of left) insert.run(key as Uint8Array, value as Uint8Array);
    again.close();
  };
}

test('the first start has every item of the last version, and its indexes list them', async () => {
  const dataDir = past();
  const items = pastItems(dataDir);

  const { client } = await open(dataDir);

  expect(byKey(await itemsIn(client))).toEqual(byKey(items));
  const held = items.find(({ key, sk }) => key === 'held.txt' && sk === 'DOC');
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName,
      IndexName: 'by-state',
      KeyConditionExpression: 'stateShard = :shard',
      ExpressionAttributeValues: { ':shard': { S: String(held?.stateShard) } },
    }),
  );
  expect(Items.map(({ pk }) => pk?.S)).toContain(held?.pk);
});

test('an import that was killed is repeated by the next start', async () => {
  const dataDir = past();
  const items = pastItems(dataDir);
  const restore = keepOnly(dataDir, (index) => index % 3 === 0);
  await importSqliteTables(join(dataDir, 'dynamodb'));
  restore();

  const { client } = await open(dataDir);

  expect(byKey(await itemsIn(client))).toEqual(byKey(items));
  expect(existsSync(join(dataDir, 'dynamodb.db'))).toBe(false);
});

test('the second start imports nothing', async () => {
  const dataDir = past();
  const first = await open(dataDir);
  const Key = { pk: { S: 'DOC#new' }, sk: { S: 'DOC' } };
  const [item] = (await itemsIn(first.client)).filter(({ sk }) => sk === 'DOC');
  const old = { pk: { S: String(item?.pk) }, sk: { S: 'DOC' } };
  for (const key of [Key, old]) {
    await first.client.send(
      new UpdateItemCommand({
        TableName,
        Key: key,
        UpdateExpression: 'SET changed = :yes',
        ExpressionAttributeValues: { ':yes': { BOOL: true } },
      }),
    );
  }
  const before = await itemsIn(first.client);
  await first.server.close();

  const second = await open(dataDir);

  expect(byKey(await itemsIn(second.client))).toEqual(byKey(before));
});

test('an item that the new table already has is not replaced by the old one', async () => {
  const dataDir = past();
  const { client, server } = await open(dataDir);
  const [item] = (await itemsIn(client)).filter(({ sk }) => sk === 'DOC');
  await client.send(
    new UpdateItemCommand({
      TableName,
      Key: { pk: { S: String(item?.pk) }, sk: { S: 'DOC' } },
      UpdateExpression: 'SET changed = :yes',
      ExpressionAttributeValues: { ':yes': { BOOL: true } },
    }),
  );
  await server.close();
  const copy = past();
  copyFileSync(join(copy, 'dynamodb.db'), join(dataDir, 'dynamodb.db'));

  const again = await open(dataDir);

  const found = (await itemsIn(again.client)).find(({ pk, sk }) => pk === item?.pk && sk === 'DOC');
  expect(found?.changed).toBe(true);
});

test('a data directory keeps its version until everything in it is migrated', () => {
  const dataDir = past();
  const version = () => {
    const db = new DatabaseSync(join(dataDir, 'state.db'));
    const { user_version } = db.prepare('PRAGMA user_version').get() ?? {};
    db.close();
    return user_version;
  };

  const opened = openState(dataDir);
  opened.close();
  const unfinished = version();
  const again = openState(dataDir);
  again.markMigrated();
  again.close();

  expect(unfinished).toBe(1);
  expect(version()).toBe(2);
});

test('a data directory of a newer version is refused and left as it is', () => {
  const dataDir = past();
  const db = new DatabaseSync(join(dataDir, 'state.db'));
  db.exec('PRAGMA user_version = 3');
  db.close();

  const opening = () => openState(dataDir);

  expect(opening).toThrow(DataDirUnavailable);
  expect(opening).toThrow(/was written by a newer Dropline; use another --data/);
});
