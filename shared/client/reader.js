import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, DynamoDBDocumentClient, GetCommand, QueryCommand, } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { documentIdOf } from './ids.js';
import { documentKey, indexes, shardCount } from './ledger/keys.js';
import { toDocumentRecord } from './record.js';
/**
 * Reads document records, typed: what a downstream app needs and nothing that writes. Every record
 * is checked against the public contract (docs/record.schema.json) and stripped of Dropline's own
 * attributes.
 */
export class DroplineReader {
    #client;
    #table;
    constructor({ table, client = new DynamoDBClient({}) }) {
        this.#client = DynamoDBDocumentClient.from(client);
        this.#table = table;
    }
    /**
     * The record of the object under `key`, or `undefined` when Dropline has not seen it (yet).
     * @param key as S3 holds it, not URL-encoded
     */
    async get(bucket, key) {
        return this.getById(documentIdOf(bucket, key));
    }
    /** The record with this `documentId`, or `undefined`. */
    async getById(documentId) {
        const { Item } = await this.#client.send(new GetCommand({ TableName: this.#table, Key: documentKey(documentId) }));
        return Item && toDocumentRecord(Item);
    }
    /** The records that stand on this Claude file. */
    byFile(fileId) {
        return this.#indexed(indexes.byFile.name, indexes.byFile.hash, fileId);
    }
    /** The records that are under way (`open`), failed, or held until a person acts; in no order. */
    async *inState(state) {
        const { name, hash } = indexes.byState;
        for (let shard = 0; shard < shardCount; shard += 1) {
            yield* this.#indexed(name, hash, `${state}#${shard}`);
        }
    }
    /** The records of the keys first seen on a day. @param day `yyyy-mm-dd`, UTC */
    async *onDay(day) {
        const { name, hash } = indexes.byDay;
        for (let shard = 0; shard < shardCount; shard += 1) {
            yield* this.#indexed(name, hash, `${day}#${shard}`);
        }
    }
    async *#indexed(index, hash, value) {
        let cursor;
        do {
            const page = await this.#client.send(new QueryCommand({
                TableName: this.#table,
                IndexName: index,
                KeyConditionExpression: '#hash = :value',
                ExpressionAttributeNames: { '#hash': hash },
                ExpressionAttributeValues: { ':value': value },
                // As many as one BatchGet takes.
                Limit: 100,
                ExclusiveStartKey: cursor,
            }));
            const keys = (page.Items ?? []).filter((item) => item.sk === 'DOC');
            yield* await this.#records(keys.map(({ pk, sk }) => ({ pk, sk })));
            cursor = page.LastEvaluatedKey;
        } while (cursor);
    }
    async #records(keys) {
        const records = [];
        let wanted = keys;
        while (wanted.length > 0) {
            const { Responses, UnprocessedKeys } = await this.#client.send(new BatchGetCommand({ RequestItems: { [this.#table]: { Keys: wanted } } }));
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
export function recordOfImage(image) {
    if (image?.sk?.S !== 'DOC')
        return undefined;
    return toDocumentRecord(unmarshall(image));
}
