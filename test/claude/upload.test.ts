import { randomBytes } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { ClaudeSetupError, UploadSizeMismatch } from '../../shared/claude/errors.ts';
import { clientOf, fileJson, rejection, serve, serveRaw } from './api-server.ts';
import { chunkBytes, upload } from './upload-body.ts';

/** The file's bytes in a multipart body of one part. */
function contentOf(body: Buffer): Buffer {
  const boundary = body.subarray(0, body.indexOf('\r\n')).toString();
  return body.subarray(body.indexOf('\r\n\r\n') + 4, body.lastIndexOf(`\r\n${boundary}--\r\n`));
}

test('sends exactly one part, with its name as raw UTF-8', async () => {
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

test('sends the exact length instead of chunked encoding', async () => {
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

test('rejects an expiry in the beta dialect without a call', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server, { dialect: 'beta' });

  const error = await rejection(
    client.uploadFile({ ...upload(Readable.from([]), 0), expiresInSeconds: 3600 }),
  );

  expect(error).toBeInstanceOf(ClaudeSetupError);
  expect(server.seen).toEqual([]);
});

test('returns the metadata of the new file', async () => {
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

test.each(['text', 'a/b\r\nx-evil: 1', ''])('rejects %j as a MIME type', async (mimeType) => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);

  const error = await rejection(client.uploadFile({ ...upload(Readable.from([]), 0), mimeType }));

  expect(error).toBeInstanceOf(TypeError);
  expect(server.connections).toBe(0);
});

test('sends a file unchanged over a slow connection while it releases memory', async () => {
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

test('releases the memory of chunks that it owns', async () => {
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

test('leaves chunks that it does not own alone', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);
  const chunk = Buffer.from(new ArrayBuffer(chunkBytes));

  await client.uploadFile(upload(Readable.from([chunk]), chunkBytes));

  expect(chunk).toHaveLength(chunkBytes);
});

test('reads ahead of the connection only by its buffers', async () => {
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

test('passes on the error of the body, and leaves the request incomplete', async () => {
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
])('rejects a body that is %s than stated, and leaves the request incomplete', async (_, bytes) => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);

  const error = await rejection(
    client.uploadFile(upload(Readable.from([Buffer.from('a'), Buffer.alloc(bytes - 1)]), 3)),
  );

  expect(error).toBeInstanceOf(UploadSizeMismatch);
  expect(error).toMatchObject({ expectedBytes: 3, actualBytes: bytes });
  expect(server.seen).toEqual([]);
});

test('rejects a body of text, whose length would be counted in characters', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);
  const body = Readable.from([Buffer.from('äöü')]).setEncoding('utf8');

  const error = await rejection(client.uploadFile(upload(body, 3)));

  expect(error).toBeInstanceOf(TypeError);
  expect(server.seen).toEqual([]);
});

test('reuses connections for later uploads', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);

  for (let round = 0; round < 10; round++) {
    await client.uploadFile(upload(Readable.from([Buffer.from('abc')]), 3));
  }

  expect(server.seen).toHaveLength(10);
  // undici opens a second one when the first is still finishing as the next call starts.
  expect(server.connections).toBeLessThanOrEqual(2);
});
