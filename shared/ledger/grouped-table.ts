import {
  BatchGetCommand,
  BatchWriteCommand,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';
import { documentKey, type Key } from './keys.ts';
import { type Condition, type Item, Table } from './table.ts';

/** The most items that DynamoDB reads and puts in one request. */
const maxGets = 100;
const maxPuts = 25;

/**
 * A table for a function that works on several messages at once: the documents that they read in the same turn of the
 * event loop are read by one request, and the references that they write are written by one. A lone item takes the
 * same request as in `Table`. Each item is read and written by itself, so a group is no transaction, and what a worker
 * that dies leaves behind is what it would leave with a request for each.
 */
export class GroupedTable extends Table {
  readonly #client: DynamoDBDocumentClient;
  readonly #name: string;
  readonly #gets: Together<Key, Item | undefined>;
  readonly #puts: Together<Item, void>;

  constructor(client: DynamoDBDocumentClient, name: string) {
    super(client, name);
    this.#client = client;
    this.#name = name;
    this.#gets = new Together(maxGets, (keys) => this.#getAll(keys));
    this.#puts = new Together(maxPuts, (items) => this.#putAll(items));
  }

  override async get(key: Key): Promise<Item | undefined> {
    return isDocument(key) ? this.#gets.ask(nameOf(key), key) : super.get(key);
  }

  override async put(item: Item, condition?: Condition): Promise<boolean> {
    if (condition || !isReference(item)) return super.put(item, condition);
    await this.#puts.ask(nameOf(item), item);
    return true;
  }

  async #getAll(keys: Map<string, Key>): Promise<(name: string) => Promise<Item | undefined>> {
    const [only] = keys.values();
    if (only && keys.size === 1) {
      const item = await super.get(only);
      return async () => item;
    }
    const Keys = [...keys.values()].map((key) => ({ ...key }));
    const { Responses, UnprocessedKeys } = await this.#client.send(
      new BatchGetCommand({ RequestItems: { [this.#name]: { Keys, ConsistentRead: true } } }),
    );
    const found = new Map((Responses?.[this.#name] ?? []).map((item) => [nameOf(item), item]));
    const left = new Set((UnprocessedKeys?.[this.#name]?.Keys ?? []).map(nameOf));
    // What is too much at once is read by itself: the SDK's own retries pace that.
    return async (name) => {
      const key = left.has(name) ? keys.get(name) : undefined;
      return key ? super.get(key) : found.get(name);
    };
  }

  async #putAll(items: Map<string, Item>): Promise<(name: string) => Promise<void>> {
    const [only] = items.values();
    if (only && items.size === 1) {
      await super.put(only);
      return async () => {};
    }
    const PutRequests = [...items.values()].map((Item) => ({ PutRequest: { Item } }));
    const { UnprocessedItems } = await this.#client.send(
      new BatchWriteCommand({ RequestItems: { [this.#name]: PutRequests } }),
    );
    const refused = new Map(
      (UnprocessedItems?.[this.#name] ?? []).flatMap(({ PutRequest }) =>
        PutRequest?.Item ? [[nameOf(PutRequest.Item), PutRequest.Item]] : [],
      ),
    );
    // As for reads.
    return async (name) => {
      const item = refused.get(name);
      if (item) await super.put(item);
    };
  }
}

interface Waiting<Answer> {
  name: string;
  resolve: (answer: Answer | Promise<Answer>) => void;
  reject: (error: unknown) => void;
}

/** Answers what is asked in one turn of the event loop together. */
class Together<Ask, Answer> {
  readonly #most: number;
  readonly #answerAll: (asks: Map<string, Ask>) => Promise<(name: string) => Promise<Answer>>;
  readonly #asks = new Map<string, Ask>();
  #waiting: Waiting<Answer>[] = [];

  /**
   * @param most how many may be answered together
   * @param answerAll answers some; what it resolves with gives the answer to each
   */
  constructor(
    most: number,
    answerAll: (asks: Map<string, Ask>) => Promise<(name: string) => Promise<Answer>>,
  ) {
    this.#most = most;
    this.#answerAll = answerAll;
  }

  /** @param name what is asked twice under one name is asked once */
  ask(name: string, ask: Ask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#flush());
      this.#asks.set(name, ask);
      this.#waiting.push({ name, resolve, reject });
      if (this.#asks.size === this.#most) this.#flush();
    });
  }

  #flush(): void {
    const asks = new Map(this.#asks);
    const waiting = this.#waiting;
    this.#asks.clear();
    this.#waiting = [];
    if (asks.size === 0) return;
    this.#answerAll(asks).then(
      (answerOf) => {
        for (const { name, resolve } of waiting) resolve(answerOf(name));
      },
      (error: unknown) => {
        for (const { reject } of waiting) reject(error);
      },
    );
  }
}

const isDocument = ({ pk, sk }: Key): boolean => pk.startsWith('DOC#') && sk === documentKey('').sk;

const isReference = ({ sk }: Item): boolean => String(sk).startsWith('REF#');

const nameOf = ({ pk, sk }: Item | Key): string => `${pk} ${sk}`;
