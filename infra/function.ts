import type { Duration } from 'aws-cdk-lib';
import { RemovalPolicy, Size } from 'aws-cdk-lib';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type Bundle, bundleFunction } from './bundle.ts';
import type { Grant } from './grants.ts';

export interface StepFunctionProps {
  /** Folder below `functions/`. */
  readonly name: string;
  readonly timeout: Duration;
  readonly memoryMb: number;
  /** Size of /tmp in MB. */
  readonly storageMb?: number;
  readonly architecture?: lambda.Architecture;
  readonly bundle?: Omit<Bundle, 'name'>;
  /** The queue it works on, if any. */
  readonly queue?: sqs.IQueue;
  readonly batchSize?: number;
  /** Maximum of concurrent invocations; other messages wait in the queue. */
  readonly concurrency?: number;
  readonly grants: Grant[];
  /** Make the bundle a container image, by the Dockerfile in it, instead of a zip. */
  readonly image?: boolean;
  /** Where the code comes from. Default: bundled from the sources. */
  readonly codeOf?: ((bundle: Bundle) => lambda.Code) | undefined;
}

/** A Lambda: bundled, connected to its queue, with exactly the permissions it needs. */
export class StepFunction extends Construct {
  readonly function: lambda.Function;
  readonly logGroup: logs.LogGroup;

  constructor(scope: Construct, id: string, props: StepFunctionProps) {
    super(scope, id);
    const { codeOf = props.image ? imageOf : zipOf } = props;
    this.logGroup = new logs.LogGroup(this, 'Logs', {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // Lambda's managed policy would let it write to every log group in the account.
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    this.logGroup.grantWrite(role);
    this.function = new lambda.Function(this, 'Function', {
      description: `Dropline: ${props.name}`,
      runtime: props.image ? lambda.Runtime.FROM_IMAGE : lambda.Runtime.NODEJS_24_X,
      architecture: props.architecture ?? lambda.Architecture.ARM_64,
      handler: props.image ? lambda.Handler.FROM_IMAGE : 'index.handler',
      code: codeOf({ name: props.name, ...props.bundle }),
      timeout: props.timeout,
      memorySize: props.memoryMb,
      ...(props.storageMb ? { ephemeralStorageSize: Size.mebibytes(props.storageMb) } : {}),
      environment: {
        NODE_OPTIONS: '--enable-source-maps',
        POWERTOOLS_SERVICE_NAME: props.name,
        ...Object.assign({}, ...props.grants.map((grant) => grant.variables)),
      },
      role,
      logGroup: this.logGroup,
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

const zipOf = (bundle: Bundle): lambda.Code => lambda.Code.fromAsset(bundleFunction(bundle));

/** The image that the Dockerfile in the bundle describes; Docker builds it on deployment. */
const imageOf = (bundle: Bundle): lambda.Code =>
  lambda.Code.fromAssetImage(bundleFunction(bundle), { platform: Platform.LINUX_AMD64 });
