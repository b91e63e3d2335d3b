import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { BucketRights, Rights } from './rights.ts';

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

/** Act on the ledger's items, kind by kind, and on its indexes. */
export function ledger(
  variable: string,
  table: dynamodb.Table,
  { ledger, indexes = {} }: Pick<Rights, 'ledger' | 'indexes'>,
): Grant {
  const named = (actions: readonly string[]) => actions.map((action) => `dynamodb:${action}`);
  return {
    variables: { [variable]: table.tableName },
    to: (worker) => {
      for (const [kind, actions] of Object.entries(ledger)) {
        const pattern = kind.endsWith('#') ? `${kind}*` : kind;
        allow(named(actions), [table.tableArn], {
          'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [pattern] },
        })(worker);
      }
      for (const [index, actions] of Object.entries(indexes)) {
        allow(named(actions), [`${table.tableArn}/index/${index}`])(worker);
      }
    },
  };
}

/** Act on a bucket's objects, by the pattern of their keys. */
export function objects(variable: string, bucket: s3.Bucket, rights: BucketRights): Grant {
  return {
    variables: { [variable]: bucket.bucketName },
    to: (worker) => {
      for (const [pattern, actions] of Object.entries(rights)) {
        const named = actions.map((action) => `s3:${action}`);
        allow(named, [bucket.arnForObjects(pattern)])(worker);
      }
      // Without it S3 answers 403 instead of 404 for an object that does not exist. What deletes lists first.
      const lists = Object.values(rights).some((actions) => actions.some(needsList));
      if (lists) allow(['s3:ListBucket'], [bucket.bucketArn])(worker);
    },
  };
}

const needsList = (action: string): boolean => action !== 'PutObject';

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
    to: allow(['sqs:ReceiveMessage'], [queue.queueArn]),
  };
}

/** What a policy has to know of a secret. */
export interface ReadableSecret {
  readonly secretName: string;
  readonly secretArn: string;
  /** With the suffix that Secrets Manager added; undefined when only the name is known. */
  readonly secretFullArn?: string | undefined;
}

/** Read the value of a secret. */
export function readSecret(variable: string, secret: ReadableSecret): Grant {
  // Secrets Manager adds a hyphen and six characters to the ARN of a secret that is known by its name.
  const arn = secret.secretFullArn ?? `${secret.secretArn}-??????`;
  return {
    variables: { [variable]: secret.secretName },
    to: allow(['secretsmanager:GetSecretValue'], [arn]),
  };
}

function allow(
  actions: string[],
  resources: string[],
  conditions: iam.PolicyStatementProps['conditions'] = {},
): (worker: lambda.Function) => void {
  return (worker) =>
    worker.addToRolePolicy(new iam.PolicyStatement({ actions, resources, conditions }));
}
