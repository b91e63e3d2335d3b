import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { StopLane } from '../journey/errors.ts';

const keptMs = 5 * 60_000;

/**
 * The API key from Secrets Manager, read again every five minutes, so that a rotated key is picked up
 * without a deployment. Who needs to know sooner says how old the answer may be: a stopped lane, whose key
 * a person may have corrected.
 * @returns reads the key; `maxAgeMs` is the age of the answer at most, five minutes when left out
 * @throws StopLane when the secret is empty or still holds the stack's placeholder
 */
export function apiKeySource(
  client: SecretsManagerClient,
  secretName: string,
  now: () => number,
): (maxAgeMs?: number) => Promise<string> {
  let known: { key: string; at: number } | undefined;
  return async (maxAgeMs = keptMs) => {
    if (known && now() - known.at < maxAgeMs) return known.key;
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
