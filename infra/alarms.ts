import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import {
  dutyFailed,
  laneStopped,
  reconciled,
  serviceDown,
  serviceIsDown,
  sweepIsBehind,
} from '../shared/journey/alarm-lines.ts';
import type { StepFunction } from './function.ts';
import type { StepQueue } from './queue.ts';

export interface AlarmsProps {
  readonly queues: StepQueue[];
  /** The functions that work on queues. */
  readonly workers: StepFunction[];
  readonly reconcile: StepFunction;
  /** Time between runs of the reconciler. */
  readonly reconcileEvery: Duration;
  /** Who is notified; no one when left out. */
  readonly email?: string | undefined;
}

type Rule = Pick<
  cloudwatch.AlarmProps,
  | 'alarmDescription'
  | 'metric'
  | 'threshold'
  | 'evaluationPeriods'
  | 'datapointsToAlarm'
  | 'treatMissingData'
  | 'comparisonOperator'
>;

const { BREACHING, IGNORE, NOT_BREACHING } = cloudwatch.TreatMissingData;
const { LESS_THAN_THRESHOLD, GREATER_THAN_OR_EQUAL_TO_THRESHOLD } = cloudwatch.ComparisonOperator;

/** CloudWatch evaluates at most this much time, where a period is shorter than an hour. */
const longestWindowMinutes = 24 * 60;

/**
 * What a person should know: dead letters, failing functions, stopped lanes, an API that is down, and a reconciler that
 * does not run or does not do its duties. Each alarm rings for its fault and stays as long as the
 * fault does (test/infra/alarms.test.ts simulates both).
 */
export class Alarms extends Construct {
  readonly #action: actions.SnsAction;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const topic = new sns.Topic(this, 'Topic', { enforceSSL: true });
    if (props.email) topic.addSubscription(new subscriptions.EmailSubscription(props.email));
    this.#action = new actions.SnsAction(topic);

    for (const queue of props.queues) this.#deadLetters(queue);
    for (const worker of props.workers) this.#failing(worker);
    this.#stoppedLanes(props);
    this.#outage(props);
    this.#reconciler(props);
  }

  #alarm(scope: Construct, name: string, rule: Rule): void {
    new cloudwatch.Alarm(scope, name, {
      comparisonOperator: GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: NOT_BREACHING,
      ...rule,
    }).addAlarmAction(this.#action);
  }

  /** Counts log messages of functions in one metric, whichever function logs them. */
  #lines(functions: StepFunction[], name: string, messages: readonly string[]): cloudwatch.Metric {
    const metricName = `${name}-${this.node.scope?.node.path}`;
    const filters = functions.map(({ logGroup }) =>
      logGroup.addMetricFilter(name, {
        filterPattern: logs.FilterPattern.any(
          ...messages.map((words) => logs.FilterPattern.stringValue('$.message', '=', words)),
        ),
        metricNamespace: 'Dropline',
        metricName,
        metricValue: '1',
      }),
    );
    const metric = filters[0]?.metric({ statistic: 'Sum' });
    if (!metric) throw new Error('no functions');
    return metric;
  }

  /** Visible and hidden messages together: the reconciler hides those that it looks at. */
  #deadLetters({ deadLetters }: StepQueue): void {
    const given = { period: Duration.minutes(5), statistic: 'Maximum' };
    const usingMetrics = {
      visible: deadLetters.metricApproximateNumberOfMessagesVisible(given),
      hidden: deadLetters.metricApproximateNumberOfMessagesNotVisible(given),
    };
    this.#alarm(deadLetters, 'NotEmpty', {
      alarmDescription: 'The dead-letter queue is not empty',
      metric: new cloudwatch.MathExpression({
        expression: 'visible + hidden',
        period: given.period,
        usingMetrics,
      }),
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: IGNORE,
    });
  }

  /**
   * An invocation that failed as a whole comes back after its queue's visibility timeout, up to an hour later. So few
   * documents cause few errors an hour, and two of them must be enough.
   */
  #failing({ function: worker }: StepFunction): void {
    this.#alarm(worker, 'Failing', {
      alarmDescription: 'The function itself keeps failing, not only single documents',
      metric: worker.metricErrors({ period: Duration.minutes(5), statistic: 'Sum' }),
      threshold: 1,
      evaluationPeriods: 30,
      datapointsToAlarm: 2,
    });
  }

  /** A document logs its stop once, then the reconciler does in each run. */
  #stoppedLanes({ workers, reconcile, reconcileEvery }: AlarmsProps): void {
    const stopped = this.#lines([...workers, reconcile], 'LaneStopped', [laneStopped]);
    this.#alarm(this, 'LaneIsStopped', {
      alarmDescription: 'Documents are held until a person acts: see error.code in their records',
      metric: stopped.with({ period: Duration.minutes(5) }),
      threshold: 1,
      evaluationPeriods: twoRuns(reconcileEvery),
      datapointsToAlarm: 1,
    });
  }

  /**
   * Every document that waits logs each of its tries, at most five minutes apart: four minutes with such a line within
   * half an hour are an outage, however many documents wait. A blip of seconds has at most two.
   */
  #outage({ workers, reconcile }: AlarmsProps): void {
    const lines = [serviceDown, serviceIsDown];
    const down = this.#lines([...workers, reconcile], 'ServiceDown', lines);
    this.#alarm(this, 'ServiceIsDown', {
      alarmDescription:
        'Documents are waiting for the Claude API, which is down: they resume by themselves',
      metric: down.with({ period: Duration.minutes(1) }),
      threshold: 1,
      evaluationPeriods: 30,
      datapointsToAlarm: 4,
    });
  }

  #reconciler({ reconcile, reconcileEvery }: AlarmsProps): void {
    const runs = this.#lines([reconcile], 'Reconciled', [reconciled]);
    const minutes = 3 * reconcileEvery.toMinutes();
    const period = Math.min(minutes, longestWindowMinutes);
    this.#alarm(reconcile, 'NotRun', {
      alarmDescription: 'The reconciler has not finished a run for three times its interval',
      metric: runs.with({ period: Duration.minutes(period) }),
      threshold: 1,
      comparisonOperator: LESS_THAN_THRESHOLD,
      // A week is the longest that CloudWatch evaluates.
      evaluationPeriods: Math.min(Math.ceil(minutes / period), 7),
      treatMissingData: BREACHING,
    });
    // Some duties come once in six hours.
    const broken = this.#lines([reconcile], 'DutyFailed', [dutyFailed]);
    this.#alarm(reconcile, 'DutyFailing', {
      alarmDescription: 'A duty of the reconciler breaks off: see errors in its report',
      metric: broken.with({ period: Duration.hours(1) }),
      threshold: 1,
      evaluationPeriods: 7,
      datapointsToAlarm: 1,
    });
    // Each run logs it, until the sweep has come through.
    const behind = this.#lines([reconcile], 'SweepIsBehind', [sweepIsBehind]);
    this.#alarm(reconcile, 'SweepBehind', {
      alarmDescription: 'The reconciler has not finished its sweep for more than a day',
      metric: behind.with({ period: Duration.minutes(5) }),
      threshold: 1,
      evaluationPeriods: twoRuns(reconcileEvery),
      datapointsToAlarm: 1,
    });
  }
}

/** Periods of five minutes that outlast two runs of the reconciler. */
function twoRuns(reconcileEvery: Duration): number {
  return Math.ceil(Math.min(2 * reconcileEvery.toMinutes() + 10, longestWindowMinutes) / 5);
}
