import type { Duration } from 'aws-cdk-lib';
import { RemovalPolicy, Size } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type Bundle, bundleFunction } from './bundle.ts';

/** A permission together with the environment variables that make use of it. */
export interface Grant {
  readonly variables: Record<string, string>;
  to(worker: lambda.Function): unknown;
}

export interface StepFunctionProps {
  /** Folder below `functions/`. */
  readonly name: string;
  readonly timeout: Duration;
  readonly memoryMb: number;
  /** Size of /tmp. */
  readonly storageMb?: number;
  readonly architecture?: lambda.Architecture;
  readonly bundle?: Omit<Bundle, 'name'>;
  /** The queue it works on, if any. */
  readonly queue?: sqs.IQueue;
  readonly batchSize?: number;
  /** Invocations at once; the queue holds what is above. */
  readonly concurrency?: number;
  readonly grants: Grant[];
}

/** One step's Lambda: bundled, wired to its queue, with exactly the rights it needs. */
export class StepFunction extends Construct {
  readonly function: lambda.Function;

  constructor(scope: Construct, id: string, props: StepFunctionProps) {
    super(scope, id);
    this.function = new lambda.Function(this, 'Function', {
      description: `Dropline: ${props.name}`,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: props.architecture ?? lambda.Architecture.ARM_64,
      handler: 'index.handler',
      code: lambda.Code.fromAsset(bundleFunction({ name: props.name, ...props.bundle })),
      timeout: props.timeout,
      memorySize: props.memoryMb,
      ...(props.storageMb ? { ephemeralStorageSize: Size.mebibytes(props.storageMb) } : {}),
      environment: {
        NODE_OPTIONS: '--enable-source-maps',
        POWERTOOLS_SERVICE_NAME: props.name,
        ...Object.assign({}, ...props.grants.map((grant) => grant.variables)),
      },
      logGroup: new logs.LogGroup(this, 'Logs', {
        retention: logs.RetentionDays.ONE_MONTH,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
      loggingFormat: lambda.LoggingFormat.JSON,
    });
    for (const grant of props.grants) grant.to(this.function);
    if (props.queue) {
      this.function.addEventSource(
        new SqsEventSource(props.queue, {
          batchSize: props.batchSize ?? 10,
          reportBatchItemFailures: true,
          ...(props.concurrency ? { maxConcurrency: props.concurrency } : {}),
        }),
      );
    }
  }
}
