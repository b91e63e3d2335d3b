import { type AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { documentIdOf } from '../journey/ids.ts';
import { type DocumentRecord, toDocumentRecord } from '../journey/record.ts';
import { documentKey, indexes, shardCount } from '../ledger/keys.ts';
import { type CostQuery, type CostSum, sumCosts } from './costs.ts';

export interface ReaderOptions {
  /** Name of the ledger's table: the stack's output `LedgerTable`. */
  table: string;
  /** Default: a client with the SDK's own region, credentials and endpoint. */
  client?: DynamoDBClient;
}

/** The states that `inState` lists. Find other records by key, by day or by file. */
export type ListedState = 'open' | 'failed' | 'held';

/**
 * Reads document records; it never writes. Every record is checked against the public contract
 * (docs/record.schema.json) and stripped of Dropline's own attributes. Every method throws the SDK's
 * errors, and `ZodError` for a record that breaks the contract.
 * @example
 * import { DroplineReader } from 'dropline-aws';
 * const reader = new DroplineReader({ table: 'dropline-ledger' });
 * const record = await reader.get('dropline-inbox', 'services-agreement.docx');
 * console.log(record?.status); // prints ready
 */
export class DroplineReader {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor({ table, client = new DynamoDBClient({}) }: ReaderOptions) {
    this.#client = DynamoDBDocumentClient.from(client);
    this.#table = table;
  }

  /**
   * The record of the object under `key`, or `undefined` when Dropline has not seen that object yet.
   * @param key as S3 holds it, not URL-encoded
   * @example
   * import { DroplineReader } from 'dropline-aws';
   * const reader = new DroplineReader({ table: 'dropline-ledger' });
   * console.log(await reader.get('dropline-inbox', 'never-dropped.txt')); // prints undefined
   */
  async get(bucket: string, key: string): Promise<DocumentRecord | undefined> {
    return this.getById(documentIdOf(bucket, key));
  }

  /**
   * The record with this `documentId`, or `undefined`.
   * @example
   * import { DroplineReader, documentIdOf } from 'dropline-aws';
   * const reader = new DroplineReader({ table: 'dropline-ledger' });
   * const id = documentIdOf('dropline-inbox', 'services-agreement.docx');
   * console.log((await reader.getById(id))?.key); // prints services-agreement.docx
   */
  async getById(documentId: string): Promise<DocumentRecord | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: documentKey(documentId) }),
    );
    return Item && toDocumentRecord(Item);
  }

  /**
   * The records whose content is this Claude file: several when the same bytes were dropped under
   * several keys.
   * @example
   * import { DroplineReader } from 'dropline-aws';
   * const reader = new DroplineReader({ table: 'dropline-ledger' });
   * const record = await reader.get('dropline-inbox', 'services-agreement.docx');
   * for await (const { key } of reader.byFile(record?.fileId ?? ''))
   *   console.log(key); // prints services-agreement.docx
   */
  byFile(fileId: string): AsyncGenerator<DocumentRecord> {
    return this.#indexed(indexes.byFile.name, indexes.byFile.hash, fileId);
  }

  /**
   * The records that are in progress (`open`), failed, or held until a person acts; in no particular
   * order.
   * @example
   * import { DroplineReader } from 'dropline-aws';
   * const reader = new DroplineReader({ table: 'dropline-ledger' });
   * for await (const { key, error } of reader.inState('failed'))
   *   console.log(key, error?.code); // prints empty.txt normalize.empty
   */
  async *inState(state: ListedState): AsyncGenerator<DocumentRecord> {
    const { name, hash } = indexes.byState;
    for (let shard = 0; shard < shardCount; shard += 1) {
      yield* this.#indexed(name, hash, `${state}#${shard}`);
    }
  }

  /**
   * The records of the keys first seen on one day, in no particular order.
   * @param day `yyyy-mm-dd`, UTC
   * @example
   * import { DroplineReader } from 'dropline-aws';
   * const reader = new DroplineReader({ table: 'dropline-ledger' });
   * const keys: string[] = [];
   * for await (const { key } of reader.onDay('2026-01-01')) keys.push(key);
   * console.log(keys.length); // prints 0
   */
  async *onDay(day: string): AsyncGenerator<DocumentRecord> {
    const { name, hash } = indexes.byDay;
    for (let shard = 0; shard < shardCount; shard += 1) {
      yield* this.#indexed(name, hash, `${day}#${shard}`);
    }
  }

  /**
   * What paid calls have cost, summed by day, profile, folder or model, over UTC days. Every call is counted once, whatever was
   * delivered twice, and also when its document was removed since. Calls whose cost is not known are counted apart.
   * @returns a sum for each group that had a call, by name
   * @throws RangeError when a day is none, or the last is before the first
   * @example
   * import { DroplineReader } from 'dropline-aws';
   * const reader = new DroplineReader({ table: 'dropline-ledger' });
   * const today = new Date().toISOString().slice(0, 10);
   * const sums = await reader.costs({ from: today, to: today, by: 'profile' });
   * for (const { group, calls, costUsd, unknownCalls } of sums)
   *   console.log(group, calls, costUsd > 0, unknownCalls); // prints default 1 true 0
   */
  async costs(query: CostQuery): Promise<CostSum[]> {
    return sumCosts(this.#client, this.#table, query);
  }

  async *#indexed(index: string, hash: string, value: string): AsyncGenerator<DocumentRecord> {
    let cursor: Record<string, unknown> | undefined;
    do {
      const page = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          IndexName: index,
          KeyConditionExpression: '#hash = :value',
          ExpressionAttributeNames: { '#hash': hash },
          ExpressionAttributeValues: { ':value': value },
          // The maximum of one BatchGet.
          Limit: 100,
          ExclusiveStartKey: cursor,
        }),
      );
      const keys = (page.Items ?? []).filter((item) => item.sk === 'DOC');
      yield* await this.#records(keys.map(({ pk, sk }) => ({ pk, sk })));
      cursor = page.LastEvaluatedKey;
    } while (cursor);
  }

  async #records(keys: Record<string, unknown>[]): Promise<DocumentRecord[]> {
    const records: DocumentRecord[] = [];
    let wanted = keys;
    while (wanted.length > 0) {
      const { Responses, UnprocessedKeys } = await this.#client.send(
        new BatchGetCommand({ RequestItems: { [this.#table]: { Keys: wanted } } }),
      );
      records.push(...(Responses?.[this.#table] ?? []).map(toDocumentRecord));
      wanted = UnprocessedKeys?.[this.#table]?.Keys ?? [];
    }
    return records;
  }
}

/**
 * The record in an image of the table's stream (`NewImage` or `OldImage`), or `undefined` when the
 * change was to another kind of item. Throws `ZodError` for a record that breaks the contract.
 * @param image as DynamoDB streams and Lambda deliver it, with typed attribute values
 * @example
 * import { recordOfImage } from 'dropline-aws';
 * const onChange = (event: { Records: { dynamodb?: { NewImage?: Parameters<typeof recordOfImage>[0] } }[] }) =>
 *   event.Records.map(({ dynamodb }) => recordOfImage(dynamodb?.NewImage));
 * const image = { pk: { S: 'PACE' }, sk: { S: 'PACE' } };
 * console.log(onChange({ Records: [{ dynamodb: { NewImage: image } }] })); // prints [ undefined ]
 */
export function recordOfImage(
  image: Record<string, AttributeValue> | undefined,
): DocumentRecord | undefined {
  if (image?.sk?.S !== 'DOC') return undefined;
  return toDocumentRecord(unmarshall(image));
}
