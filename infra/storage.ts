import { Duration, RemovalPolicy, SecretValue } from 'aws-cdk-lib';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secrets from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { ledgerTable } from './ledger-table.ts';
import type { DroplineProps } from './settings.ts';

/** Where a deployment keeps its data. */
export interface Storage {
  /** Where files are dropped. */
  readonly inbox: s3.Bucket;
  /** Converted bytes, and the parts of mails and archives. */
  readonly staging: s3.Bucket;
  /** Long summaries and the reconciler's reports. */
  readonly results: s3.Bucket;
  /** The ledger: the records of all documents. */
  readonly table: dynamodb.Table;
  /** The secret that holds the Claude API key. */
  readonly apiKey: Pick<secrets.ISecret, 'secretName' | 'grantRead'>;
}

/** Creates the buckets, the table and the secret; `apiKeySecretName` names an existing secret to use. */
export function createStorage(
  scope: Construct,
  { apiKeySecretName }: Pick<DroplineProps, 'apiKeySecretName'>,
): Storage {
  return {
    inbox: bucket(scope, 'Inbox', { versioned: true }),
    staging: bucket(scope, 'Staging'),
    results: bucket(scope, 'Results'),
    table: ledgerTable(scope, 'Ledger'),
    apiKey: apiKeySecretName
      ? secrets.Secret.fromSecretNameV2(scope, 'ApiKey', apiKeySecretName)
      : new secrets.Secret(scope, 'ApiKey', {
          description: 'The Claude API key; put it in after the first deployment',
          secretStringValue: SecretValue.unsafePlainText('put-the-key-here'),
        }),
  };
}

function bucket(scope: Construct, id: string, props: s3.BucketProps = {}): s3.Bucket {
  return new s3.Bucket(scope, id, {
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    encryption: s3.BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(7) }],
    removalPolicy: RemovalPolicy.RETAIN,
    ...props,
  });
}
