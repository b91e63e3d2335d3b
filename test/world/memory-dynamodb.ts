import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { GroupedTable } from '../../shared/ledger/grouped-table.ts';
import { indexes } from '../../shared/ledger/keys.ts';
import type { Table } from '../../shared/ledger/table.ts';
import { applyUpdate, type Item, meets, type Placeholders } from './expressions.ts';
import type { LedgerServer } from './ledger.ts';

interface Input extends Partial<Placeholders> {
  TableName: string;
  Key?: Item;
  Item?: Item;
  ConditionExpression?: string;
  UpdateExpression?: string;
  KeyConditionExpression?: string;
  IndexName?: string;
  Limit?: number;
  ExclusiveStartKey?: Item;
  /** Which try of the request this is. */
  attempts?: number;
}

/**
 * An in-process DynamoDB that evaluates the ledger's expressions, for tests with thousands of runs. It accepts what
 * `Table` sends and nothing else. The same contract suite runs over it and over dynalite
 * (test/ledger/table.test.ts), so it can be trusted.
 */
export class MemoryDynamo {
  readonly #tables = new Map<string, Map<string, Item>>();
  #counter = 0;
  /** What happens between the two tries of the next write; set while its acknowledgement is to be lost. */
  #meanwhile: (() => unknown) | undefined;

  /**
   * Loses the acknowledgement of the next write: it takes effect, and is sent again, as the SDK does.
   * @param meanwhile what others do between the two tries
   */
  loseAcknowledgement(meanwhile: () => unknown = () => {}): void {
    this.#meanwhile = meanwhile;
  }

  /** A client for `Table`. Commands take effect in the order they are sent. */
  get client(): DynamoDBDocumentClient {
    const port = { send: async (command: { input: object }) => this.#send(command) };
    return port as unknown as DynamoDBDocumentClient;
  }

  /** Makes an empty table with the ledger's indexes and returns its name. */
  createTable(): string {
    this.#counter += 1;
    const name = `ledger-${this.#counter}`;
    this.#tables.set(name, new Map());
    return name;
  }

  /** All items of all tables, ordered by key. */
  items(): Item[] {
    return [...this.#tables.values()]
      .flatMap((table) => [...table])
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, item]) => structuredClone(item));
  }

  /** All items of one table. */
  itemsOf(name: string): Item[] {
    return [...this.#table(name).values()].map((item) => structuredClone(item));
  }

  #getMany({ input }: BatchGetCommand) {
    const found = Object.entries(input.RequestItems ?? {}).map(([name, { Keys = [] }]) => [
      name,
      Keys.flatMap((key) => structuredClone(this.#table(name).get(keyOf(key))) ?? []),
    ]);
    return { Responses: Object.fromEntries(found) };
  }

  #putMany({ input }: BatchWriteCommand) {
    for (const [name, writes] of Object.entries(input.RequestItems ?? {})) {
      for (const { PutRequest } of writes) {
        const item = structuredClone(PutRequest?.Item ?? {});
        put(this.#table(name), { TableName: name, Item: item });
      }
    }
    return { UnprocessedItems: {} };
  }

  #table(name: string): Map<string, Item> {
    const table = this.#tables.get(name);
    if (!table) throw new Error(`no table ${name}`);
    return table;
  }

  #send(command: { input: object }): unknown {
    const meanwhile = this.#meanwhile;
    if (!meanwhile || !isWrite(command)) return this.#take(command, 1);
    this.#meanwhile = undefined;
    return this.#sendTwice(command, meanwhile);
  }

  async #sendTwice(command: { input: object }, meanwhile: () => unknown): Promise<unknown> {
    // A refusal is an answer like any other, and can be lost as well.
    const taken = await Promise.resolve()
      .then(() => this.#take(command, 1))
      .catch((error: unknown) => error);
    if (taken instanceof Error && !(taken instanceof ConditionalCheckFailedException)) throw taken;
    await meanwhile();
    return this.#take(command, 2);
  }

  #take(command: { input: object }, attempts: number): unknown {
    if (command instanceof BatchGetCommand) return this.#getMany(command);
    if (command instanceof BatchWriteCommand) return this.#putMany(command);
    // A copy, like marshalling makes: later changes by the caller do not affect the table.
    const input = structuredClone(command.input) as Input;
    const table = this.#table(input.TableName);
    input.attempts = attempts;
    if (command instanceof GetCommand)
      return { Item: structuredClone(table.get(keyOf(input.Key))) };
    if (command instanceof PutCommand) return put(table, input);
    if (command instanceof UpdateCommand) return update(table, input);
    if (command instanceof DeleteCommand) return remove(table, input);
    if (command instanceof QueryCommand) return query(table, input);
    if (command instanceof ScanCommand) return page(inIndex(table, input), input);
    throw new Error(`not a command of the ledger: ${command.constructor.name}`);
  }
}

const isWrite = (command: object): boolean =>
  command instanceof PutCommand ||
  command instanceof UpdateCommand ||
  command instanceof DeleteCommand;

function put(table: Map<string, Item>, input: Input) {
  const key = keyOf(input.Item);
  check(table.get(key), input);
  table.set(key, withoutUndefined(input.Item ?? {}));
  return {};
}

function update(table: Map<string, Item>, input: Input) {
  const key = keyOf(input.Key);
  const present = table.get(key);
  check(present, input);
  const { UpdateExpression = '', ConditionExpression } = input;
  const next = applyUpdate(UpdateExpression, present ?? { ...input.Key }, {
    ...placeholders(input),
    elsewhere: ConditionExpression,
  });
  table.set(key, next);
  return { Attributes: structuredClone(next) };
}

function remove(table: Map<string, Item>, input: Input) {
  const key = keyOf(input.Key);
  check(table.get(key), input);
  table.delete(key);
  return {};
}

function query(table: Map<string, Item>, input: Input) {
  const { KeyConditionExpression = '' } = input;
  const found = inIndex(table, input).filter((item) =>
    meets(KeyConditionExpression, item, placeholders(input)),
  );
  return page(found, input);
}

/** The items of the requested index (or table), in its order. */
function inIndex(
  table: Map<string, Item>,
  { IndexName, ExpressionAttributeValues }: Input,
): Item[] {
  const index = Object.values(indexes).find(({ name }) => name === IndexName);
  if (IndexName && !index) throw new Error(`no index ${IndexName}`);
  const [hash, range] = index ? [index.hash, index.range] : ['pk', 'sk'];
  const names = [...new Set(['pk', 'sk', hash, range])];
  // A query is about one hash key: what has another need not be sorted.
  const wanted = ExpressionAttributeValues?.[':hash'];
  return [...table.values()]
    .filter((item) => wanted === undefined || item[hash] === wanted)
    .filter((item) => typeof item[hash] === 'string' && typeof item[range] === 'string')
    .map((item) => (index ? Object.fromEntries(names.map((name) => [name, item[name]])) : item))
    .sort((a, b) => compare(a, b, [hash, range, 'pk', 'sk']));
}

function compare(a: Item, b: Item, by: string[]): number {
  for (const name of by) {
    const [left, right] = [String(a[name]), String(b[name])];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

function page(found: Item[], { Limit, ExclusiveStartKey, IndexName }: Input) {
  const after = ExclusiveStartKey
    ? found.filter((item) => !isAfter(item, ExclusiveStartKey, IndexName)).length
    : 0;
  const items = found.slice(after, Limit ? after + Limit : undefined);
  const last = items.at(-1);
  return {
    Items: structuredClone(items),
    ...(last && after + items.length < found.length
      ? { LastEvaluatedKey: structuredClone(last) }
      : {}),
  };
}

/** Whether an item comes after the key that a page begins after; that item itself may be gone. */
function isAfter(item: Item, start: Item, indexName: string | undefined): boolean {
  const index = Object.values(indexes).find(({ name }) => name === indexName);
  const by = index ? [index.hash, index.range, 'pk', 'sk'] : ['pk', 'sk'];
  return compare(item, start, by) > 0;
}

function check(present: Item | undefined, input: Input): void {
  if (!input.ConditionExpression) return;
  const { UpdateExpression } = input;
  const given = { ...placeholders(input), elsewhere: UpdateExpression };
  if (meets(input.ConditionExpression, present ?? {}, given)) return;
  throw new ConditionalCheckFailedException({
    message: 'The conditional request failed',
    $metadata: { attempts: input.attempts ?? 1 },
  });
}

const placeholders = (input: Input): Placeholders => ({
  ExpressionAttributeNames: input.ExpressionAttributeNames ?? {},
  ExpressionAttributeValues: input.ExpressionAttributeValues ?? {},
});

function keyOf(item: Item | undefined): string {
  if (typeof item?.pk !== 'string' || typeof item.sk !== 'string') throw new Error('no key');
  return `${item.pk}\0${item.sk}`;
}

/** Like the document client's option `removeUndefinedValues`. */
function withoutUndefined<T>(value: T): T {
  if (Array.isArray(value)) {
    return value.filter((each) => each !== undefined).map(withoutUndefined) as T;
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([name, each]) => [name, withoutUndefined(each)]),
  ) as T;
}

export interface MemoryLedger extends LedgerServer {
  /** All items of all tables. */
  items(): Item[];
  /** Loses the acknowledgement of the next write, which is then sent again (`MemoryDynamo`). */
  loseAcknowledgement(meanwhile?: () => unknown): void;
}

/** In-memory ledgers, in place of `startLedgerServer`. */
export function memoryLedger(): MemoryLedger {
  const dynamo = new MemoryDynamo();
  const names = new WeakMap<Table, string>();
  return {
    url: 'memory:',
    create: async () => {
      const name = dynamo.createTable();
      const table = new GroupedTable(dynamo.client, name);
      names.set(table, name);
      return table;
    },
    items: () => dynamo.items(),
    itemsOf: async (table) => dynamo.itemsOf(names.get(table) ?? ''),
    loseAcknowledgement: (meanwhile) => dynamo.loseAcknowledgement(meanwhile),
    close: () => {},
  };
}
