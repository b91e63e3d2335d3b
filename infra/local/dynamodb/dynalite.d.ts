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
    del(key: string, done: Done): void;
    batch(
      operations: ({ type: 'put'; key: string; value: Value } | { type: 'del'; key: string })[],
      done: Done,
    ): void;
    createValueStream(): AsyncIterable<Value>;
    createKeyStream(): AsyncIterable<string>;
  }

  export interface Store {
    db: {
      readonly status: string;
      open(): Promise<void>;
      close(): Promise<void>;
      get(key: string, done?: (error: unknown, value?: unknown) => void): unknown;
      getSync(key: string): unknown;
    };
    /** @param rest whether the table has to be ready (it has, when left out), and the callback */
    getTable(name: string, ...rest: (boolean | ((error: unknown, table?: Table) => void))[]): void;
    tableDb: Level<Table>;
    getItemDb(table: string): Level<Item>;
    getIndexDb(type: 'Global', table: string, index: string): Level<Item>;
  }

  interface Request {
    Key?: Item;
    Item?: Item;
    IndexName?: string;
    ConsistentRead?: boolean;
    ReturnConsumedCapacity?: string;
  }

  /** The functions that the actions call through this object, so that they can be replaced. */
  const db: {
    itemSize(item: Item): number;
    capacityUnits(item: Item | undefined, isRead: boolean, consistent?: boolean): number;
    updateIndexes(
      store: Store,
      table: Table,
      existing: Item | null | undefined,
      item: Item | null,
      done: Done,
    ): void;
    /** The error when the request's condition refuses. */
    checkConditional(request: Request, existing: Item | undefined): Error | null | undefined;
    addConsumedCapacity(request: Request, isRead: boolean, item?: Item, other?: Item): unknown;
    queryTable(store: Store, table: Table, request: Request, ...rest: unknown[]): void;
    create(options: { path: string }): Store;
    /** The key under which the item is stored. */
    createKey(item: Item, table: Table): string;
    getIndexActions(
      indexes: Index[],
      existing: undefined,
      item: Item | undefined,
      table: Table,
    ): { puts: { index: string; key: string; item: Item }[] };
  };
  export default db;
}
