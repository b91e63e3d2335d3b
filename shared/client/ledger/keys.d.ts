/** Keys of the ledger's items (docs/architecture.md, "The ledger"). */
/** Primary key of an item. */
export interface Key {
    pk: string;
    sk: string;
}
/** Shards of every index whose key would otherwise be hot: 8 × 1,000 writes a second. */
export declare const shardCount = 8;
export declare const documentKey: (documentId: string) => Key;
export declare const pastVersionKey: (documentId: string, order: string) => Key;
export declare const contentKey: (sha256: string) => Key;
/**
 * A reference belongs to one version of a document, not to the document: otherwise a late release
 * of version 1 would drop the reference of a version 3 that came back to the same content.
 */
export declare const referenceKey: (sha256: string, documentId: string, order: string) => Key;
/** Indexes of the table; all sparse, all projecting keys only. */
export declare const indexes: {
    /** `open#n`, `failed#n`, `held#n` by the time the version was received. */
    readonly byState: {
        readonly name: 'by-state';
        readonly hash: 'stateShard';
        readonly range: 'stateAt';
    };
    /** `yyyy-mm-dd#n` of the day a key was first seen, by that time. */
    readonly byDay: {
        readonly name: 'by-day';
        readonly hash: 'dayShard';
        readonly range: 'listedAt';
    };
    /** Documents and contents by the `file_id` that carries them. */
    readonly byFile: {
        readonly name: 'by-file';
        readonly hash: 'fileId';
        readonly range: 'pk';
    };
};
/** The shard of a document, 0 to 7; its id is a hash already. */
export declare function shardOf(documentId: string): number;
/**
 * An S3 `sequencer` made comparable as a string. S3 says: hexadecimal strings of different length
 * are compared after padding the shorter one with zeros on the right
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
 * @throws RangeError when it is no hexadecimal string of at most 64 digits
 */
export declare function orderOf(sequencer: string): string;
/** The order right after another: before any that S3 gives to a newer event, whose first digits differ. */
export declare function orderAfter(order: string): string;
