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

export interface ReaderOptions {
  /** Name of the ledger's table: the stack's output `LedgerTable`. */
  table: string;
  /** Region, credentials and endpoint are the SDK's own when left out. */
  client?: DynamoDBClient;
}

/** States that the index by state lists; everything else is found by key, by day or by file. */
export type ListedState = 'open' | 'failed' | 'held';

/**
 * Reads document records, typed: what a downstream app needs and nothing that writes. Every record
 * is checked against the public contract (docs/record.schema.json) and stripped of Dropline's own
 * attributes.
 */
export class DroplineReader {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor({ table, client = new DynamoDBClient({}) }: ReaderOptions) {
    this.#client = DynamoDBDocumentClient.from(client);
    this.#table = table;
  }

  /**
   * The record of the object under `key`, or `undefined` when Dropline has not seen it (yet).
   * @param key as S3 holds it, not URL-encoded
   */
  async get(bucket: string, key: string): Promise<DocumentRecord | undefined> {
    return this.getById(documentIdOf(bucket, key));
  }

  /** The record with this `documentId`, or `undefined`. */
  async getById(documentId: string): Promise<DocumentRecord | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: documentKey(documentId) }),
    );
    return Item && toDocumentRecord(Item);
  }

  /** The records that stand on this Claude file. */
  byFile(fileId: string): AsyncGenerator<DocumentRecord> {
    return this.#indexed(indexes.byFile.name, indexes.byFile.hash, fileId);
  }

  /** The records that are under way (`open`), failed, or held until a person acts; in no order. */
  async *inState(state: ListedState): AsyncGenerator<DocumentRecord> {
    const { name, hash } = indexes.byState;
    for (let shard = 0; shard < shardCount; shard += 1) {
      yield* this.#indexed(name, hash, `${state}#${shard}`);
    }
  }

  /** The records of the keys first seen on a day. @param day `yyyy-mm-dd`, UTC */
  async *onDay(day: string): AsyncGenerator<DocumentRecord> {
    const { name, hash } = indexes.byDay;
    for (let shard = 0; shard < shardCount; shard += 1) {
      yield* this.#indexed(name, hash, `${day}#${shard}`);
    }
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
          // As many as one BatchGet takes.
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
 * change was to another of the ledger's items.
 * @param image as DynamoDB streams and Lambda deliver it, with typed attribute values
 */
export function recordOfImage(
  image: Record<string, AttributeValue> | undefined,
): DocumentRecord | undefined {
  if (image?.sk?.S !== 'DOC') return undefined;
  return toDocumentRecord(unmarshall(image));
}
