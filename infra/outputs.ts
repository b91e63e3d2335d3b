import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { queueNames } from '../shared/journey/steps.ts';
import type { StepFunction } from './function.ts';
import { capitalized } from './names.ts';
import type { StepQueues } from './queue.ts';
import type { Storage } from './storage.ts';

/** Adds to the stack's outputs what people and apps need in order to use a deployment. */
export function createOutputs(
  scope: Construct,
  { inbox, staging, results, table, apiKey }: Storage,
  queues: StepQueues,
  reconcile: StepFunction,
): void {
  const outputs = {
    InboxBucket: inbox.bucketName,
    StagingBucket: staging.bucketName,
    ResultsBucket: results.bucketName,
    LedgerTable: table.tableName,
    LedgerStream: table.tableStreamArn ?? '',
    ...Object.fromEntries(
      queueNames.map((name) => [`${capitalized(name)}Queue`, queues[name].queue.queueUrl]),
    ),
    ApiKeySecret: apiKey.secretName,
    ReconcileFunctionName: reconcile.function.functionName,
  };
  for (const [id, value] of Object.entries(outputs)) new CfnOutput(Stack.of(scope), id, { value });
}
