import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import { configAsset } from './config.ts';
import { StepFunction } from './function.ts';
import type { Permissions } from './permissions.ts';
import type { DroplineProps } from './settings.ts';

/** Time between runs of the reconciler. */
export const reconcileEveryOf = ({ reconcileEvery }: DroplineProps): Duration =>
  reconcileEvery ?? Duration.minutes(15);

/** Creates the reconciler's function and the rule that runs it. It puts right what the steps left behind. */
export function createReconciler(
  scope: Construct,
  may: Permissions,
  props: DroplineProps,
): StepFunction {
  const reconcile = new StepFunction(scope, 'ReconcileFunction', {
    name: 'reconcile',
    codeOf: props.codeOf,
    bundle: { assets: configAsset(props) },
    timeout: Duration.minutes(14),
    // A whole CPU: a million held documents resume in two runs (docs/decisions/0045).
    memoryMb: 1769,
    grants: [...may.of('reconcile'), may.profiles],
  });
  new events.Rule(scope, 'ReconcileSchedule', {
    schedule: events.Schedule.rate(reconcileEveryOf(props)),
    targets: [
      new targets.LambdaFunction(reconcile.function, {
        event: events.RuleTargetInput.fromObject({}),
        retryAttempts: 0,
      }),
    ],
  });
  return reconcile;
}
