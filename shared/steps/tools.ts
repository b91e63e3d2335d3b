import type { Objects } from '../aws/objects.ts';
import type { ClaudeClient } from '../claude/client.ts';
import type { PriceTable } from '../claude/prices.ts';
import type { Log } from '../journey/log.ts';
import type { ObjectChange, StepMessage } from '../journey/messages.ts';
import type { Answers } from '../ledger/answers.ts';
import type { Budgets } from '../ledger/budgets.ts';
import type { Circuits } from '../ledger/circuit.ts';
import type { Contents } from '../ledger/contents.ts';
import type { Costs } from '../ledger/costs.ts';
import type { Documents } from '../ledger/documents.ts';

/** The bucket side of a step; `Objects` outside of tests. */
export type ObjectStore = Pick<Objects, keyof Objects>;

/** The API side of a step; `ClaudeClient` outside of tests. */
export type Claude = Pick<ClaudeClient, keyof ClaudeClient>;

/** What steps work with that read or write answers. */
export interface AnswerTools extends StepTools {
  answers: Answers;
  costs: Costs;
  /** Where replies too long for an item are kept, and those that the ledger would not take. */
  resultsBucket: string;
}

/** What steps work with that may spend money. */
export interface MoneyTools extends AnswerTools {
  budgets: Budgets;
  prices: PriceTable;
}

/** When a step gives a document up. */
export interface AttemptPolicy {
  /** Attempts of one step on one version before it ends `failed`. */
  maxAttempts: number;
  /** Failures in a row, in the whole fleet, that the documents cannot have caused and that stop the lane. */
  brakeAfter: number;
  /** A number from 0 to below 1, for jitter. */
  random: () => number;
}

/** What every step works with. */
export interface StepTools {
  documents: Documents;
  contents: Contents;
  circuits: Circuits;
  objects: ObjectStore;
  stagingBucket: string;
  /** Tag of this deployment in the names of its remote files, see `deploymentTag`. */
  deployment: string;
  /** Hands a version of a document on to the queue of the step that the message names, after `delayMs` of at most 15 minutes. */
  send: (message: StepMessage, delayMs?: number) => Promise<void>;
  /** Announces changes, of parts of a mail or archive or of objects whose event was lost, to the intake queue. */
  announce: (...changes: ObjectChange[]) => Promise<void>;
  policy: AttemptPolicy;
  log: Log;
  /** How long a stopped lane waits before a document finds out whether it is free again. */
  heldMs: number;
  /** Epoch milliseconds. */
  now: () => number;
}
