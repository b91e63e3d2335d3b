import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Agent } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import type { UploadFile } from '../../shared/claude/client.ts';
import {
  AuthenticationFailed,
  ClaudeAbortedError,
  ClaudeApiError,
  ClaudeConnectionError,
  ClaudeReplyError,
  ClaudeSetupError,
  ClaudeTimeoutError,
  RateLimited,
  TooLarge,
  UploadSizeMismatch,
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

const chunkBytes = 64 * 1024;

function upload(body: AsyncIterable<Uint8Array>, sizeBytes: number): UploadFile {
  return { filename: 'a.pdf', mimeType: 'application/pdf', sizeBytes, body };
}

/** The file's bytes within a multipart body of one part. */
function contentOf(body: Buffer): Buffer {
  const boundary = body.subarray(0, body.indexOf('\r\n')).toString();
  return body.subarray(body.indexOf('\r\n\r\n') + 4, body.lastIndexOf(`\r\n${boundary}--\r\n`));
}

/** A body of equal chunks without end, which lets the event loop turn between them. */
async function* endless(onPull: () => void = () => undefined): AsyncGenerator<Uint8Array> {
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    onPull();
    yield Buffer.alloc(chunkBytes);
  }
}

test('sends exactly the bytes of one part, its name as raw UTF-8', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);

  await client.uploadFile({
    filename: 'Übersicht 年度 "1"\r\n.pdf',
    mimeType: 'application/pdf',
    sizeBytes: 6,
    body: Readable.from([Buffer.from('%PDF'), Buffer.from('-1')]),
  });

  const [request] = server.seen;
  const boundary = /^multipart\/form-data; boundary=(dropline-[0-9a-f]{32})$/.exec(
    request?.headers['content-type'] ?? '',
  )?.[1];
  expect(request?.body.toString('utf8')).toBe(
    `--${boundary}\r\n` +
      'Content-Disposition: form-data; name="file"; filename="Übersicht 年度 %221%22%0D%0A.pdf"\r\n' +
      'Content-Type: application/pdf\r\n' +
      '\r\n' +
      '%PDF-1\r\n' +
      `--${boundary}--\r\n`,
  );
});

test('states the exact length instead of chunking', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);

  await client.uploadFile(upload(Readable.from([Buffer.from('abc')]), 3));

  const [request] = server.seen;
  expect(request?.headers['content-length']).toBe(String(request?.body.length));
  expect(request?.headers['transfer-encoding']).toBeUndefined();
});

test('puts the expiry in a field before the file', async () => {
  const server = await serve({ json: fileJson('file_1', { expires_at: '2026-12-01T00:00:00Z' }) });
  const { client } = clientOf(server);

  const file = await client.uploadFile({
    ...upload(Readable.from([Buffer.from('abc')]), 3),
    expiresInSeconds: 3600,
  });

  expect(server.seen[0]?.body.toString()).toMatch(
    /^--\S+\r\nContent-Disposition: form-data; name="expires_in_seconds"\r\n\r\n3600\r\n--\S+\r\nContent-Disposition: form-data; name="file"/,
  );
  expect(file.expiresAt).toBe('2026-12-01T00:00:00.000Z');
});

test('refuses an expiry in the beta dialect without calling', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server, { dialect: 'beta' });

  const error = await rejection(
    client.uploadFile({ ...upload(Readable.from([]), 0), expiresInSeconds: 3600 }),
  );

  expect(error).toBeInstanceOf(ClaudeSetupError);
  expect(server.seen).toEqual([]);
});

test('gives the metadata of the file that was made', async () => {
  const server = await serve({ json: fileJson('file_9') });
  const { client } = clientOf(server);

  const file = await client.uploadFile(upload(Readable.from([Buffer.from('abc')]), 3));

  expect(file).toEqual({
    id: 'file_9',
    filename: 'a.pdf',
    mimeType: 'application/pdf',
    sizeBytes: 3,
    createdAt: '2026-11-22T10:00:00.123Z',
    downloadable: false,
  });
});

test('uploads an empty file', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);

  await client.uploadFile(upload(Readable.from([]), 0));

  expect(contentOf(server.seen[0]?.body ?? Buffer.alloc(0))).toHaveLength(0);
});

test.each(['text', 'a/b\r\nx-evil: 1', ''])('refuses %j as a MIME type', async (mimeType) => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);

  const error = await rejection(client.uploadFile({ ...upload(Readable.from([]), 0), mimeType }));

  expect(error).toBeInstanceOf(TypeError);
  expect(server.connections).toBe(0);
});

test('carries a file over a slow connection byte for byte while its memory goes back', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'dropline-upload-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const content = randomBytes(5_000_001);
  const path = join(dir, 'file');
  writeFileSync(path, content);
  let received = Buffer.alloc(0);
  const server = await serveRaw(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
    received = Buffer.concat(chunks);
    response.end(JSON.stringify(fileJson()));
  });
  const { client } = clientOf(server);

  await client.uploadFile(upload(createReadStream(path), content.length));

  expect(contentOf(received).equals(content)).toBe(true);
});

test('gives back the memory of chunks it was given for good', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);
  const own = Buffer.from(new ArrayBuffer(chunkBytes));
  const shared = Buffer.from(new ArrayBuffer(chunkBytes), 0, 100);

  await client.uploadFile({
    ...upload(Readable.from([own, shared]), chunkBytes + 100),
    ownsChunks: true,
  });

  expect(own).toHaveLength(0);
  expect(shared).toHaveLength(100);
  expect(contentOf(server.seen[0]?.body ?? Buffer.alloc(0))).toHaveLength(chunkBytes + 100);
});

test('leaves chunks alone that it was not given for good', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);
  const chunk = Buffer.from(new ArrayBuffer(chunkBytes));

  await client.uploadFile(upload(Readable.from([chunk]), chunkBytes));

  expect(chunk).toHaveLength(chunkBytes);
});

test('reads no further ahead of the connection than its buffers', async () => {
  const chunks = 1_000;
  let pulled = 0;
  let received = 0;
  let furthestAhead = 0;
  const server = await serveRaw(async (request, response) => {
    for await (const chunk of request) {
      received += chunk.length;
      furthestAhead = Math.max(furthestAhead, pulled * chunkBytes - received);
    }
    response.end(JSON.stringify(fileJson()));
  });
  const { client } = clientOf(server);
  async function* body(): AsyncGenerator<Uint8Array> {
    for (pulled = 1; pulled <= chunks; pulled++) yield Buffer.alloc(chunkBytes);
  }

  await client.uploadFile(upload(body(), chunks * chunkBytes));

  expect(received).toBeGreaterThan(chunks * chunkBytes);
  expect(furthestAhead).toBeLessThan(16 * 1024 * 1024);
});

test('passes on what the body fails with, and the API gets no whole request', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);
  const failure = new Error('S3 hung up');
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(chunkBytes);
    throw failure;
  }

  const error = await rejection(client.uploadFile(upload(body(), 2 * chunkBytes)));

  expect(error).toBe(failure);
  expect(server.seen).toEqual([]);
});

test('sends nothing when the body fails before its first byte', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);
  const failure = new Error('no such object');
  const body = new Readable({
    read() {
      this.destroy(failure);
    },
  });

  const error = await rejection(client.uploadFile(upload(body, 10)));

  expect(error).toBe(failure);
  expect(server.aborted).toBe(0);
});

test.each([
  ['shorter', 2],
  ['longer', 4],
])('refuses a body that is %s than stated, and the API gets no whole request', async (_, bytes) => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);

  const error = await rejection(
    client.uploadFile(upload(Readable.from([Buffer.from('a'), Buffer.alloc(bytes - 1)]), 3)),
  );

  expect(error).toBeInstanceOf(UploadSizeMismatch);
  expect(error).toMatchObject({ expectedBytes: 3, actualBytes: bytes });
  expect(server.seen).toEqual([]);
});

test('refuses a body of text, whose length would be counted in characters', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);
  const body = Readable.from([Buffer.from('äöü')]).setEncoding('utf8');

  const error = await rejection(client.uploadFile(upload(body, 3)));

  expect(error).toBeInstanceOf(TypeError);
  expect(server.seen).toEqual([]);
});

test.each([
  ['hangs up at once', true],
  ['keeps the connection', false],
])('tells a refusal that comes while it sends, from an API that %s', async (_, hangUp) => {
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

test('tells a refusal while the body has stalled, and ends the body', async () => {
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

test('tells the status of a refusal whose body was cut', async () => {
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

test('makes one attempt when the answer is lost, and says that the file may exist', async () => {
  const server = await serve((request) => request.socket.destroy());
  const { client, waits } = clientOf(server, { maxRetries: 5 });

  const error = await rejection(client.uploadFile(upload(Readable.from([Buffer.from('abc')]), 3)));

  expect(error).toBeInstanceOf(ClaudeConnectionError);
  expect(error).toMatchObject({ sent: 'maybe' });
  expect(server.seen).toHaveLength(1);
  expect(waits).toEqual([]);
});

test('makes one attempt when it is told to wait, and says how long', async () => {
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

test('says that nothing was sent when no connection comes about, and ends the unread body', async () => {
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

test('ends at its signal while sending, and the API gets no whole request', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);
  const controller = new AbortController();
  let pulls = 0;
  const body = Readable.from(
    endless(() => {
      if (++pulls === 5) controller.abort(new Error('the claim was lost'));
    }),
  );

  const error = await rejection(
    client.uploadFile({ ...upload(body, 10_000 * chunkBytes), signal: controller.signal }),
  );

  expect(error).toBeInstanceOf(ClaudeAbortedError);
  expect(error).toMatchObject({ sent: 'maybe', cause: { message: 'the claim was lost' } });
  expect(body.destroyed).toBe(true);
  expect(server.seen).toEqual([]);
});

test('does not even connect when its signal came before', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);

  const error = await rejection(
    client.uploadFile({ ...upload(endless(), 10), signal: AbortSignal.abort() }),
  );

  expect(error).toBeInstanceOf(ClaudeAbortedError);
  expect(error).toMatchObject({ sent: 'no' });
  expect(server.connections).toBe(0);
});

test('ends at its signal while it still connects, and says that nothing was sent', async () => {
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

test('gives up after its time, and says that the file may exist', async () => {
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
  ['has a size that is no number', { json: fileJson('f', { size_bytes: '3' }) }],
  ['has a time that is none', { json: fileJson('f', { created_at: 'yesterday' }) }],
])('does not take a reply for a file that %s', async (_, answer) => {
  const server = await serve({ ...answer, headers: { 'request-id': 'req_7' } });
  const { client } = clientOf(server);

  const error = await rejection(client.uploadFile(upload(Readable.from([Buffer.from('abc')]), 3)));

  expect(error).toBeInstanceOf(ClaudeReplyError);
  expect(error).toMatchObject({ requestId: 'req_7' });
});

test('says that the file may exist when the good reply is cut', async () => {
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

test('keeps connections for the uploads that follow', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);

  for (let round = 0; round < 10; round++) {
    await client.uploadFile(upload(Readable.from([Buffer.from('abc')]), 3));
  }

  expect(server.seen).toHaveLength(10);
  // undici opens a second one where the first has not yet settled when the next call comes.
  expect(server.connections).toBeLessThanOrEqual(2);
});
