/** Keys of the ledger's items (docs/architecture.md, "The ledger"). */

/** Primary key of an item. */
export interface Key {
  pk: string;
  sk: string;
}

/** Shards of every index whose key would otherwise be hot: 8 × 1,000 writes a second. */
export const shardCount = 8;

export const documentKey = (documentId: string): Key => ({ pk: `DOC#${documentId}`, sk: 'DOC' });

/** The budget of the parts of a version. */
export const budgetKey = (documentId: string, order: string): Key => ({
  pk: `DOC#${documentId}`,
  sk: `PARTS#${order}`,
});

export const pastVersionKey = (documentId: string, order: string): Key => ({
  pk: `DOC#${documentId}`,
  sk: `V#${order}`,
});

/** @param contentId of `contentIdOf` (content-id.ts) */
export const contentKey = (contentId: string): Key => ({
  pk: `CONTENT#${contentId}`,
  sk: 'CONTENT',
});

/**
 * A reference belongs to one version of a document, not to the document: otherwise a late release
 * of version 1 would drop the reference of a version 3 that came back to the same content.
 */
export const referenceKey = (contentId: string, documentId: string, order: string): Key => ({
  pk: `CONTENT#${contentId}`,
  sk: `REF#${documentId}#${order}`,
});

/** An answer is in the partition of its content, so that a release finds and deletes all of them. */
export const answerKey = (contentId: string, question: string): Key => ({
  pk: `CONTENT#${contentId}`,
  sk: `ANSWER#${question}`,
});

/** Cost entries of one UTC day (`yyyy-mm-dd`), spread over shards. */
export const costKey = (day: string, shard: number, entry: string): Key => ({
  pk: `COST#${day}#${shard}`,
  sk: entry,
});

/** What is spent in one UTC period: a day (`yyyy-mm-dd`) or a month (`yyyy-mm`). */
export const periodKey = (period: string): Key => ({ pk: `BUDGET#${period}`, sk: 'BUDGET' });

/** All Message Batches that are under way. */
export const batchKey = (name: string): Key => ({ pk: 'BATCH#ALL', sk: name });

/** When batches are looked at next. */
export const batchTurnKey: Key = { pk: 'BATCH#TURN', sk: 'TURN' };

/** A question that waits for a batch, by its `custom_id`. */
export const waitingLineKey = (id: string): Key => ({
  pk: `BATCH#WAITING#${shardOf(id)}`,
  sk: id,
});

/** The same in a batch. */
export const batchLineKey = (name: string, id: string): Key => ({
  pk: `BATCH#LINES#${name}`,
  sk: id,
});

/** Indexes of the table; all sparse, all projecting keys only. */
export const indexes = {
  /**
   * `open#n`, `failed#n`, `held#n` by the time the version was received; `past#n`, what was replaced or released and is
   * kept for a while, by the time until which it is.
   */
  byState: { name: 'by-state', hash: 'stateShard', range: 'stateAt' },
  /** `yyyy-mm-dd#n` of the day a key was first seen, by that time. */
  byDay: { name: 'by-day', hash: 'dayShard', range: 'listedAt' },
  /** Documents and contents by the `file_id` that carries them. */
  byFile: { name: 'by-file', hash: 'fileId', range: 'pk' },
} as const;

/** The shard of a document, 0 to 7; its id is a hash already. */
export function shardOf(documentId: string): number {
  let sum = 0;
  for (let i = 0; i < documentId.length; i += 1) sum += documentId.charCodeAt(i);
  return sum % shardCount;
}

const orderLength = 64;

/**
 * An S3 `sequencer` made comparable as a string. S3 says: hexadecimal strings of different length
 * are compared after padding the shorter one with zeros on the right
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
 * @throws RangeError when it is no hexadecimal string of at most 64 digits
 */
export function orderOf(sequencer: string): string {
  if (!/^[0-9a-f]{1,64}$/i.test(sequencer)) {
    throw new RangeError(`not an S3 sequencer: "${sequencer}"`);
  }
  return sequencer.toUpperCase().padEnd(orderLength, '0');
}

/** The order right after another: before any that S3 gives to a newer event, whose first digits differ. */
export function orderAfter(order: string): string {
  return (BigInt(`0x${order}`) + 1n).toString(16).toUpperCase().padStart(orderLength, '0');
}
