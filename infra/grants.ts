import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as secrets from 'aws-cdk-lib/aws-secretsmanager';
import type * as sqs from 'aws-cdk-lib/aws-sqs';

/**
 * A permission together with the environment variables that make use of it: one value, so that
 * neither can be forgotten. The actions are named one by one, where CDK's own grants would give
 * whole families.
 */
export interface Grant {
  readonly variables: Record<string, string>;
  to(worker: lambda.Function): void;
}

/** A setting that needs no permission. */
export function setting(variables: Record<string, string>): Grant {
  return { variables, to: () => undefined };
}

/** Reads and writes of the ledger's items and indexes. */
export function ledger(variable: string, table: dynamodb.Table): Grant {
  const actions = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'Scan'];
  return {
    variables: { [variable]: table.tableName },
    to: allow(
      actions.map((action) => `dynamodb:${action}`),
      [table.tableArn, `${table.tableArn}/index/*`],
    ),
  };
}

/** Reads of a bucket's objects, in any version. */
export function readObjects(variable: string, bucket: s3.Bucket): Grant {
  return {
    variables: { [variable]: bucket.bucketName },
    to: (worker) => {
      allow(['s3:GetObject', 's3:GetObjectVersion'], [bucket.arnForObjects('*')])(worker);
      // Without it S3 answers 403 instead of 404 for an object that is gone.
      allow(['s3:ListBucket'], [bucket.bucketArn])(worker);
    },
  };
}

/** Reads, writes and deletes of a bucket's objects. */
export function keepObjects(variable: string, bucket: s3.Bucket): Grant {
  const read = readObjects(variable, bucket);
  return {
    variables: read.variables,
    to: (worker) => {
      read.to(worker);
      allow(
        ['s3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
        [bucket.arnForObjects('*')],
      )(worker);
    },
  };
}

/** Sending to a queue. */
export function send(variable: string, queue: sqs.Queue): Grant {
  return {
    variables: { [variable]: queue.queueUrl },
    to: allow(['sqs:SendMessage'], [queue.queueArn]),
  };
}

/** Asking how many messages wait in a queue. */
export function measure(queue: sqs.Queue): Grant {
  return { variables: {}, to: allow(['sqs:GetQueueAttributes'], [queue.queueArn]) };
}

/** Looking at the messages of a dead-letter queue. */
export function look(variable: string, queue: sqs.Queue): Grant {
  return {
    variables: { [variable]: queue.queueUrl },
    to: allow(['sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility'], [queue.queueArn]),
  };
}

/** Reading a secret. */
export function readSecret(
  variable: string,
  secret: Pick<secrets.ISecret, 'secretName' | 'grantRead'>,
): Grant {
  return {
    variables: { [variable]: secret.secretName },
    to: (worker) => {
      secret.grantRead(worker);
    },
  };
}

function allow(actions: string[], resources: string[]): (worker: lambda.Function) => void {
  return (worker) => worker.addToRolePolicy(new iam.PolicyStatement({ actions, resources }));
}
