import type { QueuePort } from '../aws/queues.ts';
import type { StepMessage } from '../journey/messages.ts';
import type { QueuedStep } from '../journey/steps.ts';
import type { Table } from '../ledger/table.ts';
import type { UploadTools } from '../steps/upload.ts';
import type { ReconcileReport } from './report.ts';

/** A dead-letter queue and the step whose messages end there. */
export interface DeadLetterQueue {
  step: QueuedStep;
  url: string;
}

/** What the reconciler works with. */
export interface ReconcileTools extends UploadTools {
  table: Table;
  dialect: 'ga' | 'beta';
  inboxBucket: string;
  resultsBucket: string;
  queues: QueuePort;
  deadLetters: DeadLetterQueue[];
  /** How many messages wait in the queue of a step, about. */
  backlog: (step: QueuedStep) => Promise<number>;
  /** Goes through everything from the beginning, reports what would be done and changes nothing. */
  dryRun: boolean;
  /** Goes through the whole bucket, all contents and all remote files although that is not due. */
  sweep: boolean;
  /** A person says that what stopped the lanes is mended: each is probed now. */
  resume: boolean;
  /** Codes of errors: documents that failed with one are brought back. */
  retry: readonly string[];
  /** Sends many messages to the queues of their steps, in batches and about in their order. */
  sendAll: (messages: readonly StepMessage[]) => Promise<void>;
  sleep: (ms: number) => Promise<void>;
  /** False when there is only time left to write down where to go on. */
  timeLeft: () => boolean;
  /** An open document that did not move for this long is put back into its queue, in milliseconds. */
  stuckMs: number;
  /** A marked remote file that no content knows is deleted when it is older than this. */
  orphanGraceMs: number;
  /** How often the whole bucket, all contents and all remote files are gone through. */
  sweepMs: number;
  /** A file that expires sooner than this is uploaded again ahead of time, in milliseconds. */
  refreshMs: number;
}

/** Works through one page of a duty; returns where the next page begins, or `undefined` at the end. */
export type Duty = (
  cursor: string | undefined,
  tools: ReconcileTools,
  report: ReconcileReport,
) => Promise<string | undefined>;
