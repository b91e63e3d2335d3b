import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CreateTableCommand,
  DynamoDBClient,
  type GlobalSecondaryIndex,
} from '@aws-sdk/client-dynamodb';
import { type ChildService, startChildService } from '../child-service.ts';
import { localCredentials } from '../credentials.ts';
import type { Capacity } from './capacity.ts';
import type { DynamoSettings } from './process.ts';
import type { TableSettings } from './tables.ts';

export interface LocalDynamo {
  url: string;
  /** Of its process; it changes when the process is restarted. */
  readonly pid: number | undefined;
  /** Requests so far, by operation. */
  counts(): Promise<Record<string, number>>;
  /** What each function did so far, as in `Calls`. */
  calls(): Promise<Record<string, string[]>>;
  /** Capacity units so far; empty unless they are counted. */
  capacity(): Promise<Capacity>;
  /** Resets the requests and the capacity. */
  resetCounts(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts dynalite, on disk and in a process of its own, and creates the tables that are missing.
 * @param options `unclean`: the previous host was killed, so the indexes are rebuilt
 */
export async function startDynamo(options: {
  dataDir: string;
  region: string;
  port: number;
  unclean: boolean;
  tables: TableSettings[];
  /** Count the capacity that DynamoDB would charge. */
  countsCapacity?: boolean;
  onLog: (line: string) => void;
}): Promise<LocalDynamo> {
  const service: ChildService = await startChildService({
    name: 'dynamodb',
    module: fileURLToPath(new URL('process.ts', import.meta.url)),
    port: options.port,
    env: { AWS_REGION: options.region, AWS_ACCOUNT_ID: '000000000000' },
    onLog: options.onLog,
    settings: ({ port, crashed }): DynamoSettings => ({
      path: join(options.dataDir, 'dynamodb'),
      port,
      portIsFixed: crashed,
      rebuild: crashed || options.unclean,
      tables: options.tables,
      countsCapacity: options.countsCapacity ?? false,
    }),
  });
  const url = `http://127.0.0.1:${service.port}`;
  const client = new DynamoDBClient({
    endpoint: url,
    region: options.region,
    credentials: localCredentials,
  });
  try {
    for (const table of options.tables) await createTable(client, table);
  } catch (error) {
    await service.close();
    throw error;
  } finally {
    client.destroy();
  }
  return {
    url,
    get pid() {
      return service.pid;
    },
    counts: async () => (await service.ask('counts')) as Record<string, number>,
    calls: async () => (await service.ask('calls')) as Record<string, string[]>,
    capacity: async () => (await service.ask('capacity')) as Capacity,
    resetCounts: async () => {
      await service.ask('reset');
    },
    close: () => service.close(),
  };
}

/** Creates a table as the template says it, unless it is there already. */
async function createTable(client: DynamoDBClient, table: TableSettings): Promise<void> {
  const command = new CreateTableCommand({
    TableName: table.TableName,
    AttributeDefinitions: table.AttributeDefinitions as NonNullable<
      ConstructorParameters<typeof CreateTableCommand>[0]['AttributeDefinitions']
    >,
    KeySchema: table.KeySchema as GlobalSecondaryIndex['KeySchema'],
    ...(table.GlobalSecondaryIndexes
      ? { GlobalSecondaryIndexes: table.GlobalSecondaryIndexes as GlobalSecondaryIndex[] }
      : {}),
    BillingMode: 'PAY_PER_REQUEST',
  });
  try {
    await client.send(command);
  } catch (error) {
    if ((error as Error).name !== 'ResourceInUseException') throw error;
  }
}
