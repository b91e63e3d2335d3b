import type { QueuePort } from '../aws/queues.ts';
import type { StepMessage } from '../journey/messages.ts';
import type { QueuedStep } from '../journey/steps.ts';
import type { Table } from '../ledger/table.ts';
import type { LineTools } from '../steps/batch-line.ts';
import type { MoneyTools } from '../steps/tools.ts';
import type { UploadTools } from '../steps/upload.ts';
import type { ReconcileReport } from './report.ts';

/** A dead-letter queue and the step whose messages end there. */
export interface DeadLetterQueue {
  step: QueuedStep;
  url: string;
}

/** What the reconciler works with. */
export interface ReconcileTools
  extends UploadTools,
    MoneyTools,
    Pick<LineTools, 'batches' | 'batchRules'> {
  table: Table;
  dialect: 'ga' | 'beta';
  inboxBucket: string;
  resultsBucket: string;
  queues: QueuePort;
  deadLetters: DeadLetterQueue[];
  /** Approximate number of messages waiting in the queue of a step. */
  backlog: (step: QueuedStep) => Promise<number>;
  /** Checks everything from the beginning, reports what would be done and changes nothing. */
  dryRun: boolean;
  /** Checks the whole bucket, all contents and all remote files even if that is not due. */
  sweep: boolean;
  /** A person says that what stopped the lanes is fixed: each is probed now. */
  resume: boolean;
  /** Error codes: documents that failed with one of these are retried. */
  retry: readonly string[];
  /** Sends many messages to the queues of their steps, in batches and about in their order. */
  sendAll: (messages: readonly StepMessage[]) => Promise<void>;
  sleep: (ms: number) => Promise<void>;
  /** False when there is only enough time left to save the cursor. */
  timeLeft: () => boolean;
  /** An open document that has not changed for this long is put back into its queue, in milliseconds. */
  stuckMs: number;
  /** A remote file with our mark that no content refers to is deleted when older than this, in milliseconds. */
  orphanGraceMs: number;
  /** Milliseconds of a run that the quick duties may take while a sweep is due. */
  quickShareMs: number;
  /** How often the whole bucket, all contents and all remote files are checked, in milliseconds. */
  sweepMs: number;
  /** A file that expires sooner than this is uploaded again early, in milliseconds. */
  refreshMs: number;
}

/** What a duty works with. */
export interface DutyTools extends ReconcileTools {
  /** Messages that waited in the intake queue when the sweep began. */
  intakeWaiting: number;
}

/** Works through one page; returns the cursor of the next page, or `undefined` at the end. */
export type Duty = (
  cursor: string | undefined,
  tools: DutyTools,
  report: ReconcileReport,
) => Promise<string | undefined>;
