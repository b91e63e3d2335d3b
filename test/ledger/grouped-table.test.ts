import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { GroupedTable } from '../../shared/ledger/grouped-table.ts';
import { contentKey, documentKey, referenceKey } from '../../shared/ledger/keys.ts';
import { type LedgerServer, startLedgerServer } from '../world/ledger.ts';

let server: LedgerServer;
let client: DynamoDBDocumentClient;
let table: GroupedTable;
/** The requests so far. */
let sent: object[];
/** Answers the next request in the place of DynamoDB. */
let instead: ((input: Record<string, unknown>) => unknown) | undefined;
let counter = 0;

beforeAll(async () => {
  server = await startLedgerServer();
  client = DynamoDBDocumentClient.from(
    new DynamoDBClient({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    }),
  );
  const send = client.send.bind(client) as (command: object) => Promise<unknown>;
  vi.spyOn(client, 'send').mockImplementation((async (command: { input: object }) => {
    sent.push(command);
    const answer = instead;
    instead = undefined;
    return answer ? answer({ ...command.input }) : send(command);
  }) as unknown as typeof client.send);
});
afterAll(() => {
  client.destroy();
  server.close();
});
beforeEach(async () => {
  await server.create();
  counter += 1;
  sent = [];
  instead = undefined;
  table = new GroupedTable(client, `ledger-${counter}`);
});

const documents = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ ...documentKey(`d${n}`), n }));
const references = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ ...referenceKey(`c${n}`, 'd', '01'), n }));
const kinds = () => sent.map((command) => command.constructor.name);

test('a lone document is read by a request of its own', async () => {
  const [item] = documents(1);
  await table.put(item ?? {});
  sent = [];

  expect(await table.get(documentKey('d0'))).toEqual(item);

  expect(kinds()).toEqual([GetCommand.name]);
});

test('documents that are wanted together are read by one consistent request, and each gets its own', async () => {
  const items = documents(3);
  for (const item of items) await table.put(item);
  sent = [];

  const keys = [...items.map(({ pk, sk }) => ({ pk, sk })), documentKey('none')];
  const found = await Promise.all(keys.map((key) => table.get(key)));

  expect(found).toEqual([...items, undefined]);
  expect(kinds()).toEqual([BatchGetCommand.name]);
  const { input } = sent[0] as BatchGetCommand;
  expect(Object.values(input.RequestItems ?? {})).toEqual([{ Keys: keys, ConsistentRead: true }]);
});

test('a document that two want is read once', async () => {
  await table.put({ ...documentKey('d0'), n: 0 });
  sent = [];

  const both = await Promise.all([table.get(documentKey('d0')), table.get(documentKey('d0'))]);

  expect(both.map((item) => item?.n)).toEqual([0, 0]);
  expect(kinds()).toEqual([GetCommand.name]);
});

test('what is wanted later is read later, so nobody sees an item from before it asked', async () => {
  const first = await table.get(documentKey('d0'));
  await table.put({ ...documentKey('d0'), n: 0 });

  expect(first).toBeUndefined();
  expect(await table.get(documentKey('d0'))).toMatchObject({ n: 0 });
});

test('more than a request may hold are read by several', async () => {
  const all = await Promise.all(documents(230).map(({ pk, sk }) => table.get({ pk, sk })));

  expect(all).toHaveLength(230);
  const asked = sent.map((command) => {
    const [{ Keys = [] } = {}] = Object.values(
      (command as BatchGetCommand).input.RequestItems ?? {},
    );
    return Keys.length;
  });
  expect(asked).toEqual([100, 100, 30]);
});

test('other items are read one by one', async () => {
  await Promise.all([table.get(contentKey('a')), table.get(contentKey('b'))]);

  expect(kinds()).toEqual([GetCommand.name, GetCommand.name]);
});

test('references that are written together take one request for up to 25', async () => {
  const items = references(30);

  expect(await Promise.all(items.map((item) => table.put(item)))).toEqual(items.map(() => true));

  expect(kinds()).toEqual([BatchWriteCommand.name, BatchWriteCommand.name]);
  const [first, second] = sent.map((command) => {
    const [puts = []] = Object.values((command as BatchWriteCommand).input.RequestItems ?? {});
    return puts.length;
  });
  expect([first, second]).toEqual([25, 5]);
  for (const item of items) {
    expect(await table.get({ pk: item.pk, sk: item.sk })).toEqual(item);
  }
});

test('a reference that is written twice at once is written once', async () => {
  const [item] = references(1);

  await Promise.all([table.put({ ...item }), table.put({ ...item })]);

  expect(kinds()).toEqual([PutCommand.name]);
});

test('a write with a condition has a request of its own', async () => {
  const [one, two] = references(2);
  const condition = { expression: 'attribute_not_exists(pk)' };

  const done = await Promise.all([
    table.put({ ...one }, condition),
    table.put({ ...two }, condition),
  ]);

  expect(done).toEqual([true, true]);
  expect(kinds()).toEqual([PutCommand.name, PutCommand.name]);
});

test('references that DynamoDB leaves out are written by themselves', async () => {
  const items = references(3);
  instead = ({ RequestItems }) => {
    const [[name, puts] = []] = Object.entries(RequestItems as Record<string, unknown[]>);
    return { UnprocessedItems: { [name ?? '']: puts?.slice(1) } };
  };

  await Promise.all(items.map((item) => table.put(item)));

  expect(kinds()).toEqual([BatchWriteCommand.name, PutCommand.name, PutCommand.name]);
  const puts = sent.slice(1).map((command) => (command as PutCommand).input.Item);
  expect(puts).toEqual(items.slice(1));
});

test('documents that DynamoDB leaves out are read by themselves', async () => {
  const items = documents(3);
  for (const item of items) await table.put(item);
  sent = [];
  instead = ({ RequestItems }) => {
    const [[name, { Keys }] = ['', { Keys: [] }]] = Object.entries(
      RequestItems as Record<string, { Keys: unknown[] }>,
    );
    return {
      Responses: { [name]: items.slice(0, 1) },
      UnprocessedKeys: { [name]: { Keys: Keys.slice(1) } },
    };
  };

  const found = await Promise.all(items.map(({ pk, sk }) => table.get({ pk, sk })));

  expect(found).toEqual(items);
  expect(kinds()).toEqual([BatchGetCommand.name, GetCommand.name, GetCommand.name]);
});

test('a request that fails fails for each that shares it, and for nobody else', async () => {
  instead = () => {
    throw new Error('throttled');
  };

  const both = await Promise.allSettled(documents(2).map(({ pk, sk }) => table.get({ pk, sk })));

  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await table.get(documentKey('d0'))).toBeUndefined();

  instead = () => {
    throw new Error('throttled');
  };
  const puts = await Promise.allSettled(references(2).map((item) => table.put(item)));
  expect(puts.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});
