import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { GetQueueAttributesCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failedIds } from '../../infra/local/lambda/event-source.ts';
import { type LocalStack, start } from '../../infra/local/stack.ts';
import {
  assemblyOf,
  clientsOf,
  plainQueue,
  queueUrl,
  receive,
  sendSource,
  type TestFunction,
  temporaryDir,
  values,
  workQueue,
} from './support.ts';

const variables = { RESULTS: { Ref: 'Results' } };
const sources: Record<string, TestFunction> = {
  Forwards: { source: `${sendSource} export const handler = (event) => send(event);` },
  FailsSome: {
    source: `${sendSource} export const handler = async ({ Records }) => {
      for (const { body, attributes } of Records) await send([body, attributes.ApproximateReceiveCount]);
      const bad = Records.filter(({ body }) => body === 'bad');
      return { batchItemFailures: bad.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    };`,
  },
  Hangs: {
    timeout: 1,
    source: `import { spawn } from 'node:child_process';
      export const handler = ({ port }) => {
        const program = 'require("node:net").connect(' + port + ', "127.0.0.1")';
        spawn(process.execPath, ['-e', program], { stdio: 'ignore' });
        return new Promise(() => {});
      };`,
  },
  Fat: {
    memory: 160,
    source: `const kept = [];
      export const handler = async () => {
        for (let i = 0; i < 400; i += 1) {
          kept.push(Buffer.alloc(1024 * 1024, 1));
          await new Promise((resolve) => setImmediate(resolve));
        }
        await new Promise(() => {});
      };`,
  },
  Dies: {
    source: `export const handler = async ({ die }) => { if (die) process.exit(3); return process.pid; };`,
  },
  Warm: {
    source: `let calls = 0; export const handler = async () => {
      calls += 1; await new Promise((resolve) => setTimeout(resolve, 100)); return [process.pid, calls]; };`,
  },
  Throws: { source: `export const handler = async () => { throw new TypeError('no good'); };` },
  Unloadable: { source: `throw new Error('cannot load');` },
  Shows: {
    memory: 200,
    source: `import { tmpdir } from 'node:os';
      export const handler = async (_, context) =>
        ({ env: process.env, tmp: tmpdir(), left: context.getRemainingTimeInMillis(), context });`,
  },
  Adds: { source: `export const handler = async ({ n }) => n + 1;` },
};

const dir = temporaryDir();
const logs: string[] = [];
let stack: LocalStack;
let sqs: ReturnType<typeof clientsOf>['sqs'];

beforeAll(async () => {
  process.env.DROPLINE_TEST_SECRET = 'of the user';
  stack = await start({
    dataDir: `${dir.path}/data`,
    assembly: assemblyOf(
      dir.path,
      {
        Results: plainQueue,
        ...workQueue('Forwards', {}, 'Forward'),
        ...workQueue('FailsSome', {}, 'Fail'),
      },
      Object.fromEntries(Object.entries(sources).map(([id, fn]) => [id, { variables, ...fn }])),
    ),
    concurrency: 2,
    onLog: (line) => logs.push(line),
  });
  ({ sqs } = clientsOf(stack));
});

afterAll(async () => {
  delete process.env.DROPLINE_TEST_SECRET;
  await stack.stop();
  dir.remove();
});

async function send(queueId: string, bodies: string[]) {
  for (const MessageBody of bodies) {
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: queueUrl(stack, queueId),
        MessageBody,
        MessageAttributes: { kind: { DataType: 'String', StringValue: 'test' } },
      }),
    );
  }
}

describe('functions behind the local runtime API', () => {
  it('gives messages the shape that Lambda gives them', async () => {
    await send('ForwardWork', ['häl\nlo']);

    const [event] = values(await receive(sqs, queueUrl(stack, 'Results'), 1));
    expect(event).toEqual({
      Records: [
        {
          messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          receiptHandle: expect.any(String),
          body: 'häl\nlo',
          attributes: {
            ApproximateReceiveCount: '1',
            SentTimestamp: expect.stringMatching(/^\d{13}$/),
            SenderId: expect.any(String),
            ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
          },
          messageAttributes: {
            kind: {
              stringValue: 'test',
              stringListValues: [],
              binaryListValues: [],
              dataType: 'String',
            },
          },
          md5OfBody: createHash('md5').update('häl\nlo').digest('hex'),
          md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
          eventSource: 'aws:sqs',
          eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:forward-work',
          awsRegion: 'us-east-1',
        },
      ],
    });
  });

  it('delivers again only what a function reported as failed, then moves it to the dead-letter queue', async () => {
    await send('FailWork', ['good', 'bad', 'fine']);

    const [dead] = await receive(sqs, queueUrl(stack, 'FailDead'), 1);

    expect(dead?.Body).toBe('bad');
    const seen = values(await receive(sqs, queueUrl(stack, 'Results'), 4));
    expect(seen.sort()).toEqual([
      ['bad', '1'],
      ['bad', '2'],
      ['fine', '1'],
      ['good', '1'],
    ]);
    expect(stack.deadLetters()).toEqual({ 'fail-dead': 1, 'forward-dead': 0 });
    expect(stack.tallies()).toContainEqual(
      expect.objectContaining({
        name: 'fails-some',
        finished: 2,
        failed: 2,
        visible: 0,
        inFlight: 0,
      }),
    );
  });

  it.each([
    ['an unknown id', '{"batchItemFailures":[{"itemIdentifier":"unknown"}]}'],
    ['an empty id', '{"batchItemFailures":[{"itemIdentifier":""}]}'],
    ['a null id', '{"batchItemFailures":[{"itemIdentifier":null}]}'],
    ['a wrong name', '{"batchItemFailures":[{"id":"a"}]}'],
    ['a null entry', '{"batchItemFailures":[null]}'],
    ['no list', '{"batchItemFailures":"a"}'],
    ['text', '"not an answer"'],
    ['no JSON', '{'],
  ])('treats a response with %s as the failure of the whole batch', (_, answer) => {
    const batch = [{ messageId: 'a' }, { messageId: 'b' }];

    expect([...failedIds(answer, batch, true)]).toEqual(['a', 'b']);
  });

  it.each([
    ['null', 'null'],
    ['nothing', ''],
    ['an empty list', '{"batchItemFailures":[]}'],
    ['a null list', '{"batchItemFailures":null}'],
    ['an object without the list', '{}'],
  ])('treats a response of %s as success', (_, answer) => {
    expect([...failedIds(answer, [{ messageId: 'a' }], true)]).toEqual([]);
  });

  it('ignores the response if the mapping does not ask for failures', () => {
    const answer = '{"batchItemFailures":[{"itemIdentifier":"a"}]}';

    expect([...failedIds(answer, [{ messageId: 'a' }], false)]).toEqual([]);
  });

  it('kills a function that exceeds its timeout, and every process it started', async () => {
    const server = createServer();
    const connected = once(server.listen(0, '127.0.0.1'), 'connection');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;

    const running = stack.invoke('Hangs', { port });
    const [grandchild] = (await connected) as [Socket];
    const closed = once(grandchild.resume(), 'close');
    const result = await running;

    expect(result).toMatchObject({
      ok: false,
      reason: 'timeout',
      error: { errorMessage: 'Task timed out after 1.00 seconds' },
    });
    expect(logs.join()).toContain('Task timed out');
    await closed;
    server.close();
  });

  it.runIf(process.platform === 'linux')('kills a function that exceeds its memory', async () => {
    const result = await stack.invoke('Fat', {});

    expect(result).toMatchObject({
      ok: false,
      reason: 'memory',
      error: { errorType: 'Runtime.OutOfMemory' },
    });
  });

  it('survives a function that ends its process, and starts a new one', async () => {
    const before = await stack.invoke('Dies', {});
    const death = await stack.invoke('Dies', { die: true });
    const after = await stack.invoke('Dies', {});

    expect(death).toMatchObject({
      ok: false,
      reason: 'crash',
      error: { errorMessage: 'Runtime exited: exit 3' },
    });
    expect(after).toMatchObject({ ok: true });
    expect(after).not.toEqual(before);
  });

  it('reuses warm processes, and runs no more at once than allowed', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => stack.invoke('Warm', {})));

    const calls = all.map((result) => (result.ok ? JSON.parse(result.payload) : result));
    expect(new Set(calls.map(([pid]) => pid)).size).toBe(2);
    const counts = calls.map(([, count]) => count);
    expect(counts.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(12);
  });

  it('reports errors of the handler and of loading it', async () => {
    const thrown = await stack.invoke('Throws', {});
    const unloaded = await stack.invoke('Unloadable', {});

    expect(thrown).toMatchObject({
      ok: false,
      reason: 'error',
      error: { errorType: 'TypeError', errorMessage: 'no good' },
    });
    expect(unloaded).toMatchObject({ ok: false, error: { errorMessage: 'cannot load' } });
  });

  it('gives a function its own environment and none of the host’s', async () => {
    const result = await stack.invoke('Shows', {});

    const { env, tmp, left, context } = JSON.parse(result.ok ? result.payload : '{}');
    expect(env).toMatchObject({
      AWS_LAMBDA_FUNCTION_NAME: 'shows',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '200',
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_S3: stack.endpoints.s3,
      AWS_ENDPOINT_URL_DYNAMODB: stack.endpoints.dynamodb,
      RESULTS: queueUrl(stack, 'Results'),
    });
    expect(env).not.toHaveProperty('DROPLINE_TEST_SECRET');
    expect(tmp).toBe(env.TMPDIR);
    expect(left).toBeGreaterThan(0);
    expect(context).toMatchObject({ functionName: 'shows', memoryLimitInMB: '200' });
  });

  it('runs a function by Lambda’s own API', async () => {
    const call = (name: string, init: RequestInit) =>
      fetch(`${stack.endpoints.lambda}/2015-03-31/functions/${name}/invocations`, init);

    const answer = await call('adds', { method: 'POST', body: '{"n":41}' });
    const unknown = await call('unknown', { method: 'POST', body: '{}' });

    expect(await answer.json()).toBe(42);
    expect(unknown.status).toBe(404);
  });

  it('counts the requests that a stack made, by service and operation', async () => {
    await stack.resetCounters();
    await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl(stack, 'Results'),
        AttributeNames: ['All'],
      }),
    );

    const counters = await stack.counters();
    expect(counters).toMatchObject({ 'sqs GetQueueAttributes': 1 });
    expect(counters).not.toHaveProperty('sqs SendMessage');
  });
});
