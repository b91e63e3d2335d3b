import { type AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type DocumentRecord } from './record.ts';
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
export declare class DroplineReader {
    #private;
    constructor({ table, client }: ReaderOptions);
    /**
     * The record of the object under `key`, or `undefined` when Dropline has not seen it (yet).
     * @param key as S3 holds it, not URL-encoded
     */
    get(bucket: string, key: string): Promise<DocumentRecord | undefined>;
    /** The record with this `documentId`, or `undefined`. */
    getById(documentId: string): Promise<DocumentRecord | undefined>;
    /** The records that stand on this Claude file. */
    byFile(fileId: string): AsyncGenerator<DocumentRecord>;
    /** The records that are under way (`open`), failed, or held until a person acts; in no order. */
    inState(state: ListedState): AsyncGenerator<DocumentRecord>;
    /** The records of the keys first seen on a day. @param day `yyyy-mm-dd`, UTC */
    onDay(day: string): AsyncGenerator<DocumentRecord>;
}
/**
 * The record in an image of the table's stream (`NewImage` or `OldImage`), or `undefined` when the
 * change was to another of the ledger's items.
 * @param image as DynamoDB streams and Lambda deliver it, with typed attribute values
 */
export declare function recordOfImage(image: Record<string, AttributeValue> | undefined): DocumentRecord | undefined;
