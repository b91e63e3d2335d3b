/**
 * CloudWatch's alarm rules, as far as our alarms use them: a window of periods that slides by the minute, M of N
 * datapoints, missing data.
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html)
 */

/** An alarm's properties in a template. */
export interface AlarmProperties {
  Period?: number;
  Statistic?: string;
  MetricName?: string;
  Metrics?: { Expression?: string; Id: string; MetricStat?: MetricStat }[];
  EvaluationPeriods: number;
  DatapointsToAlarm?: number;
  Threshold: number;
  ComparisonOperator: string;
  TreatMissingData: 'notBreaching' | 'breaching' | 'ignore' | 'missing';
}

interface MetricStat {
  Metric: { MetricName: string };
  Period: number;
  Stat: string;
}

/** A value that a metric got at a time, in minutes. */
export interface Datapoint {
  at: number;
  value: number;
}

/** What was put into each metric, by name. */
export type Metrics = Record<string, Datapoint[]>;

/**
 * The minutes at which the alarm is in ALARM, from 0 to `until`. It is evaluated every minute, on the periods that
 * end then.
 */
export function ringing(alarm: AlarmProperties, metrics: Metrics, until: number): number[] {
  const minutes: number[] = [];
  let rings = false;
  for (let now = 1; now <= until; now += 1) {
    rings = evaluate(alarm, metrics, now, rings);
    if (rings) minutes.push(now);
  }
  return minutes;
}

function evaluate(alarm: AlarmProperties, metrics: Metrics, now: number, rang: boolean): boolean {
  const { EvaluationPeriods: periods, DatapointsToAlarm: needed = periods } = alarm;
  const period = periodOf(alarm) / 60;
  let breaching = 0;
  let present = 0;
  for (let back = 0; back < periods; back += 1) {
    const value = amount(alarm, metrics, now - (back + 1) * period, now - back * period);
    if (value !== undefined) present += 1;
    const breaches =
      value === undefined ? alarm.TreatMissingData === 'breaching' : isOver(alarm, value);
    if (breaches) breaching += 1;
  }
  if (present === 0 && alarm.TreatMissingData === 'ignore') return rang;
  return breaching >= needed;
}

function periodOf({ Period, Metrics: queries }: AlarmProperties): number {
  const period = Period ?? queries?.find(({ MetricStat }) => MetricStat)?.MetricStat?.Period;
  if (!period || period % 60 !== 0) throw new Error(`not a period of whole minutes: ${period}`);
  return period;
}

function amount(alarm: AlarmProperties, metrics: Metrics, from: number, to: number) {
  const { MetricName = '', Statistic = '', Metrics: queries } = alarm;
  if (!queries) return statistic(Statistic, metrics[MetricName] ?? [], from, to);
  const parts = queries.flatMap(({ MetricStat }) =>
    MetricStat
      ? [statistic(MetricStat.Stat, metrics[MetricStat.Metric.MetricName] ?? [], from, to)]
      : [],
  );
  const expression = queries.find(({ Expression }) => Expression)?.Expression;
  if (expression !== 'visible + hidden') throw new Error(`cannot compute ${expression}`);
  // An expression has no value where one of its metrics has none.
  return parts.reduce((sum, part) =>
    sum === undefined || part === undefined ? undefined : sum + part,
  );
}

function statistic(name: string, points: Datapoint[], from: number, to: number) {
  const values = points.filter(({ at }) => at >= from && at < to).map(({ value }) => value);
  if (values.length === 0) return undefined;
  if (name === 'Sum') return values.reduce((sum, value) => sum + value);
  if (name === 'Maximum') return Math.max(...values);
  throw new Error(`cannot compute ${name}`);
}

function isOver({ ComparisonOperator, Threshold }: AlarmProperties, value: number): boolean {
  if (ComparisonOperator === 'GreaterThanOrEqualToThreshold') return value >= Threshold;
  if (ComparisonOperator === 'LessThanThreshold') return value < Threshold;
  throw new Error(`cannot compare ${ComparisonOperator}`);
}
