import { randomBytes } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Key } from './keys.ts';

export type Item = Record<string, unknown>;

/** A condition in DynamoDB's expression language with its own placeholders. */
export interface Condition {
  expression: string;
  /** Placeholder without `#` → attribute name. */
  names?: Record<string, string>;
  /** Placeholder without `:` → value. */
  values?: Record<string, unknown>;
}

/** What an update writes; `undefined` values are left out. Paths with dots reach into maps. */
export interface Changes {
  set?: Record<string, unknown>;
  add?: Record<string, number>;
  remove?: string[];
}

export interface Page {
  items: Item[];
  cursor: Item | undefined;
}

export interface QueryInput {
  index?: string;
  hash: { name: string; value: string };
  range?: { name: string; beginsWith: string };
  limit?: number;
  cursor?: Item | undefined;
  consistent?: boolean;
}

/**
 * The table as the ledger uses it: single-item conditional writes and reads, nothing else. No
 * transactions (they cost double, and the embedded DynamoDB has none), and no
 * ReturnValuesOnConditionCheckFailure (the embedded one ignores it): a refused write is `false` or
 * `undefined`, and the caller reads again if it has to know why.
 */
export class Table {
  readonly #client: DynamoDBDocumentClient;
  readonly #name: string;
  readonly #token: () => string;

  /** @param token names a write, unique at each call */
  constructor(
    client: DynamoDBDocumentClient,
    name: string,
    token: () => string = () => randomBytes(6).toString('base64url'),
  ) {
    this.#client = client;
    this.#name = name;
    this.#token = token;
  }

  /** The item, by a strongly consistent read. */
  async get(key: Key): Promise<Item | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#name, Key: key, ConsistentRead: true }),
    );
    return Item;
  }

  /** The items that exist, in any order, by strongly consistent reads of up to 100 at once. */
  async getMany(keys: readonly Key[]): Promise<Item[]> {
    const items: Item[] = [];
    const left: Record<string, unknown>[] = keys.map(({ pk, sk }) => ({ pk, sk }));
    while (left.length > 0) {
      const now = left.splice(0, 100);
      const { Responses, UnprocessedKeys } = await this.#client.send(
        new BatchGetCommand({
          RequestItems: { [this.#name]: { Keys: now, ConsistentRead: true } },
        }),
      );
      items.push(...(Responses?.[this.#name] ?? []));
      // What is too much at once is asked for again; the SDK's own retries pace that.
      left.push(...(UnprocessedKeys?.[this.#name]?.Keys ?? []));
    }
    return items;
  }

  /** Puts the item; `false` when `condition` refuses it. */
  async put(item: Item, condition?: Condition): Promise<boolean> {
    // Without a condition a repeated put changes nothing, so it needs no name.
    const named = condition ? { ...item, written: this.#token() } : item;
    const done = await this.#conditional(
      () =>
        this.#client.send(
          new PutCommand({ TableName: this.#name, Item: named, ...conditionInput(condition) }),
        ),
      async () => (await this.#keptAs(keyIn(item), named.written)) !== undefined,
    );
    return done;
  }

  /** Updates the item and returns it whole as it is now; `undefined` when `condition` refuses it. */
  async update(key: Key, changes: Changes, condition?: Condition): Promise<Item | undefined> {
    const written = this.#token();
    const named = { ...changes, set: { ...changes.set, written } };
    const input = updateInput(named, unlessWritten(written, condition));
    let item: Item | undefined;
    const done = await this.#conditional(
      async () => {
        const { Attributes } = await this.#client.send(
          new UpdateCommand({
            TableName: this.#name,
            Key: key,
            ReturnValues: 'ALL_NEW',
            ...input,
          }),
        );
        item = Attributes;
      },
      async () => {
        item = await this.#keptAs(key, written);
        return item !== undefined;
      },
    );
    return done ? item : undefined;
  }

  /** Deletes the item; `false` when `condition` refuses it. Deleting an item that does not exist succeeds. */
  async delete(key: Key, condition?: Condition): Promise<boolean> {
    return this.#conditional(
      () =>
        this.#client.send(
          new DeleteCommand({ TableName: this.#name, Key: key, ...conditionInput(condition) }),
        ),
      async () => (await this.get(key)) === undefined,
    );
  }

  async query(input: QueryInput): Promise<Page> {
    const names: Record<string, string> = { '#hash': input.hash.name };
    const values: Record<string, unknown> = { ':hash': input.hash.value };
    let expression = '#hash = :hash';
    if (input.range) {
      names['#range'] = input.range.name;
      values[':range'] = input.range.beginsWith;
      expression += ' AND begins_with(#range, :range)';
    }
    const { Items, LastEvaluatedKey } = await this.#client.send(
      new QueryCommand({
        TableName: this.#name,
        IndexName: input.index,
        KeyConditionExpression: expression,
        ExpressionAttributeNames: names,
        ExpressionAttributeValues: values,
        Limit: input.limit,
        ExclusiveStartKey: input.cursor,
        ConsistentRead: input.consistent,
      }),
    );
    return { items: Items ?? [], cursor: LastEvaluatedKey };
  }

  /** A page of an index, in no order. Eventually consistent, as indexes are. */
  async scan(input: { index: string; limit: number; cursor?: Item | undefined }): Promise<Page> {
    const { Items, LastEvaluatedKey } = await this.#client.send(
      new ScanCommand({
        TableName: this.#name,
        IndexName: input.index,
        Limit: input.limit,
        ExclusiveStartKey: input.cursor,
      }),
    );
    return { items: Items ?? [], cursor: LastEvaluatedKey };
  }

  /**
   * Sends a conditional write. The SDK retries a write whose response was lost; when the first try had taken
   * effect, the retry is refused by the write's own condition. So a refusal after a retry is looked into.
   * @param isOwn whether the item is as this very write left it
   */
  async #conditional(
    send: () => Promise<unknown>,
    isOwn: () => Promise<boolean>,
  ): Promise<boolean> {
    try {
      await send();
      return true;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return (error.$metadata.attempts ?? 1) > 1 && isOwn();
    }
  }

  /** The item, provided that the write of this name was the last to change it. */
  async #keptAs(key: Key, written: unknown): Promise<Item | undefined> {
    const item = await this.get(key);
    return item?.written === written ? item : undefined;
  }
}

/** Refuses the retry of a write that has taken effect, so that what it adds is added once. */
function unlessWritten(token: string, condition: Condition | undefined): Condition {
  // It also holds where nothing has named the item yet. Few parentheses: dynalite takes ten times as long with them.
  const first = 'NOT written = :written';
  const given = condition?.expression;
  return {
    ...condition,
    expression: given ? `${given.includes(' OR ') ? `(${given})` : given} AND ${first}` : first,
    values: { ...condition?.values, written: token },
  };
}

const keyIn = ({ pk, sk }: Item): Key => ({ pk: String(pk), sk: String(sk) });

function conditionInput(condition: Condition | undefined) {
  if (!condition) return {};
  return {
    ConditionExpression: condition.expression,
    ...placeholders(condition.names ?? {}, condition.values ?? {}),
  };
}

function updateInput(changes: Changes, condition: Condition | undefined) {
  const names: Record<string, string> = { ...condition?.names };
  const values: Record<string, unknown> = { ...condition?.values };
  let counter = 0;
  const path = (attribute: string) =>
    attribute
      .split('.')
      .map((part) => {
        const name = `u${counter++}`;
        names[name] = part;
        return `#${name}`;
      })
      .join('.');
  const value = (given: unknown) => {
    const name = `u${counter++}`;
    values[name] = given;
    return `:${name}`;
  };

  const sets = Object.entries(changes.set ?? {})
    .filter(([, given]) => given !== undefined)
    .map(([attribute, given]) => `${path(attribute)} = ${value(given)}`);
  for (const [attribute, amount] of Object.entries(changes.add ?? {})) {
    const target = path(attribute);
    sets.push(`${target} = if_not_exists(${target}, ${value(0)}) + ${value(amount)}`);
  }
  const removes = (changes.remove ?? []).map(path);
  const clauses = [
    sets.length > 0 ? `SET ${sets.join(', ')}` : '',
    removes.length > 0 ? `REMOVE ${removes.join(', ')}` : '',
  ].filter(Boolean);

  return {
    UpdateExpression: clauses.join(' '),
    ...(condition ? { ConditionExpression: condition.expression } : {}),
    ...placeholders(names, values),
  };
}

function placeholders(names: Record<string, string>, values: Record<string, unknown>) {
  const prefixed = <T>(record: Record<string, T>, prefix: string) =>
    Object.fromEntries(Object.entries(record).map(([name, given]) => [prefix + name, given]));
  return {
    ...(Object.keys(names).length > 0 ? { ExpressionAttributeNames: prefixed(names, '#') } : {}),
    ...(Object.keys(values).length > 0 ? { ExpressionAttributeValues: prefixed(values, ':') } : {}),
  };
}
