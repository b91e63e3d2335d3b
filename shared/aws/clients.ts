import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/**
 * The AWS clients of an entry point. Region, credentials and endpoints come from the environment, by
 * the SDK's own rules (on one machine, `AWS_ENDPOINT_URL_S3` and the like).
 */
export function awsClients() {
  return {
    s3: new S3Client({
      // We send our own SHA-256 where we know it; the SDK's default checksum would buffer streams.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    }),
    dynamodb: DynamoDBDocumentClient.from(new DynamoDBClient({}), {
      marshallOptions: { removeUndefinedValues: true },
    }),
    sqs: new SQSClient({}),
    secrets: new SecretsManagerClient({}),
  };
}
