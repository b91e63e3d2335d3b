import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { laneStopped, serviceIsDown } from '../shared/journey/alarm-lines.ts';
import type { StepFunction } from './function.ts';
import type { StepQueue } from './queue.ts';

export interface AlarmsProps {
  readonly queues: StepQueue[];
  readonly functions: StepFunction[];
  /** Who is notified; no one when left out. */
  readonly email?: string | undefined;
}

/** What a person should know at once: dead letters, failing functions, held documents, an API that is down. */
export class Alarms extends Construct {
  constructor(scope: Construct, id: string, { queues, functions, email }: AlarmsProps) {
    super(scope, id);
    const topic = new sns.Topic(this, 'Topic', { enforceSSL: true });
    if (email) topic.addSubscription(new subscriptions.EmailSubscription(email));
    const action = new actions.SnsAction(topic);
    const alarm = (
      scope: Construct,
      name: string,
      props: Pick<cloudwatch.AlarmProps, 'alarmDescription' | 'metric' | 'threshold'>,
      evaluationPeriods = 1,
    ) =>
      new cloudwatch.Alarm(scope, name, {
        ...props,
        evaluationPeriods,
        comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      }).addAlarmAction(action);

    for (const { deadLetters } of queues) {
      alarm(deadLetters, 'NotEmpty', {
        alarmDescription: 'The dead-letter queue is not empty',
        metric: deadLetters.metricApproximateNumberOfMessagesVisible({
          period: Duration.minutes(1),
          statistic: 'Maximum',
        }),
        threshold: 1,
      });
    }
    for (const { function: worker, logGroup } of functions) {
      const failing = {
        alarmDescription: 'The function itself is failing, not only single documents',
        metric: worker.metricErrors({ period: Duration.minutes(5) }),
        threshold: 3,
      };
      alarm(worker, 'Failing', failing, 2);
      // The filter looks for the exact messages that the steps log.
      const stopped = logGroup.addMetricFilter('LaneStopped', {
        filterPattern: logs.FilterPattern.any(
          ...[laneStopped, serviceIsDown].map((words) =>
            logs.FilterPattern.stringValue('$.message', '=', words),
          ),
        ),
        metricNamespace: 'Dropline',
        metricName: `LaneStopped-${worker.node.path}`,
        metricValue: '1',
        defaultValue: 0,
      });
      alarm(worker, 'LaneIsStopped', {
        alarmDescription:
          'Documents are held until a person acts, or are waiting for the Claude API: see error.code in their records',
        metric: stopped.metric({ period: Duration.minutes(5), statistic: 'Sum' }),
        threshold: 1,
      });
    }
  }
}
