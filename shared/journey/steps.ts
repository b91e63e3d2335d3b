import type { Status, Step } from './record.ts';

/**
 * The only table of steps. The stack's queues and functions, the routing of messages, the reconciler, the
 * documentation and the tests are all derived from it.
 */

/** A step that has a queue. `remove` has none: a removal is an event that `normalize` applies. */
export type QueuedStep = Exclude<Step, 'remove'>;

/** The statuses of a document that some step still has to work on. */
export type OpenStatus = 'received' | 'normalized' | 'uploaded';

/** A queue of the journey, by the name used in its variables, outputs and constructs. */
export type QueueName = 'intake' | 'render' | 'upload' | 'summarize';

/** What all parts of the system have to agree on about a step. */
export interface StepFacts {
  /** Status of the documents that the step works on. */
  readonly worksOn: OpenStatus;
  /** Status of a document once the step has succeeded. */
  readonly leadsTo: Status;
  /** The queue in front of the step; its dead-letter queue has the same name. */
  readonly queue: QueueName;
  /** How long one invocation of the step's function may run, in seconds. */
  readonly timeoutSeconds: number;
  /** Maximum number of messages per invocation. */
  readonly batchSize: number;
  /** How many instances of the step's function run at once, by default. */
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

/** How often a message is delivered before it becomes a dead letter. */
export const maxReceives = 5;

/** Time that an invocation may wait to be let in, in seconds: while Lambda throttles, the poller asks again. */
const admissionSeconds = 120;

/**
 * How long a queue hides a message that a worker has taken, in seconds: as long as an invocation can last, and two minutes
 * in which it may wait to begin. So a message whose worker was killed is back minutes later. AWS recommends six times the
 * timeout, because a function may be throttled for that long; here `concurrency` keeps Lambda from taking more messages
 * than it may work on, and a second delivery during the first harms nothing (docs/decisions/0047).
 */
export const visibilitySeconds = (step: QueuedStep): number =>
  steps[step].timeoutSeconds + admissionSeconds;

/** The longest delay of an SQS message, in seconds. */
export const maxDelaySeconds = 900;

/** How long the claim on an upload or a deletion lasts unless renewed, in milliseconds. */
export const claimLeaseMs = 60_000;

/** How long the fence of a paid call lasts, in milliseconds: longer than the function can run. */
export const callLeaseMs = (steps.summarize.timeoutSeconds + 60) * 1_000;

/** How long a paid call may take, in milliseconds: the function runs long enough to record its end. */
export const callTimeoutMs = (steps.summarize.timeoutSeconds - 60) * 1_000;

/**
 * How long an open document goes without a change before it is put back into its queue, in milliseconds: twice as
 * long as a message can be delayed and then worked on, so that a message in flight is not mistaken for a lost one.
 */
export const stuckMs =
  2 * (maxDelaySeconds + Math.max(...queuedSteps.map(visibilitySeconds))) * 1_000;
