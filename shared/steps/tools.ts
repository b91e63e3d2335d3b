import type { Objects } from '../aws/objects.ts';
import type { Contents } from '../ledger/contents.ts';
import type { Documents } from '../ledger/documents.ts';
import type { ObjectChange, StepMessage } from '../messages.ts';
import type { AttemptPolicy, Log } from './outcome.ts';

/** What every step works with. */
export interface StepTools {
  documents: Documents;
  contents: Contents;
  objects: Objects;
  stagingBucket: string;
  /** Hands a version of a document on to the queue of the step that the message names. */
  send: (message: StepMessage) => Promise<void>;
  /** Announces a change of a part of a mail or archive to the intake queue. */
  announce: (change: ObjectChange) => Promise<void>;
  policy: AttemptPolicy;
  log: Log;
  /** Epoch milliseconds. */
  now: () => number;
}
