import {
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { expect, onTestFinished, test } from 'vitest';
import { startDynamo } from '../../infra/local/dynamodb/start.ts';
import { temporaryDir } from './support.ts';

const TableName = 'ledger';
const Key = { pk: { S: 'a' }, sk: { S: 'DOC' } };
const hash = (AttributeName: string) => ({ AttributeName, KeyType: 'HASH' });

/** A table with an index that projects keys only, whose server counts capacity. */
async function open() {
  const dir = temporaryDir();
  const server = await startDynamo({
    dataDir: dir.path,
    region: 'us-east-1',
    port: 0,
    unclean: false,
    countsCapacity: true,
    tables: [
      {
        TableName,
        AttributeDefinitions: ['pk', 'sk', 'state'].map((AttributeName) => ({
          AttributeName,
          AttributeType: 'S',
        })),
        KeySchema: [hash('pk'), { AttributeName: 'sk', KeyType: 'RANGE' }],
        GlobalSecondaryIndexes: [
          {
            IndexName: 'by-state',
            KeySchema: [hash('state')],
            Projection: { ProjectionType: 'KEYS_ONLY' },
          },
        ],
      },
    ],
    onLog: () => {},
  });
  onTestFinished(async () => {
    await server.close();
    dir.remove();
  });
  const client = new DynamoDBClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  return { server, client };
}

const put = (attributes: Record<string, string>) =>
  new PutItemCommand({
    TableName,
    Item: {
      ...Key,
      ...Object.fromEntries(Object.entries(attributes).map(([name, S]) => [name, { S }])),
    },
  });
const text = 'x'.repeat(2_500);

test('a write costs the larger of both items, an index entry only what changes in it', async () => {
  const { server, client } = await open();
  const steps = [
    ['new, of 2.5 KB', put({ text, state: 'open' }), { 'write DOC': 3, 'index DOC': 1 }],
    ['made smaller', put({ state: 'open' }), { 'write DOC': 3 }],
    ['moved in the index', put({ state: 'done' }), { 'write DOC': 1, 'index DOC': 2 }],
    ['taken out of the index', put({}), { 'write DOC': 1, 'index DOC': 1 }],
    ['deleted', new DeleteItemCommand({ TableName, Key }), { 'write DOC': 1 }],
  ] as const;

  for (const [what, command, expected] of steps) {
    await server.resetCounts();
    await client.send(command as PutItemCommand);
    expect([what, await server.capacity()]).toEqual([what, expected]);
  }
});

test('a refused write costs as much as one that is done', async () => {
  const { server, client } = await open();
  await client.send(put({ text }));
  await server.resetCounts();

  const refused = client.send(
    new UpdateItemCommand({
      TableName,
      Key,
      UpdateExpression: 'REMOVE text_of_it',
      ConditionExpression: 'attribute_not_exists(pk)',
    }),
  );

  await expect(refused).rejects.toThrow('conditional');
  expect(await server.capacity()).toEqual({ 'refused DOC': 3 });
});

test('a read costs whole units of 4 KB, half of it when it need not be consistent', async () => {
  const { server, client } = await open();
  await client.send(put({ text: text + text, state: 'open' }));
  await server.resetCounts();

  await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
  await client.send(new GetItemCommand({ TableName, Key }));
  const query = await client.send(
    new QueryCommand({
      TableName,
      IndexName: 'by-state',
      KeyConditionExpression: '#name = :open',
      ExpressionAttributeNames: { '#name': 'state' },
      ExpressionAttributeValues: { ':open': { S: 'open' } },
    }),
  );

  expect(await server.capacity()).toEqual({ 'read DOC': 3, 'read by-state': 0.5 });
  expect(query.Count).toBe(1);
  expect(query.ConsumedCapacity).toBeUndefined();
});
