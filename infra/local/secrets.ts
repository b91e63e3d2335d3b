import { AwsError } from './aws/errors.ts';
import type { JsonService } from './aws/server.ts';

/** A secret and its value. */
export interface LocalSecret {
  name: string;
  arn: string;
  value: string;
  /** Names of the functions that may read it. */
  readers: ReadonlySet<string>;
}

/**
 * The read operations of Secrets Manager, for the functions that a secret is meant for and no other client: with
 * `--live` it is a real key. Values are kept in the host's memory only.
 */
export function secretsService(secrets: () => LocalSecret[]): JsonService {
  return async (operation, input, _signal, caller) => {
    const wanted = String(input.SecretId ?? '');
    // A secret id is a name, an ARN, or an ARN without its random suffix.
    const secret = secrets().find(
      ({ name, arn }) => wanted === name || wanted === arn || wanted === arn.slice(0, -7),
    );
    if (!secret) {
      throw new AwsError(
        'ResourceNotFoundException',
        "Secrets Manager can't find the specified secret.",
      );
    }
    if (caller === undefined || !secret.readers.has(caller)) {
      throw new AwsError(
        'AccessDeniedException',
        `Only the functions that use the secret may read it, not ${caller ?? 'other clients'}`,
      );
    }
    const description = { ARN: secret.arn, Name: secret.name };
    if (operation === 'DescribeSecret') return description;
    if (operation !== 'GetSecretValue') {
      throw new AwsError(
        'InvalidRequestException',
        `${operation} is not supported locally: secrets are set when the host starts`,
      );
    }
    if (secret.value === '') {
      throw new AwsError(
        'ResourceNotFoundException',
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
      );
    }
    return {
      ...description,
      SecretString: secret.value,
      VersionId: '00000000-0000-0000-0000-000000000001',
      VersionStages: ['AWSCURRENT'],
      CreatedDate: 0,
    };
  };
}
