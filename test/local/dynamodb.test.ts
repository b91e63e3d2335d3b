import { promisify } from 'node:util';
import { DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import db from 'dynalite/db/index.js';
import { afterEach, describe, expect, it } from 'vitest';
import { startDynamo } from '../../infra/local/dynamodb/start.ts';
import type { TableSettings } from '../../infra/local/dynamodb/tables.ts';
import { temporaryDir } from './support.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const table = (...indexed: string[]): TableSettings => ({
  TableName: 'ledger',
  AttributeDefinitions: ['pk', ...indexed].map((name) => ({
    AttributeName: name,
    AttributeType: 'S',
  })),
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  GlobalSecondaryIndexes: indexed.map((name) => ({
    IndexName: `by-${name}`,
    KeySchema: [{ AttributeName: name, KeyType: 'HASH' }],
    Projection: { ProjectionType: 'ALL' },
  })),
});

async function open(dataDir: string, settings: TableSettings, unclean: boolean) {
  const server = await startDynamo({
    dataDir,
    region: 'us-east-1',
    port: 0,
    unclean,
    tables: [settings],
    onLog: () => {},
  });
  const client = new DynamoDBClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  cleanups.push(() => server.close());
  return { server, client };
}

async function query(client: DynamoDBClient, attribute: string, value: string) {
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName: 'ledger',
      IndexName: `by-${attribute}`,
      KeyConditionExpression: '#name = :value',
      ExpressionAttributeNames: { '#name': attribute },
      ExpressionAttributeValues: { ':value': { S: value } },
    }),
  );
  return Items.map(({ pk }) => pk?.S);
}

describe('the local DynamoDB', () => {
  it('rebuilds its indexes after a kill, so that none lists an item that does not exist', async () => {
    const dir = temporaryDir();
    cleanups.push(dir.remove);
    const first = await open(dir.path, table('state'), false);
    const Item = { pk: { S: 'real' }, state: { S: 'open' } };
    await first.client.send(new PutItemCommand({ TableName: 'ledger', Item }));
    await first.server.close();
    await plantStaleEntry(dir.path);

    const careless = await open(dir.path, table('state'), false);
    const before = await query(careless.client, 'state', 'open');
    await careless.server.close();
    const repaired = await open(dir.path, table('state'), true);
    const after = await query(repaired.client, 'state', 'open');

    expect(before.sort()).toEqual(['ghost', 'real']);
    expect(after).toEqual(['real']);
  });

  it('fills an index that a newer template adds', async () => {
    const dir = temporaryDir();
    cleanups.push(dir.remove);
    const first = await open(dir.path, table('state'), false);
    const Item = { pk: { S: '1' }, state: { S: 'open' }, day: { S: 'monday' } };
    await first.client.send(new PutItemCommand({ TableName: 'ledger', Item }));
    await first.server.close();

    const { client } = await open(dir.path, table('state', 'day'), false);

    expect(await query(client, 'day', 'monday')).toEqual(['1']);
    expect(await query(client, 'state', 'open')).toEqual(['1']);
  });

  it('restarts on the same port with its data when its process dies', async () => {
    const dir = temporaryDir();
    cleanups.push(dir.remove);
    const { server } = await open(dir.path, table('state'), false);
    const client = new DynamoDBClient({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      maxAttempts: 20,
    });
    const Item = { pk: { S: '1' }, state: { S: 'open' } };
    await client.send(new PutItemCommand({ TableName: 'ledger', Item }));
    const before = server.pid ?? 0;

    process.kill(before, 'SIGKILL');

    expect(await query(client, 'state', 'open')).toEqual(['1']);
    expect(server.pid).not.toBe(before);
  });

  it('counts requests by operation', async () => {
    const dir = temporaryDir();
    cleanups.push(dir.remove);
    const { server, client } = await open(dir.path, table('state'), false);
    await query(client, 'state', 'open');

    const counts = await server.counts();

    expect(counts).toEqual({ CreateTable: 1, Query: 1 });
  });
});

/** Leaves an index entry without an item, as a kill between the two writes does. */
async function plantStaleEntry(dataDir: string): Promise<void> {
  const store = db.create({ path: `${dataDir}/dynamodb` });
  await store.db.open();
  const ghost = { pk: { S: 'ghost' }, state: { S: 'open' } };
  for await (const value of store.tableDb.createValueStream()) {
    for (const put of db.getIndexActions(
      value.GlobalSecondaryIndexes ?? [],
      undefined,
      ghost,
      value,
    ).puts) {
      const level = store.getIndexDb('Global', 'ledger', put.index);
      await promisify((done: (error?: unknown) => void) => level.put(put.key, put.item, done))();
    }
  }
  await store.db.close();
}
