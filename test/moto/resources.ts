import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import {
  CreateBucketCommand,
  type Event,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { localCredentials, localRegion } from '../../infra/local/credentials.ts';
import type { LocalResources } from '../../infra/local/template/resources.ts';

/** Clients of one AWS that has all services at one address. */
export function clientsAt(endpoint: string) {
  const settings = { endpoint, region: localRegion, credentials: localCredentials };
  return {
    s3: new S3Client({ ...settings, forcePathStyle: true }),
    sqs: new SQSClient(settings),
    dynamodb: new DynamoDBClient(settings),
    secrets: new SecretsManagerClient(settings),
  };
}

/** Creates the template's queues, buckets, tables and secrets, as CloudFormation would. */
export async function createResources(
  { s3, sqs, dynamodb, secrets }: ReturnType<typeof clientsAt>,
  resources: LocalResources,
  secret: string,
): Promise<void> {
  // Dead-letter queues first: moto refuses a queue that names one that does not exist.
  const queues = resources.queues.toSorted(
    (a, b) => Number(a.redrive !== undefined) - Number(b.redrive !== undefined),
  );
  for (const queue of queues) {
    const redrive = queue.redrive && {
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: queue.redrive.deadLetterArn,
        maxReceiveCount: queue.redrive.maxReceiveCount,
      }),
    };
    const Attributes = { VisibilityTimeout: String(queue.visibilityTimeout), ...redrive };
    await sqs.send(new CreateQueueCommand({ QueueName: queue.name, Attributes }));
  }
  for (const { name: Bucket, versioned, notifications } of resources.buckets) {
    await s3.send(new CreateBucketCommand({ Bucket }));
    if (versioned) {
      const VersioningConfiguration = { Status: 'Enabled' } as const;
      await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    }
    const QueueConfigurations = notifications.map(({ id, queueArn, event }) => ({
      Id: id,
      QueueArn: queueArn,
      Events: [event as Event],
    }));
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket,
        NotificationConfiguration: { QueueConfigurations },
      }),
    );
  }
  for (const { id: _, streamArn: __, ...table } of resources.tables) {
    const input = { ...table, BillingMode: 'PAY_PER_REQUEST' } as CreateTableCommandInput;
    await dynamodb.send(new CreateTableCommand(input));
  }
  for (const { name } of resources.secrets) {
    await secrets.send(new CreateSecretCommand({ Name: name, SecretString: secret }));
  }
}
