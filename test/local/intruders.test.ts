import { readdirSync, readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  GetQueueAttributesCommand,
  type QueueAttributeName,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { type Emulator, startEmulator } from '../../infra/local/claude/index.ts';
import { type LocalStack, start } from '../../infra/local/stack.ts';
import { assemblyOf, clientsOf, plainQueue, queueUrl, temporaryDir } from './support.ts';

const apiKey = 'sk-secret-of-this-test';
/** Asks Secrets Manager as the SDK does; the signature is not checked. */
const askSource = `export const handler = async () => {
  const response = await fetch(process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'secretsmanager.GetSecretValue',
      'x-amz-security-token': process.env.AWS_SESSION_TOKEN,
    },
    body: JSON.stringify({ SecretId: process.env.KEY ?? 'key' }),
  });
  return { status: response.status, body: await response.json() };
};`;

const dir = temporaryDir();
let stack: LocalStack;
let emulator: Emulator;
let clients: ReturnType<typeof clientsOf>;
const urls: Record<string, string> = {};

beforeAll(async () => {
  stack = await start({
    dataDir: join(dir.path, 'data'),
    assembly: assemblyOf(
      dir.path,
      {
        Box: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'box' } },
        Jobs: plainQueue,
        Key: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'key' } },
        Ledger: {
          Type: 'AWS::DynamoDB::Table',
          Properties: {
            TableName: 'ledger',
            AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
            KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          },
        },
      },
      {
        Asks: { source: askSource, variables: { KEY: 'key' } },
        Pries: { source: askSource },
        Runtime: { source: 'export const handler = () => process.env.AWS_LAMBDA_RUNTIME_API;' },
      },
    ),
    secret: () => apiKey,
  });
  emulator = await startEmulator();
  clients = clientsOf(stack);
  await clients.s3.send(new PutObjectCommand({ Bucket: 'box', Key: 'a.txt', Body: 'private' }));
  const Item = { pk: { S: 'private' } };
  await clients.dynamodb.send(new PutItemCommand({ TableName: 'ledger', Item }));
  await clients.sqs.send(
    new SendMessageCommand({ QueueUrl: queueUrl(stack, 'Jobs'), MessageBody: 'private' }),
  );
  await emulator.addFile({ filename: 'private.txt', content: 'private' });
  const runtime = await stack.invoke('Runtime', {});
  urls['the AWS services'] = stack.endpoints.s3;
  urls.DynamoDB = stack.endpoints.dynamodb;
  urls['the stand-in for Claude'] = emulator.url;
  urls['the Runtime API'] = `http://${JSON.parse(runtime.ok ? runtime.payload : '""')}`;
});

afterAll(async () => {
  for (const client of Object.values(clients)) client.destroy();
  await stack.stop();
  await emulator.close();
  dir.remove();
});

interface Wish {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** A raw request: `fetch` would not let a test choose `Host` and `Origin`. */
function send(
  url: string,
  { method = 'GET', headers = {}, body = '' }: Wish = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const given = { 'content-length': Buffer.byteLength(body), ...headers };
    const sent = request(url, { method, headers: given, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      const { statusCode: status = 0 } = response;
      response.on('end', () => resolve({ status, headers: response.headers, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const credential = 'Credential=local/20260101/us-east-1/x/aws4_request';
const signed = {
  authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=0`,
  'x-amz-date': '20260101T000000Z',
};
const json = (target: string, body: unknown) => ({
  method: 'POST',
  headers: { ...signed, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target },
  body: JSON.stringify(body),
});

/** What an intruder would want, by port: reads and writes that succeed for a command-line tool. */
const wishes: [string, string, () => Wish][] = [
  ['the AWS services', '/box/a.txt', () => ({})],
  ['the AWS services', '/box/a.txt', () => ({ method: 'DELETE' })],
  ['the AWS services', '/box?delete', () => ({ method: 'POST', body: deletion })],
  ['the AWS services', '/', () => json('AmazonSQS.ReceiveMessage', { QueueUrl: jobs() })],
  ['the AWS services', '/', () => json('AmazonSQS.PurgeQueue', { QueueUrl: jobs() })],
  ['the AWS services', '/', () => json('secretsmanager.GetSecretValue', { SecretId: 'key' })],
  ['the AWS services', '/2015-03-31/functions/asks/invocations', () => ({ method: 'POST' })],
  ['DynamoDB', '/', () => json('DynamoDB_20120810.Scan', { TableName: 'ledger' })],
  ['DynamoDB', '/', () => json('DynamoDB_20120810.DeleteItem', { TableName: 'ledger', Key })],
  ['DynamoDB', '/', () => ({ method: 'OPTIONS' })],
  ['the stand-in for Claude', '/v1/files', () => claude],
  ['the stand-in for Claude', '/_emulator/journal', () => ({})],
  ['the stand-in for Claude', '/_emulator/faults', () => ({ method: 'POST', body: '[]' })],
  ['the Runtime API', '/2018-06-01/runtime/invocation/1/response', () => ({ method: 'POST' })],
];
const Key = { pk: { S: 'private' } };
const deletion = '<Delete><Object><Key>a.txt</Key></Object></Delete>';
const claude = { headers: { 'x-api-key': 'any', 'anthropic-version': '2023-06-01' } };
const jobs = () => queueUrl(stack, 'Jobs');
const depth = async () => {
  const AttributeNames: QueueAttributeName[] = ['ApproximateNumberOfMessages'];
  const asked = new GetQueueAttributesCommand({ QueueUrl: jobs(), AttributeNames });
  return (await clients.sqs.send(asked)).Attributes?.ApproximateNumberOfMessages;
};

/** What a browser adds when a page makes it send the request. */
const disguises: [string, (host: string) => Record<string, string>][] = [
  ['of a foreign origin', () => ({ origin: 'https://evil.example' })],
  ['of a sandboxed frame', () => ({ origin: 'null' })],
  ['of another port of this machine', () => ({ origin: 'http://127.0.0.1:1' })],
  ['after DNS rebinding', (host) => ({ host: `evil.example:${host.split(':')[1]}` })],
  ['after DNS rebinding of its own origin', (host) => rebound(host)],
  [
    'that hides our address in its name',
    (host) => ({ host: `127.0.0.1.evil.example:${host.split(':')[1]}` }),
  ],
  ['for an image', () => ({ 'sec-fetch-site': 'cross-site' })],
];
const rebound = (host: string) => {
  const evil = `evil.example:${host.split(':')[1]}`;
  return { host: evil, origin: `http://${evil}`, 'sec-fetch-site': 'same-origin' };
};

describe.each(disguises)('a request %s', (_, disguise) => {
  it('is refused by every port, and reads and changes nothing', async () => {
    for (const [port, path, wish] of wishes) {
      const url = `${urls[port]}${path}`;
      const { headers = {}, ...rest } = wish();
      const worn = { ...headers, ...disguise(new URL(url).host) };

      const answer = await send(url, { ...rest, headers: worn });

      expect([port, path, answer.status]).toEqual([port, path, 403]);
      expect(answer.text).not.toContain('private');
      expect(answer.text).not.toContain(apiKey);
      expect(Object.keys(answer.headers).filter((name) => /^access-control/.test(name))).toEqual(
        [],
      );
    }

    const { Item } = await clients.dynamodb.send(new GetItemCommand({ TableName: 'ledger', Key }));
    expect(Item).toEqual(Key);
    expect((await send(`${stack.endpoints.s3}/box/a.txt`)).text).toBe('private');
    expect(await depth()).toBe('1');
  });
});

test('a client without an Origin is answered, by either name of this machine', async () => {
  const { port } = new URL(stack.endpoints.dynamodb);
  const scan = json('DynamoDB_20120810.Scan', { TableName: 'ledger' });

  const byName = await send(stack.endpoints.dynamodb, {
    ...scan,
    headers: { ...scan.headers, host: `localhost:${port}` },
  });
  const bySdk = await clients.dynamodb.send(new ScanCommand({ TableName: 'ledger' }));

  expect(byName.status).toBe(200);
  expect(bySdk.Count).toBe(1);
});

test('a page of the server itself is answered without a CORS header', async () => {
  const own = stack.endpoints.dynamodb;
  const scan = json('DynamoDB_20120810.Scan', { TableName: 'ledger' });

  const answer = await send(own, { ...scan, headers: { ...scan.headers, origin: own } });

  expect(answer.status).toBe(200);
  expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
});

describe('the API key', () => {
  const read = async (name: string) => {
    const result = await stack.invoke(name, {});
    return JSON.parse(result.ok ? result.payload : '{}');
  };

  it('is readable by the functions that use it', async () => {
    expect(await read('Asks')).toMatchObject({ status: 200, body: { SecretString: apiKey } });
  });

  it('is not readable by other functions', async () => {
    const { status, body } = await read('Pries');

    expect([status, body.__type]).toEqual([400, 'AccessDeniedException']);
  });

  it('is not readable by other clients, whatever name they sign with', async () => {
    const secrets = new SecretsManagerClient({
      ...stack.client('secretsManager'),
      credentials: { accessKeyId: 'local-asks', secretAccessKey: 'local', sessionToken: 'guess' },
    });

    const reading = secrets.send(new GetSecretValueCommand({ SecretId: 'key' }));

    await expect(reading).rejects.toThrow('Only the functions that use the secret may read it');
    secrets.destroy();
  });

  it('is in no file of the data directory', async () => {
    await read('Asks');

    const root = join(dir.path, 'data');
    const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );

    expect(files.length).toBeGreaterThan(3);
    for (const { parentPath, name } of files) {
      expect(readFileSync(join(parentPath, name)).includes(apiKey)).toBe(false);
    }
  });
});
