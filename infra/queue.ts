import { Duration } from 'aws-cdk-lib';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import {
  maxReceives,
  type QueuedStep,
  type QueueName,
  queuedSteps,
  steps,
  visibilitySeconds,
} from '../shared/journey/steps.ts';
import { capitalized } from './names.ts';

/** How long SQS keeps a message; 14 days is its maximum. */
const retentionPeriod = Duration.days(14);

/** The queue in front of a step, and the dead-letter queue of the messages whose worker kept crashing. */
export class StepQueue extends Construct {
  readonly queue: sqs.Queue;
  readonly deadLetters: sqs.Queue;

  constructor(scope: Construct, id: string, step: QueuedStep) {
    super(scope, id);
    this.deadLetters = new sqs.Queue(this, 'DeadLetters', {
      enforceSSL: true,
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      retentionPeriod,
    });
    this.queue = new sqs.Queue(this, 'Queue', {
      enforceSSL: true,
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      retentionPeriod,
      visibilityTimeout: Duration.seconds(visibilitySeconds(step)),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: maxReceives },
    });
  }
}

export type StepQueues = Readonly<Record<QueueName, StepQueue>>;

/** Creates the queue of every step, in the order of the journey. */
export function createQueues(scope: Construct): StepQueues {
  const queues = queuedSteps.map((step) => {
    const name = steps[step].queue;
    return [name, new StepQueue(scope, capitalized(name), step)] as const;
  });
  return Object.fromEntries(queues) as StepQueues;
}
