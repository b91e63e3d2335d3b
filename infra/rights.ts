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
type ItemAction = 'GetItem' | 'BatchGetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'Query';
type IndexAction = 'Query' | 'Scan';
type ObjectAction = 'GetObject' | 'GetObjectVersion' | 'PutObject' | 'DeleteObject';

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

export const rights: Readonly<Record<FunctionName, Rights>> = {
  normalize: {
    ledger: { 'DOC#': ['GetItem', 'PutItem', 'UpdateItem'] },
    inbox: { '*': ['GetObject', 'GetObjectVersion'] },
    staging: { [parts]: ['GetObject', 'PutObject', 'DeleteObject'], [staged]: ['PutObject'] },
    sends: ['intake', 'render', 'upload'],
  },
  render: {
    ledger: { 'DOC#': ['GetItem', 'UpdateItem'] },
    inbox: { '*': ['GetObjectVersion'] },
    staging: { [parts]: ['GetObject', 'DeleteObject'], [staged]: ['PutObject'] },
    sends: ['intake', 'upload'],
  },
  upload: {
    ledger: {
      'DOC#': ['GetItem', 'UpdateItem'],
      'CONTENT#': ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query'],
      'CIRCUIT#': ['GetItem', 'PutItem', 'UpdateItem'],
      'TROUBLE#': ['GetItem', 'UpdateItem', 'DeleteItem'],
      'PACE#': ['GetItem', 'UpdateItem'],
    },
    inbox: { '*': ['GetObjectVersion'] },
    staging: { [parts]: ['GetObject', 'DeleteObject'], [staged]: ['GetObject'] },
    sends: ['intake', 'upload', 'summarize'],
    callsClaude: true,
  },
  summarize: {
    ledger: {
      'DOC#': ['GetItem', 'UpdateItem'],
      'CONTENT#': ['UpdateItem'],
      'CIRCUIT#': ['GetItem', 'PutItem', 'UpdateItem'],
      'TROUBLE#': ['GetItem', 'UpdateItem', 'DeleteItem'],
      'PACE#': ['GetItem', 'UpdateItem'],
    },
    staging: { [parts]: ['DeleteObject'] },
    results: { 'summaries/*': ['PutObject'] },
    sends: ['intake', 'upload'],
    callsClaude: true,
  },
  reconcile: {
    ledger: {
      'DOC#': ['GetItem', 'BatchGetItem', 'UpdateItem'],
      'CONTENT#': ['GetItem', 'UpdateItem', 'DeleteItem', 'Query'],
      'CIRCUIT#': ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'],
      'PACE#': ['GetItem', 'UpdateItem'],
      RECONCILE: ['GetItem', 'PutItem'],
    },
    indexes: { [indexes.byState.name]: ['Query'], [indexes.byFile.name]: ['Query', 'Scan'] },
    inbox: { '*': ['GetObject', 'GetObjectVersion'] },
    staging: { [parts]: ['GetObject', 'DeleteObject'], [staged]: ['GetObject', 'DeleteObject'] },
    results: { 'reconcile/*': ['PutObject'] },
    sends: ['intake', 'render', 'upload', 'summarize'],
    callsClaude: true,
    looksAtQueues: true,
  },
};
