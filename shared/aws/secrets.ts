import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { StopLane } from '../journey/errors.ts';

const keptMs = 5 * 60_000;

/**
 * The API key from Secrets Manager, read again every five minutes, so that a rotated key is picked up
 * without a deployment.
 * @throws StopLane when the secret is empty or still holds the stack's placeholder
 */
export function apiKeySource(
  client: SecretsManagerClient,
  secretName: string,
  now: () => number,
): () => Promise<string> {
  let known: { key: string; at: number } | undefined;
  return async () => {
    if (known && now() - known.at < keptMs) return known.key;
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretName }));
    const key = SecretString?.trim() ?? '';
    if (!key || key === 'put-the-key-here') {
      throw new StopLane({
        code: 'claude.no_key',
        message: `The secret ${secretName} does not hold a Claude API key.`,
      });
    }
    known = { key, at: now() };
    return key;
  };
}
