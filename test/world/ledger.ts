import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import dynalite from 'dynalite';
import { indexes } from '../../shared/ledger/keys.ts';
import { Table } from '../../shared/ledger/table.ts';

/** An in-memory DynamoDB that creates ledgers. */
export interface LedgerServer {
  url: string;
  /** A new, empty ledger. */
  create(): Promise<Table>;
  close(): void;
}

/** Starts dynalite in memory on a free port. */
export async function startLedgerServer(): Promise<LedgerServer> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new DynamoDBClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const documents = DynamoDBDocumentClient.from(client, {
    marshallOptions: { removeUndefinedValues: true },
  });
  let counter = 0;
  return {
    url,
    async create() {
      counter += 1;
      const name = `ledger-${counter}`;
      await client.send(createTable(name));
      // Even with `createTableMs: 0` a table only becomes active on a later turn of the event loop.
      while (!(await isActive(client, name)));
      return new Table(documents, name);
    },
    close() {
      client.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
}

async function isActive(client: DynamoDBClient, TableName: string): Promise<boolean> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName }));
  return Table?.TableStatus === 'ACTIVE';
}

function createTable(name: string): CreateTableCommand {
  const attributes = [
    'pk',
    'sk',
    ...Object.values(indexes).flatMap((index) => [index.hash, index.range]),
  ];
  return new CreateTableCommand({
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [...new Set(attributes)].map((AttributeName) => ({
      AttributeName,
      AttributeType: 'S',
    })),
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: Object.values(indexes).map((index) => ({
      IndexName: index.name,
      KeySchema: [
        { AttributeName: index.hash, KeyType: 'HASH' },
        { AttributeName: index.range, KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    })),
  });
}
