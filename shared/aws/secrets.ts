import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { StopLane } from '../journey/errors.ts';

const keptMs = 5 * 60_000;

/**
 * The API key from Secrets Manager, read again every five minutes, so that a rotated key is picked up
 * without a deployment. A caller that must know sooner says how old the answer may be: a stopped lane, whose key
 * a person may have corrected.
 * @returns reads the key; `maxAgeMs` is the greatest age of the answer, five minutes when left out
 * @throws StopLane when the secret has no value yet
 */
export function apiKeySource(
  client: SecretsManagerClient,
  secretName: string,
  now: () => number,
): (maxAgeMs?: number) => Promise<string> {
  let known: { key: string; at: number } | undefined;
  return async (maxAgeMs = keptMs) => {
    if (known && now() - known.at < maxAgeMs) return known.key;
    const key = await read(client, secretName);
    // Deployments of version 0.1 made the secret with this placeholder in it.
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

/** The secret's value; empty when it has none, which Secrets Manager answers like a secret that does not exist. */
async function read(client: SecretsManagerClient, SecretId: string): Promise<string> {
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId }));
    return SecretString?.trim() ?? '';
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return '';
    throw error;
  }
}
