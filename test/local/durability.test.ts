import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from 'vitest';
import { type Endpoints, type LocalStack, start } from '../../infra/local/stack.ts';
import { DataDirUnavailable } from '../../infra/local/state/database.ts';
import type { Assembly } from '../../infra/local/template/resources.ts';
import {
  assemblyOf,
  clientsOf,
  plainQueue,
  queueUrl,
  receive,
  sendSource,
  temporaryDir,
  values,
  workQueue,
} from './support.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function setUp(source: string): { dataDir: string; assembly: Assembly; settings: string } {
  const dir = temporaryDir();
  cleanups.push(dir.remove);
  const assembly = assemblyOf(
    dir.path,
    {
      Results: plainQueue,
      ...workQueue('Fn', { VisibilityTimeout: 3600 }),
      Inbox: {
        Type: 'AWS::S3::Bucket',
        Properties: {
          NotificationConfiguration: {
            QueueConfigurations: [
              { Event: 's3:ObjectCreated:*', Queue: { 'Fn::GetAtt': ['Work', 'Arn'] } },
            ],
          },
        },
      },
      Table: {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          AttributeDefinitions: ['pk', 'state'].map((name) => ({
            AttributeName: name,
            AttributeType: 'S',
          })),
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          GlobalSecondaryIndexes: [
            {
              IndexName: 'by-state',
              KeySchema: [{ AttributeName: 'state', KeyType: 'HASH' }],
              Projection: { ProjectionType: 'KEYS_ONLY' },
            },
          ],
        },
      },
    },
    { Fn: { source, timeout: 600, variables: { RESULTS: { Ref: 'Results' } } } },
  );
  const dataDir = `${dir.path}/data`;
  const settings = `${dir.path}/settings.json`;
  writeFileSync(
    settings,
    JSON.stringify({ dataDir, template: assembly.template, assets: [...assembly.assets] }),
  );
  return { dataDir, assembly, settings };
}

/** A host in a process that can be killed. */
async function startProcess(settings: string): Promise<{ host: ChildProcess; at: Endpoints }> {
  const module = fileURLToPath(new URL('host-process.ts', import.meta.url));
  const host = spawn(process.execPath, [module, settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanups.push(() => host.kill('SIGKILL'));
  for await (const line of createInterface(host.stdout)) return { host, at: JSON.parse(line) };
  throw new Error('The host ended');
}

async function open(dataDir: string, assembly: Assembly): Promise<LocalStack> {
  const stack = await start({ dataDir, assembly });
  cleanups.push(() => stack.stop());
  return stack;
}

const local = { region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
/** Forwards each event, and hangs on one that asks for it at its first delivery. */
const worker = `${sendSource}
  export const handler = async ({ Records }) => {
    for (const { body, attributes } of Records) {
      const event = JSON.parse(body);
      await send({ event, count: attributes.ApproximateReceiveCount });
      if (event.hang && attributes.ApproximateReceiveCount === '1') await new Promise(() => {});
    }
  };`;

describe('the state of a local stack', () => {
  it('keeps objects, records and waiting messages after a stop', async () => {
    const { dataDir, assembly } = setUp(worker);
    const before = await open(dataDir, assembly);
    const old = clientsOf(before);
    await old.s3.send(new PutObjectCommand({ Bucket: 'inbox', Key: 'a', Body: 'kept' }));
    await old.dynamodb.send(
      new PutItemCommand({ TableName: 'table', Item: { pk: { S: '1' }, state: { S: 'open' } } }),
    );
    await receive(old.sqs, queueUrl(before, 'Results'), 2);
    await old.sqs.send(
      new SendMessageCommand({ QueueUrl: queueUrl(before, 'Results'), MessageBody: '"waiting"' }),
    );

    await before.stop();
    const after = await open(dataDir, assembly);

    const { s3, sqs, dynamodb } = clientsOf(after);
    const object = await s3.send(new GetObjectCommand({ Bucket: 'inbox', Key: 'a' }));
    expect(await object.Body?.transformToString()).toBe('kept');
    expect(values(await receive(sqs, queueUrl(after, 'Results'), 1))).toContain('waiting');
    const { Items } = await dynamodb.send(byState('open'));
    expect(Items).toEqual([{ pk: { S: '1' }, state: { S: 'open' } }]);
  });

  it('delivers messages in flight again right after a kill, and each object’s event', async () => {
    const { dataDir, assembly, settings } = setUp(worker);
    const { host, at } = await startProcess(settings);
    const s3 = new S3Client({ ...local, endpoint: at.s3 });
    const sqs = new SQSClient({ ...local, endpoint: at.sqs });
    const dynamodb = new DynamoDBClient({ ...local, endpoint: at.dynamodb });
    const url = (name: string) => `${at.sqs}/000000000000/${name}`;
    await receive(sqs, url('results'), 1); // the test event of S3
    await sqs.send(new SendMessageCommand({ QueueUrl: url('work'), MessageBody: '{"hang":1}' }));
    await receive(sqs, url('results'), 1);
    const puts = Array.from({ length: 20 }, (_, index) =>
      s3.send(new PutObjectCommand({ Bucket: 'inbox', Key: `k${index}`, Body: 'x' })),
    );
    await dynamodb.send(
      new PutItemCommand({ TableName: 'table', Item: { pk: { S: '2' }, state: { S: 'open' } } }),
    );
    await Promise.all(puts);

    host.kill('SIGKILL');
    await once(host, 'exit');
    const stack = await open(dataDir, assembly);

    const clients = clientsOf(stack);
    const seen = new Set<string>();
    let hung: string | undefined;
    while (seen.size < 20 || hung !== '2') {
      for (const { event, count } of values(
        await receive(clients.sqs, queueUrl(stack, 'Results'), 1),
      )) {
        if (event.hang) hung = count;
        else if (event.Records) seen.add(event.Records[0].s3.object.key);
      }
    }
    expect(seen.size).toBe(20);
    expect((await clients.dynamodb.send(byState('open'))).Items).toHaveLength(1);
  });

  it('gives later objects later sequencers after a restart', async () => {
    const { dataDir, assembly } = setUp(worker);
    const sequencers: string[] = [];
    for (let life = 0; life < 2; life += 1) {
      const stack = await start({
        dataDir,
        assembly,
        onChange: ({ sequencer }) => sequencers.push(sequencer),
      });
      const { s3 } = clientsOf(stack);
      for (const Key of ['a', 'b', 'c']) {
        await s3.send(new PutObjectCommand({ Bucket: 'inbox', Key, Body: 'x' }));
      }
      await stack.stop();
    }

    expect(sequencers).toHaveLength(6);
    expect(sequencers).toEqual([...new Set(sequencers)].sort());
  });

  it('refuses a second host on the same directory until the first is killed', async () => {
    const { dataDir, assembly, settings } = setUp(worker);
    const { host } = await startProcess(settings);

    await expect(start({ dataDir, assembly })).rejects.toThrow(DataDirUnavailable);
    await expect(start({ dataDir, assembly })).rejects.toThrow(`process ${host.pid}`);
    host.kill('SIGKILL');
    await once(host, 'exit');

    const stack = await open(dataDir, assembly);
    expect(stack.endpoints.s3).toContain('127.0.0.1');
  });

  it('ends all function processes when the host is killed', async () => {
    const { settings } = setUp(
      `${sendSource} export const handler = async () => { await send(process.pid); await new Promise(() => {}); };`,
    );
    const { host, at } = await startProcess(settings);
    const sqs = new SQSClient({ ...local, endpoint: at.sqs });
    const [pid] = values(await receive(sqs, `${at.sqs}/000000000000/results`, 1));

    host.kill('SIGKILL');

    await expect.poll(() => isRunning(pid)).toBe(false);
  });
});

const byState = (state: string) =>
  new QueryCommand({
    TableName: 'table',
    IndexName: 'by-state',
    KeyConditionExpression: '#state = :state',
    ExpressionAttributeNames: { '#state': 'state' },
    ExpressionAttributeValues: { ':state': { S: state } },
  });

/** Whether a process is running; a zombie is not. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const state = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /, '')[0];
    return state !== 'Z';
  } catch {
    return false;
  }
}
