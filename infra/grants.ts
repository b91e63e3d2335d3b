import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as secrets from 'aws-cdk-lib/aws-secretsmanager';
import type * as sqs from 'aws-cdk-lib/aws-sqs';

/**
 * A permission and the environment variables that go with it, in one value, so that neither can be forgotten.
 * Actions are named one by one; CDK's own grants would allow whole families of them.
 */
export interface Grant {
  readonly variables: Record<string, string>;
  to(worker: lambda.Function): void;
}

/** A setting that needs no permission. */
export function setting(variables: Record<string, string>): Grant {
  return { variables, to: () => undefined };
}

/** Read and write the ledger's items, and query its indexes. */
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

/** Read a bucket's objects, in any version. */
export function readObjects(variable: string, bucket: s3.Bucket): Grant {
  return {
    variables: { [variable]: bucket.bucketName },
    to: (worker) => {
      allow(['s3:GetObject', 's3:GetObjectVersion'], [bucket.arnForObjects('*')])(worker);
      // Without it S3 answers 403 instead of 404 for an object that does not exist.
      allow(['s3:ListBucket'], [bucket.bucketArn])(worker);
    },
  };
}

/** Read, write and delete a bucket's objects. */
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

/** Send messages to a queue. */
export function send(variable: string, queue: sqs.Queue): Grant {
  return {
    variables: { [variable]: queue.queueUrl },
    to: allow(['sqs:SendMessage'], [queue.queueArn]),
  };
}

/** Ask how many messages a queue holds. */
export function measure(queue: sqs.Queue): Grant {
  return { variables: {}, to: allow(['sqs:GetQueueAttributes'], [queue.queueArn]) };
}

/** Look at the messages of a dead-letter queue, without deleting them. */
export function look(variable: string, queue: sqs.Queue): Grant {
  return {
    variables: { [variable]: queue.queueUrl },
    to: allow(['sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility'], [queue.queueArn]),
  };
}

/** Read a secret. */
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
