import type { QueuedStep, QueueName } from '../shared/journey/steps.ts';
import { indexes } from '../shared/ledger/keys.ts';

/**
 * What each function may do, in one table. `test/infra/rights.test.ts` compares it with what the functions do on
 * the local host: nothing is missing, and nothing is spare. Normalize and render parse files made by
 * strangers, so what their functions may not do, a hostile file cannot make them do.
 */

/** The functions of the stack. */
export type FunctionName = QueuedStep | 'reconcile';

/** A Scan has no leading key, so a condition on the kind of item would let it read every kind: for indexes only. */
type ItemAction =
  | 'GetItem'
  | 'BatchGetItem'
  | 'PutItem'
  | 'BatchWriteItem'
  | 'UpdateItem'
  | 'DeleteItem'
  | 'Query';
type IndexAction = 'Query' | 'Scan';
type ObjectAction =
  | 'GetObject'
  | 'GetObjectVersion'
  | 'GetObjectTagging'
  | 'GetObjectVersionTagging'
  | 'PutObject'
  | 'DeleteObject';

/** Actions on objects, by the pattern of their keys. */
export type BucketRights = Readonly<Record<string, readonly ObjectAction[]>>;

/** What one function may do. */
export interface Rights {
  /** Actions on the ledger's items, by the beginning of their partition keys. */
  readonly ledger: Readonly<Record<string, readonly ItemAction[]>>;
  /** Actions on the ledger's indexes, by name. */
  readonly indexes?: Readonly<Record<string, readonly IndexAction[]>>;
  /** Buckets. What reads or deletes there may also list it: see `objects` in grants.ts. */
  readonly inbox?: BucketRights;
  readonly staging?: BucketRights;
  readonly results?: BucketRights;
  /** Queues it sends to. It may also take the messages of its own queue. */
  readonly sends: readonly QueueName[];
  /** Whether it reads the Claude API key. */
  readonly callsClaude?: true;
  /** Whether it looks at dead letters and at the length of queues. */
  readonly looksAtQueues?: true;
}

/** Parts of mails and archives, and converted bytes: below these the staging bucket keeps them. */
const parts = 'parts/*';
const staged = 'staged/*';

/** Every step may be the one that deletes what a removed document left behind (steps/release-past.ts). */
const ofDocuments = ['GetItem', 'BatchGetItem', 'UpdateItem', 'DeleteItem', 'Query'] as const;

/** The version of the ledger, which each process checks once (ledger/schema.ts). */
const schema = { SCHEMA: ['GetItem', 'UpdateItem'] } as const;

export const rights: Readonly<Record<FunctionName, Rights>> = {
  normalize: {
    ledger: {
      'DOC#': [...ofDocuments, 'PutItem'],
      'CONTENT#': ['GetItem'],
      ...schema,
    },
    // S3 tells how many tags an object has only to those who may read them.
    inbox: {
      '*': ['GetObject', 'GetObjectVersion', 'GetObjectTagging', 'GetObjectVersionTagging'],
    },
    staging: {
      [parts]: ['GetObject', 'PutObject', 'DeleteObject'],
      [staged]: ['PutObject', 'DeleteObject'],
    },
    sends: ['intake', 'render', 'upload'],
  },
  render: {
    ledger: { 'DOC#': [...ofDocuments], 'CONTENT#': ['GetItem'], ...schema },
    inbox: { '*': ['GetObjectVersion'] },
    staging: { [parts]: ['GetObject', 'DeleteObject'], [staged]: ['PutObject', 'DeleteObject'] },
    sends: ['intake', 'upload'],
  },
  upload: {
    ledger: {
      'DOC#': [...ofDocuments],
      'CONTENT#': ['GetItem', 'PutItem', 'BatchWriteItem', 'UpdateItem', 'DeleteItem', 'Query'],
      'COST#': ['PutItem'],
      'CIRCUIT#': ['GetItem', 'PutItem', 'UpdateItem'],
      'TROUBLE#': ['GetItem', 'UpdateItem', 'DeleteItem'],
      'PACE#': ['GetItem', 'UpdateItem'],
      ...schema,
    },
    inbox: { '*': ['GetObjectVersion'] },
    staging: { [parts]: ['GetObject', 'DeleteObject'], [staged]: ['GetObject', 'DeleteObject'] },
    results: { 'answers/*': ['DeleteObject'] },
    sends: ['intake', 'upload', 'summarize'],
    callsClaude: true,
  },
  summarize: {
    ledger: {
      'DOC#': [...ofDocuments],
      'CONTENT#': ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query'],
      // The first call of a period sums what was spent in it before.
      'COST#': ['PutItem', 'Query'],
      'BUDGET#': ['GetItem', 'PutItem', 'UpdateItem'],
      'BATCH#': ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query'],
      'CIRCUIT#': ['GetItem', 'PutItem', 'UpdateItem'],
      'TROUBLE#': ['GetItem', 'UpdateItem', 'DeleteItem'],
      'PACE#': ['GetItem', 'UpdateItem'],
      ...schema,
    },
    // The text that went to Claude, where citations and quotes are looked up; a PDF's is staged (steps/text-layer.ts).
    inbox: { '*': ['GetObjectVersion'] },
    staging: { [parts]: ['GetObject', 'DeleteObject'], [staged]: ['GetObject', 'DeleteObject'] },
    results: { 'answers/*': ['GetObject', 'PutObject'] },
    sends: ['intake', 'upload', 'summarize'],
    callsClaude: true,
  },
  reconcile: {
    ledger: {
      'DOC#': [...ofDocuments],
      'CONTENT#': ['GetItem', 'UpdateItem', 'DeleteItem', 'Query'],
      'COST#': ['GetItem', 'PutItem', 'Query'],
      'BUDGET#': ['GetItem', 'UpdateItem'],
      // To see whether somebody looks after them (reconcile/batches.ts).
      'BATCH#': ['GetItem', 'UpdateItem', 'Query'],
      ...schema,
      'CIRCUIT#': ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'],
      'PACE#': ['GetItem', 'UpdateItem'],
      RECONCILE: ['GetItem', 'PutItem'],
    },
    indexes: {
      [indexes.byState.name]: ['Query'],
      [indexes.byFile.name]: ['Query', 'Scan'],
      [indexes.byDay.name]: ['Scan'],
    },
    inbox: { '*': ['GetObject', 'GetObjectVersion'] },
    staging: { [parts]: ['GetObject', 'DeleteObject'], [staged]: ['GetObject', 'DeleteObject'] },
    results: {
      'reconcile/*': ['PutObject'],
      'sweep/*': ['GetObject', 'PutObject', 'DeleteObject'],
      'answers/*': ['DeleteObject'],
    },
    sends: ['intake', 'render', 'upload', 'summarize'],
    callsClaude: true,
    looksAtQueues: true,
  },
};
