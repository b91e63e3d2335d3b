/** The parts of dynalite 3.2.2 that are used here; the package has no types. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  export default function dynalite(options: { path?: string; createTableMs?: number }): Server;
}

declare module 'dynalite/db/index.js' {
  export type Item = Record<string, unknown>;

  export interface Index {
    IndexName: string;
    KeySchema: unknown;
    Projection: unknown;
  }

  export interface Table {
    TableName: string;
    TableStatus: string;
    AttributeDefinitions: unknown;
    KeySchema: unknown;
    GlobalSecondaryIndexes?: Index[];
  }

  /** A levelup database. */
  export interface Level<Value> {
    get(key: string): Promise<Value>;
    put(key: string, value: Value): Promise<void>;
    del(key: string): Promise<void>;
    batch(
      operations: ({ type: 'put'; key: string; value: Value } | { type: 'del'; key: string })[],
    ): Promise<void>;
    createReadStream(range?: object): AsyncIterable<{ key: string; value: Value }>;
    createKeyStream(): AsyncIterable<string>;
    open(): Promise<void>;
    close(): Promise<void>;
  }

  export interface Store {
    db: Level<unknown>;
    tableDb: Level<Table>;
    getItemDb(table: string): Level<Item>;
    getIndexDb(type: 'Global', table: string, index: string): Level<Item>;
  }

  const db: {
    create(options: { path: string }): Store;
    getIndexActions(
      indexes: Index[],
      existing: undefined,
      item: Item,
      table: Table,
    ): { puts: { index: string; key: string; item: Item }[] };
  };
  export default db;
}
