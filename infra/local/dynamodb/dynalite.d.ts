/** The parts of dynalite 4.0.0 that are used here; the package has no types. */
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

  type Done = (error?: unknown) => void;

  /** The part of the database whose keys have one prefix. It returns no promises. */
  export interface Level<Value> {
    put(key: string, value: Value, done: Done): void;
    batch(
      operations: ({ type: 'put'; key: string; value: Value } | { type: 'del'; key: string })[],
      done: Done,
    ): void;
    createValueStream(): AsyncIterable<Value>;
    createKeyStream(): AsyncIterable<string>;
  }

  export interface Store {
    db: { open(): Promise<void>; close(): Promise<void> };
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
