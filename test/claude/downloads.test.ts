import { expect, test } from 'vitest';
import { ClaudeConnectionError, InvalidRequest } from '../../shared/claude/errors.ts';
import { clientOf, collect, errorJson, rejection, serve } from './api-server.ts';

test('downloads the content of a file as a stream', async () => {
  const server = await serve({
    headers: { 'content-type': 'text/csv', 'content-length': '7' },
    text: 'a,b\n1,2',
  });
  const { client } = clientOf(server);

  const { body, mimeType, sizeBytes } = await client.downloadFile('file_1');
  const chunks = await collect<Buffer>(body);

  expect(Buffer.concat(chunks).toString()).toBe('a,b\n1,2');
  expect({ mimeType, sizeBytes }).toEqual({ mimeType: 'text/csv', sizeBytes: 7 });
  expect(server.seen[0]?.url).toBe('/v1/files/file_1/content');
});

test('reports why a file cannot be downloaded', async () => {
  const server = await serve({
    status: 400,
    json: errorJson('invalid_request_error', 'not downloadable', 'file_not_downloadable'),
  });
  const { client } = clientOf(server);

  const error = await rejection(client.downloadFile('file_1'));

  expect(error).toBeInstanceOf(InvalidRequest);
  expect(error).toMatchObject({ errorCode: 'file_not_downloadable' });
});

test('fails a download that is cut off', async () => {
  const server = await serve((request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('begun');
    setImmediate(() => request.socket.destroy());
  });
  const { client } = clientOf(server);

  const { body } = await client.downloadFile('file_1');
  const error = await rejection(collect(body));

  expect(error).toBeInstanceOf(ClaudeConnectionError);
  expect(error).toMatchObject({ status: 200 });
});

test('closes the connection of a download that is not read', async () => {
  const closed = Promise.withResolvers<void>();
  const server = await serve((request, response) => {
    request.socket.on('close', () => closed.resolve());
    response.writeHead(200, { 'content-length': '100' });
    response.write('begun');
  });
  const { client } = clientOf(server);

  const { body } = await client.downloadFile('file_1');
  body.destroy();
  await closed.promise;

  expect(body.destroyed).toBe(true);
});

test('aborts a download at its signal', async () => {
  const server = await serve((_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('begun');
  });
  const { client } = clientOf(server);
  const controller = new AbortController();

  const { body } = await client.downloadFile('file_1', { signal: controller.signal });
  controller.abort();
  const error = await rejection(collect(body));

  expect(error).toMatchObject({ name: 'ClaudeAbortedError' });
});
