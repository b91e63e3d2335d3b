import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, expect, test } from 'vitest';
import { apiKeySource } from '../../shared/aws/secrets.ts';
import { StopLane } from '../../shared/journey/errors.ts';

const secrets = mockClient(SecretsManagerClient);
afterEach(() => secrets.reset());

const source = (now: () => number = () => 0) =>
  apiKeySource(new SecretsManagerClient({ region: 'us-east-1' }), 'key', now);

test('the key is read once in five minutes', async () => {
  let now = 0;
  secrets
    .on(GetSecretValueCommand)
    .resolvesOnce({ SecretString: ' old ' })
    .resolves({ SecretString: 'new' });
  const key = source(() => now);

  const first = [await key(), await key()];
  now = 5 * 60_000;
  const later = await key();

  expect(first).toEqual(['old', 'old']);
  expect(later).toBe('new');
});

test('whoever needs a newer key says how old it may be', async () => {
  let now = 0;
  secrets
    .on(GetSecretValueCommand)
    .resolvesOnce({ SecretString: 'refused' })
    .resolves({ SecretString: 'corrected' });
  const key = source(() => now);
  await key();
  now = 15_000;

  expect(await key(Number.POSITIVE_INFINITY)).toBe('refused');
  expect(await key(15_000)).toBe('corrected');
  expect(await key()).toBe('corrected');
});

test.each([[''], ['put-the-key-here']])(
  'a secret that holds "%s" stops the lane',
  async (value) => {
    secrets.on(GetSecretValueCommand).resolves({ SecretString: value });

    await expect(source()()).rejects.toThrow(StopLane);
  },
);

test('a secret without a value stops the lane with claude.no_key', async () => {
  const missing = new ResourceNotFoundException({ message: 'no value', $metadata: {} });
  secrets.on(GetSecretValueCommand).rejects(missing);

  await expect(source()()).rejects.toMatchObject({ name: 'StopLane', code: 'claude.no_key' });
});
