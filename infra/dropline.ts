import { fileURLToPath } from 'node:url';
import { CfnOutput, Duration, RemovalPolicy, SecretValue, Stack } from 'aws-cdk-lib';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secrets from 'aws-cdk-lib/aws-secretsmanager';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { environment as names } from '../functions/settings.ts';
import { renderAssets } from '../shared/print/assets.ts';
import { Alarms } from './alarms.ts';
import { StepFunction } from './function.ts';
import * as grants from './grants.ts';
import { ledgerTable } from './ledger-table.ts';
import { converter, functionLimits } from './limits.ts';
import { StepQueue } from './queue.ts';
import type { DroplineProps } from './settings.ts';

/**
 * The whole pipeline as one construct, in the order a document travels: inbox → intake queue →
 * normalize → (render →) upload → summarize, around the ledger; reconcile on a schedule.
 */
export class Dropline extends Construct {
  readonly inbox: s3.Bucket;
  readonly table: dynamodb.Table;

  constructor(scope: Construct, id: string, props: DroplineProps = {}) {
    super(scope, id);

    const durations = {
      normalize: Duration.minutes(converter.timeoutMinutes),
      render: Duration.minutes(converter.timeoutMinutes),
      upload: Duration.minutes(10),
      summarize: Duration.minutes(10),
    };
    const intake = new StepQueue(this, 'Intake', { workerTimeout: durations.normalize });
    const render = new StepQueue(this, 'Render', { workerTimeout: durations.render });
    const upload = new StepQueue(this, 'Upload', { workerTimeout: durations.upload });
    const summarize = new StepQueue(this, 'Summarize', { workerTimeout: durations.summarize });

    this.inbox = this.#bucket('Inbox', { versioned: true, removalPolicy: RemovalPolicy.RETAIN });
    notify(this.inbox, intake.queue);
    const staging = this.#bucket('Staging', { removalPolicy: RemovalPolicy.RETAIN });
    const results = this.#bucket('Results', { removalPolicy: RemovalPolicy.RETAIN });
    this.table = ledgerTable(this, 'Ledger');
    const apiKey = props.apiKeySecretName
      ? secrets.Secret.fromSecretNameV2(this, 'ApiKey', props.apiKeySecretName)
      : new secrets.Secret(this, 'ApiKey', {
          description: 'The Claude API key; put it in after the first deployment',
          secretStringValue: SecretValue.unsafePlainText('put-the-key-here'),
        });

    const ledger = grants.ledger(names.table, this.table);
    // No two buckets in the world have one name.
    const deployment = { [names.deployment]: this.inbox.bucketName };
    const records = { ...ledger, variables: { ...ledger.variables, ...deployment } };
    const readInbox = grants.readObjects(names.inboxBucket, this.inbox);
    const stage = grants.keepObjects(names.stagingBucket, staging);
    const keepResults = grants.keepObjects(names.resultsBucket, results);
    const toIntake = grants.send(names.intakeQueueUrl, intake.queue);
    const toRender = grants.send(names.renderQueueUrl, render.queue);
    const toUpload = grants.send(names.uploadQueueUrl, upload.queue);
    const toSummarize = grants.send(names.summarizeQueueUrl, summarize.queue);
    const deadLetters = [
      grants.look(names.intakeDeadLettersUrl, intake.deadLetters),
      grants.look(names.renderDeadLettersUrl, render.deadLetters),
      grants.look(names.uploadDeadLettersUrl, upload.deadLetters),
      grants.look(names.summarizeDeadLettersUrl, summarize.deadLetters),
    ];
    const filesPerMinute = props.filesPerMinute ?? (props.dialect === 'beta' ? 100 : 500);
    const claude = [
      grants.readSecret(names.claudeApiKeySecret, apiKey),
      grants.setting({
        [names.claudeBaseUrl]: props.claudeBaseUrl ?? 'https://api.anthropic.com',
        [names.claudeDialect]: props.dialect ?? 'ga',
        [names.filesPerMinute]: String(filesPerMinute),
        [names.keepRemoteFiles]: String(props.keepRemoteFiles ?? false),
      }),
    ];
    const { codeOf } = props;
    const renderer = grants.setting({ [names.renderer]: props.renderer ?? 'chromium' });
    const limits = grants.setting({
      [names.limits]: JSON.stringify(functionLimits(props.limits ?? {})),
    });
    const libreOffice = props.renderer === 'libreoffice';
    const profiles = grants.setting({
      [names.model]: props.model ?? 'claude-haiku-5-5',
      [names.containerUploads]: (props.containerUploads ?? []).join(','),
    });

    const workers = [
      new StepFunction(this, 'NormalizeFunction', {
        name: 'normalize',
        codeOf,
        // sharp is native code: the function has the architecture of the machine that installed it.
        architecture:
          process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
        bundle: { also: { worker: 'shared/convert/worker.ts' }, packages: ['sharp'] },
        timeout: durations.normalize,
        memoryMb: converter.memoryMb,
        storageMb: 4096,
        queue: intake.queue,
        batchSize: 5,
        concurrency: props.concurrency?.normalize ?? 10,
        grants: [
          records,
          readInbox,
          stage,
          toIntake,
          toRender,
          toUpload,
          toSummarize,
          profiles,
          limits,
        ],
      }),
      new StepFunction(this, 'RenderFunction', {
        name: 'render',
        codeOf,
        // The packaged browser is built for x64.
        architecture: lambda.Architecture.X86_64,
        image: libreOffice,
        bundle: {
          // sharp reads TIFF and very large pictures.
          packages: ['sharp'],
          assets: libreOffice ? [dockerfile] : renderAssets(),
        },
        timeout: durations.render,
        memoryMb: converter.memoryMb,
        storageMb: 2048,
        queue: render.queue,
        batchSize: 1,
        concurrency: props.concurrency?.render ?? 5,
        grants: [records, readInbox, stage, toIntake, toRender, toUpload, renderer, limits],
      }),
      new StepFunction(this, 'UploadFunction', {
        name: 'upload',
        codeOf,
        timeout: durations.upload,
        memoryMb: 512,
        queue: upload.queue,
        batchSize: 10,
        concurrency: props.concurrency?.upload ?? 5,
        grants: [records, readInbox, stage, toIntake, toUpload, toSummarize, ...claude, profiles],
      }),
      new StepFunction(this, 'SummarizeFunction', {
        name: 'summarize',
        codeOf,
        timeout: durations.summarize,
        memoryMb: 512,
        queue: summarize.queue,
        batchSize: 5,
        concurrency: props.concurrency?.summarize ?? 10,
        grants: [records, stage, keepResults, toIntake, toUpload, toSummarize, ...claude, profiles],
      }),
    ];

    const reconcile = new StepFunction(this, 'ReconcileFunction', {
      name: 'reconcile',
      codeOf,
      timeout: Duration.minutes(10),
      memoryMb: 512,
      grants: [
        records,
        readInbox,
        stage,
        keepResults,
        toIntake,
        toRender,
        toUpload,
        toSummarize,
        ...deadLetters,
        ...[intake, render, upload, summarize].map(({ queue }) => grants.measure(queue)),
        ...claude,
        profiles,
      ],
    });
    new events.Rule(this, 'ReconcileSchedule', {
      schedule: events.Schedule.rate(props.reconcileEvery ?? Duration.minutes(15)),
      targets: [
        new targets.LambdaFunction(reconcile.function, {
          event: events.RuleTargetInput.fromObject({}),
          retryAttempts: 0,
        }),
      ],
    });

    new Alarms(this, 'Alarms', {
      queues: [intake, render, upload, summarize],
      functions: [...workers, reconcile],
      email: props.alarmEmail,
    });
    this.#outputs({
      InboxBucket: this.inbox.bucketName,
      StagingBucket: staging.bucketName,
      ResultsBucket: results.bucketName,
      LedgerTable: this.table.tableName,
      LedgerStream: this.table.tableStreamArn ?? '',
      IntakeQueue: intake.queue.queueUrl,
      RenderQueue: render.queue.queueUrl,
      UploadQueue: upload.queue.queueUrl,
      SummarizeQueue: summarize.queue.queueUrl,
      ApiKeySecret: apiKey.secretName,
      ReconcileFunctionName: reconcile.function.functionName,
    });
  }

  #bucket(id: string, props: s3.BucketProps): s3.Bucket {
    return new s3.Bucket(this, id, {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(7) }],
      ...props,
    });
  }

  #outputs(values: Record<string, string>): void {
    for (const [id, value] of Object.entries(values)) {
      new CfnOutput(Stack.of(this), id, { value });
    }
  }
}

/**
 * S3's own notification to the queue, on the bucket resource itself: CDK's usual way would add a
 * custom resource with one more Lambda. The queue admits S3 by account, not by bucket name, or the
 * bucket and the policy would each wait for the other.
 */
function notify(bucket: s3.Bucket, queue: sqs.Queue): void {
  const admitted = queue.addToResourcePolicy(
    new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal('s3.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(queue).account } },
    }),
  );
  const resource = bucket.node.defaultChild as s3.CfnBucket;
  resource.notificationConfiguration = {
    queueConfigurations: [
      's3:ObjectCreated:*',
      's3:ObjectRemoved:*',
      's3:LifecycleExpiration:*',
    ].map((event) => ({ event, queue: queue.queueArn })),
  };
  if (admitted.policyDependable) bucket.node.addDependency(admitted.policyDependable);
}

/** What makes a container image of the render function's bundle. */
const dockerfile = {
  from: fileURLToPath(new URL('../functions/render/Dockerfile', import.meta.url)),
  to: 'Dockerfile',
};
