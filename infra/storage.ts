import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secrets from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { ReadableSecret } from './grants.ts';
import { ledgerTable } from './ledger-table.ts';
import { type DroplineProps, defaultKeepPastDays } from './settings.ts';

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
  readonly apiKey: ReadableSecret;
}

/** Creates the buckets, the table and the secret; `apiKeySecretName` names an existing secret to use. */
export function createStorage(
  scope: Construct,
  {
    apiKeySecretName,
    keepPastDays = defaultKeepPastDays,
  }: Pick<DroplineProps, 'apiKeySecretName' | 'keepPastDays'>,
): Storage {
  // S3 counts whole days, from 1.
  const past = Duration.days(Math.max(1, Math.ceil(keepPastDays)));
  return {
    // A step reads a version that is no longer the current one only until the next event supersedes its document.
    inbox: bucket(
      scope,
      'Inbox',
      [{ noncurrentVersionExpiration: past }, { expiredObjectDeleteMarker: true }],
      { versioned: true },
    ),
    // No lifetime: a file that Claude loses is uploaded again from here. The reconciler deletes what is left over.
    staging: bucket(scope, 'Staging'),
    results: bucket(scope, 'Results', [{ prefix: 'reconcile/', expiration: past }]),
    table: ledgerTable(scope, 'Ledger'),
    apiKey: apiKeySecretName
      ? secrets.Secret.fromSecretNameV2(scope, 'ApiKey', apiKeySecretName)
      : emptySecret(scope, 'ApiKey'),
  };
}

/**
 * A secret without a value. With one in the template, even a placeholder, a later update of the stack could write
 * it over the key that a person has put in.
 */
function emptySecret(scope: Construct, id: string): secrets.Secret {
  const secret = new secrets.Secret(scope, id, {
    description: 'The Claude API key; put it in after the first deployment',
  });
  const resource = secret.node.defaultChild as secrets.CfnSecret;
  resource.generateSecretString = undefined;
  return secret;
}

function bucket(
  scope: Construct,
  id: string,
  lifetimes: s3.LifecycleRule[] = [],
  props: s3.BucketProps = {},
): s3.Bucket {
  return new s3.Bucket(scope, id, {
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    encryption: s3.BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(7) }, ...lifetimes],
    removalPolicy: RemovalPolicy.RETAIN,
    ...props,
  });
}
