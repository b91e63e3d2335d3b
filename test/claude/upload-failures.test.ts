import { once } from 'node:events';
import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import { Agent } from 'undici';
import { expect, test } from 'vitest';
import {
  AuthenticationFailed,
  ClaudeAbortedError,
  ClaudeApiError,
  ClaudeConnectionError,
  ClaudeReplyError,
  ClaudeTimeoutError,
  RateLimited,
  TooLarge,
} from '../../shared/claude/errors.ts';
import {
  clientOf,
  errorJson,
  fileJson,
  rejection,
  serve,
  serveRaw,
  silentUntilTimeout,
} from './api-server.ts';
import { chunkBytes, endless, upload } from './upload-body.ts';

test.each([
  ['hangs up at once', true],
  ['keeps the connection', false],
])('reports a rejection that arrives while sending, from an API that %s', async (_, hangUp) => {
  const server = await serveRaw((request, response) => {
    response.writeHead(413, { connection: hangUp ? 'close' : 'keep-alive' });
    response.end(JSON.stringify(errorJson('request_too_large', 'File too large')), () => {
      if (hangUp) request.socket.destroy();
    });
  });
  const { client } = clientOf(server);

  const errors = [];
  for (let round = 0; round < 20; round++) {
    errors.push(await rejection(client.uploadFile(upload(endless(), 10_000 * chunkBytes))));
  }

  expect(errors.map((error) => error instanceof TooLarge)).toEqual(errors.map(() => true));
  expect(errors[0]).toMatchObject({ status: 413, message: 'File too large' });
});

test('reports a rejection while the body is stalled, and closes the body', async () => {
  const server = await serveRaw((_request, response) => {
    response.writeHead(401);
    response.end(JSON.stringify(errorJson('authentication_error', 'invalid x-api-key')));
  });
  const { client } = clientOf(server);
  const stalled = new Readable({ read: () => undefined });
  stalled.push(Buffer.alloc(100));

  const error = await rejection(client.uploadFile(upload(stalled, 1_000)));

  expect(error).toBeInstanceOf(AuthenticationFailed);
  expect(stalled.destroyed).toBe(true);
});

test('reports the status of a rejection whose body was cut off', async () => {
  const server = await serveRaw((request, response) => {
    response.writeHead(413, { 'content-length': '1000' });
    response.write('{"type":"err');
    setImmediate(() => request.socket.destroy());
  });
  const { client } = clientOf(server);

  const error = await rejection(client.uploadFile(upload(endless(), 10_000 * chunkBytes)));

  expect(error).toBeInstanceOf(ClaudeApiError);
  expect(error).toMatchObject({ status: 413, message: 'HTTP 413: {"type":"err' });
});

test('makes one attempt when the reply is lost, and reports that the file may exist', async () => {
  const server = await serve((request) => request.socket.destroy());
  const { client, waits } = clientOf(server, { maxRetries: 5 });

  const error = await rejection(client.uploadFile(upload(Readable.from([Buffer.from('abc')]), 3)));

  expect(error).toBeInstanceOf(ClaudeConnectionError);
  expect(error).toMatchObject({ sent: 'maybe' });
  expect(server.seen).toHaveLength(1);
  expect(waits).toEqual([]);
});

test('makes one attempt when the API asks to wait, and reports how long', async () => {
  const server = await serve({
    status: 429,
    headers: { 'retry-after': '7' },
    json: errorJson('rate_limit_error'),
  });
  const { client } = clientOf(server);

  const error = await rejection(client.uploadFile(upload(Readable.from([Buffer.from('abc')]), 3)));

  expect(error).toBeInstanceOf(RateLimited);
  expect(error).toMatchObject({ retryAfterMs: 7_000 });
  expect(server.seen).toHaveLength(1);
});

test('reports that nothing was sent when it cannot connect, and closes the unread body', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const address = closed.address();
  closed.close();
  await once(closed, 'close');
  const port = typeof address === 'object' ? address?.port : undefined;
  const { client } = clientOf({ url: `http://127.0.0.1:${port}` });
  let reads = 0;
  const body = new Readable({
    read() {
      reads++;
    },
  });

  const error = await rejection(client.uploadFile(upload(body, 10)));

  expect(error).toBeInstanceOf(ClaudeConnectionError);
  expect(error).toMatchObject({ sent: 'no', message: expect.stringContaining('ECONNREFUSED') });
  expect(reads).toBe(0);
  expect(body.destroyed).toBe(true);
});

test('aborts at its signal while sending, and leaves the request incomplete', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);
  const controller = new AbortController();
  let pulls = 0;
  const body = Readable.from(
    endless(() => {
      if (++pulls === 5) controller.abort(new Error('the lease was lost'));
    }),
  );

  const error = await rejection(
    client.uploadFile({ ...upload(body, 10_000 * chunkBytes), signal: controller.signal }),
  );

  expect(error).toBeInstanceOf(ClaudeAbortedError);
  expect(error).toMatchObject({ sent: 'maybe', cause: { message: 'the lease was lost' } });
  expect(body.destroyed).toBe(true);
  expect(server.seen).toEqual([]);
});

test('does not connect when its signal is already aborted', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);

  const error = await rejection(
    client.uploadFile({ ...upload(endless(), 10), signal: AbortSignal.abort() }),
  );

  expect(error).toBeInstanceOf(ClaudeAbortedError);
  expect(error).toMatchObject({ sent: 'no' });
  expect(server.connections).toBe(0);
});

test('aborts at its signal while connecting, and reports that nothing was sent', async () => {
  const controller = new AbortController();
  const connecting = Promise.withResolvers<void>();
  const agent = new Agent({
    connect: () => {
      connecting.resolve();
    },
  });
  const { client } = clientOf({ url: 'http://127.0.0.1:9' }, { dispatcher: agent });

  const uploading = client.uploadFile({ ...upload(endless(), 10), signal: controller.signal });
  await connecting.promise;
  controller.abort();
  const error = await rejection(uploading);

  expect(error).toBeInstanceOf(ClaudeAbortedError);
  expect(error).toMatchObject({ sent: 'no' });
});

test('gives up at its timeout, and reports that the file may exist', async () => {
  const server = await serve(silentUntilTimeout(5_000));
  const { client } = clientOf(server);

  const error = await rejection(
    client.uploadFile({ ...upload(Readable.from([Buffer.from('abc')]), 3), timeoutMs: 5_000 }),
  );

  expect(error).toBeInstanceOf(ClaudeTimeoutError);
  expect(error).toMatchObject({ sent: 'maybe' });
  expect(server.seen).toHaveLength(1);
});

test.each([
  ['is not JSON', { text: '<html>' }],
  ['has no id', { json: { type: 'file' } }],
  ['has a size that is not a number', { json: fileJson('f', { size_bytes: '3' }) }],
  ['has a malformed time', { json: fileJson('f', { created_at: 'yesterday' }) }],
])('rejects a reply that %s', async (_, answer) => {
  const server = await serve({ ...answer, headers: { 'request-id': 'req_7' } });
  const { client } = clientOf(server);

  const error = await rejection(client.uploadFile(upload(Readable.from([Buffer.from('abc')]), 3)));

  expect(error).toBeInstanceOf(ClaudeReplyError);
  expect(error).toMatchObject({ requestId: 'req_7' });
});

test('reports that the file may exist when a successful reply is cut off', async () => {
  const server = await serve((request, response) => {
    response.writeHead(200, { 'content-length': '500', 'request-id': 'req_8' });
    response.write('{"id":');
    setImmediate(() => request.socket.destroy());
  });
  const { client } = clientOf(server);

  const error = await rejection(client.uploadFile(upload(Readable.from([Buffer.from('abc')]), 3)));

  expect(error).toBeInstanceOf(ClaudeConnectionError);
  expect(error).toMatchObject({ sent: 'maybe', status: 200, requestId: 'req_8' });
});
