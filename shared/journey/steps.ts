import type { Status, Step } from './record.ts';

/**
 * The one table of steps. The stack's queues and functions, the routing of messages, the reconciler, the
 * documentation and the tests are all derived from it.
 */

/** A step that has a queue. `remove` has none: a removal is an event that `normalize` applies. */
export type QueuedStep = Exclude<Step, 'remove'>;

/** The statuses of a document that some step still has to work on. */
export type OpenStatus = 'received' | 'normalized' | 'uploaded';

/** A queue of the journey, by the name that its variables, outputs and constructs carry. */
export type QueueName = 'intake' | 'render' | 'upload' | 'summarize';

/** What the parts of the system have to agree on about a step. */
export interface StepFacts {
  /** Status of the documents that the step works on. */
  readonly worksOn: OpenStatus;
  /** Status of a document once the step has succeeded. */
  readonly leadsTo: Status;
  /** The queue in front of the step; its dead-letter queue has the same name. */
  readonly queue: QueueName;
  /** How long one invocation of the step's function may run, in seconds. */
  readonly timeoutSeconds: number;
  /** Messages of one invocation at most. */
  readonly batchSize: number;
  /** Functions of the step that run at once by default. */
  readonly concurrency: number;
}

export const steps = {
  normalize: {
    worksOn: 'received',
    leadsTo: 'normalized',
    queue: 'intake',
    timeoutSeconds: 240,
    batchSize: 5,
    concurrency: 10,
  },
  render: {
    worksOn: 'received',
    leadsTo: 'normalized',
    queue: 'render',
    timeoutSeconds: 240,
    batchSize: 1,
    concurrency: 5,
  },
  upload: {
    worksOn: 'normalized',
    leadsTo: 'uploaded',
    queue: 'upload',
    timeoutSeconds: 600,
    batchSize: 10,
    concurrency: 5,
  },
  summarize: {
    worksOn: 'uploaded',
    leadsTo: 'ready',
    queue: 'summarize',
    timeoutSeconds: 600,
    batchSize: 5,
    concurrency: 10,
  },
} as const satisfies Record<QueuedStep, StepFacts>;

/** The steps in the order of the journey. */
export const queuedSteps = Object.keys(steps) as QueuedStep[];

/** Whether a step is one that has a queue. */
export const isQueued = (step: string): step is QueuedStep =>
  (queuedSteps as string[]).includes(step);

/** The queues in the order of the journey. */
export const queueNames: QueueName[] = queuedSteps.map((step) => steps[step].queue);

/** Invocations of a step's queue that may fail before a message becomes a dead letter. */
export const maxReceives = 5;

/**
 * How long a queue hides a message that a worker has taken, in seconds: six times the function's timeout, as
 * AWS recommends for an SQS event source, so that no batch is delivered again while its first delivery may
 * still be running (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).
 */
export const visibilitySeconds = (step: QueuedStep): number => steps[step].timeoutSeconds * 6;

/** How long the claim of an upload or a deletion holds without being renewed, in milliseconds. */
export const claimLeaseMs = 60_000;

/** How long the fence of a paid call holds, in milliseconds: longer than the function can live. */
export const callLeaseMs = (steps.summarize.timeoutSeconds + 60) * 1_000;

/** How long a paid call may take, in milliseconds: the function lives long enough to record its end. */
export const callTimeoutMs = (steps.summarize.timeoutSeconds - 60) * 1_000;

/**
 * How long an open document stands still before it is put back into its queue, in milliseconds: twice the
 * longest visibility timeout, so that a message that is merely being worked on is not taken for a lost one.
 */
export const stuckMs = 2 * Math.max(...queuedSteps.map(visibilitySeconds)) * 1_000;
