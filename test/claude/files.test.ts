import { expect, onTestFinished, test, vi } from 'vitest';
import {
  ClaudeApiError,
  ClaudeReplyError,
  ClaudeSetupError,
  ClaudeTimeoutError,
  NotFound,
} from '../../shared/claude/errors.ts';
import type { RateLimits } from '../../shared/claude/rate-limits.ts';
import {
  clientOf,
  collect,
  errorJson,
  fileJson,
  rejection,
  serve,
  silentUntilTimeout,
} from './api-server.ts';

const ids = (files: { id: string }[]): string[] => files.map(({ id }) => id);

test('sends the key, the version and no beta in the ga dialect', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server, { userAgent: 'dropline-test' });

  await client.getFile('file_1');

  const { headers } = server.seen[0] ?? {};
  expect(headers).toMatchObject({
    'x-api-key': 'sk-test',
    'anthropic-version': '2023-06-01',
    'user-agent': 'dropline-test',
  });
  expect(headers).not.toHaveProperty('anthropic-beta');
});

test('selects the beta Files API in the beta dialect', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server, { dialect: 'beta' });

  await client.getFile('file_1');

  expect(server.seen[0]?.headers['anthropic-beta']).toBe('files-api-2025-04-14');
});

test('gets the key before every attempt and trims it', async () => {
  const server = await serve({ status: 500, json: errorJson('api_error') }, { json: fileJson() });
  const keys = ['one\n', ' two '];
  const { client } = clientOf(server, { apiKey: async () => keys.shift() ?? '' });

  await client.getFile('file_1');

  expect(server.seen.map(({ headers }) => headers['x-api-key'])).toEqual(['one', 'two']);
});

test.each(['', ' ', 'kéy', 'a\nb'])('makes no call with %j as the key', async (apiKey) => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server, { apiKey });

  const error = await rejection(client.getFile('file_1'));

  expect(error).toBeInstanceOf(ClaudeSetupError);
  expect(server.connections).toBe(0);
});

test('passes on the error of a key that cannot be read', async () => {
  const failure = new Error('no secret');
  const { client } = clientOf(await serve({}), { apiKey: () => Promise.reject(failure) });

  const error = await rejection(client.getFile('file_1'));

  expect(error).toBe(failure);
});

test.each(['ftp://host', 'api.anthropic.com', ''])('rejects %j as a base URL', (baseUrl) => {
  expect(() => clientOf({ url: baseUrl })).toThrow(ClaudeSetupError);
});

test('keeps a path in the base URL', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf({ url: `${server.url}/proxy/claude/` });

  await client.getFile('file_1');

  expect(server.seen[0]?.url).toBe('/proxy/claude/v1/files/file_1');
});

test('does not let an id change the path', async () => {
  const server = await serve({ json: fileJson() });
  const { client } = clientOf(server);

  await client.getFile('../messages?x=1');
  const dots = await rejection(client.deleteFile('..'));
  const empty = await rejection(client.deleteFile(''));

  expect(server.seen.map(({ url }) => url)).toEqual(['/v1/files/..%2Fmessages%3Fx%3D1']);
  expect([dots, empty]).toEqual([expect.any(RangeError), expect.any(RangeError)]);
});

test('converts times to UTC and omits absent fields', async () => {
  const server = await serve({
    json: fileJson('file_1', {
      created_at: '2026-11-22T11:00:00+01:00',
      expires_at: '2026-12-22T10:00:00.5Z',
      downloadable: undefined,
      scope: { id: 's', type: 'session' },
    }),
  });
  const { client } = clientOf(server);

  const file = await client.getFile('file_1');

  expect(file).toEqual({
    id: 'file_1',
    filename: 'a.pdf',
    mimeType: 'application/pdf',
    sizeBytes: 3,
    createdAt: '2026-11-22T10:00:00.000Z',
    expiresAt: '2026-12-22T10:00:00.500Z',
  });
});

test('pages by token in the ga dialect', async () => {
  const server = await serve(
    { json: { data: [fileJson('f3'), fileJson('f2')], next_page: 'token/2=' } },
    { json: { data: [fileJson('f1')], next_page: null } },
  );
  const { client } = clientOf(server);

  const files = await collect(client.iterateFiles({ limit: 2 }));

  expect(ids(files)).toEqual(['f3', 'f2', 'f1']);
  expect(server.seen.map(({ url }) => url)).toEqual([
    '/v1/files?limit=2',
    '/v1/files?limit=2&page=token%2F2%3D',
  ]);
});

test('pages by the last id in the beta dialect', async () => {
  const page = { first_id: 'x', has_more: true };
  const server = await serve(
    { json: { ...page, data: [fileJson('f3'), fileJson('f2')], last_id: 'f2' } },
    { json: { ...page, data: [fileJson('f1')], last_id: 'f1', has_more: false } },
  );
  const { client } = clientOf(server, { dialect: 'beta' });

  const files = await collect(client.iterateFiles());

  expect(ids(files)).toEqual(['f3', 'f2', 'f1']);
  expect(server.seen.map(({ url }) => url)).toEqual([
    '/v1/files?limit=1000',
    '/v1/files?limit=1000&after_id=f2',
  ]);
});

test('fetches only the pages that are consumed', async () => {
  const server = await serve({ json: { data: [fileJson('f2'), fileJson('f1')], next_page: 'p2' } });
  const { client } = clientOf(server);

  for await (const file of client.iterateFiles()) {
    if (file.id === 'f2') break;
  }

  expect(server.seen).toHaveLength(1);
});

test('does not list forever when a page points to itself', async () => {
  const server = await serve({ json: { data: [], next_page: 'p1' } });
  const { client } = clientOf(server);

  const error = await rejection(collect(client.iterateFiles()));

  expect(error).toBeInstanceOf(ClaudeReplyError);
  expect(server.seen).toHaveLength(2);
});

test.each([
  ['ga', { data: [], has_more: true, first_id: null, last_id: null }],
  ['beta', { data: [], next_page: null }],
  ['beta', { data: [], has_more: true, first_id: null, last_id: null }],
] as const)('rejects a list that is not of the %s dialect', async (dialect, json) => {
  const server = await serve({ json: { ...json, data: dialect === 'ga' ? [{}] : [] } });
  const { client } = clientOf(server, { dialect });

  const error = await rejection(client.listFiles());

  expect(error).toBeInstanceOf(ClaudeReplyError);
});

test('looks up files by ids, without duplicates', async () => {
  const server = await serve({ json: { data: [fileJson('f1')], next_page: null } });
  const { client } = clientOf(server);

  const files = await client.listFilesByIds(['f1', 'f2', 'f1']);

  expect(ids(files)).toEqual(['f1']);
  expect(server.seen[0]?.url).toBe('/v1/files?ids%5B%5D=f1&ids%5B%5D=f2');
});

test('makes no call without ids, which would list everything', async () => {
  const server = await serve({});
  const { client } = clientOf(server);

  const files = await client.listFilesByIds([]);

  expect(files).toEqual([]);
  expect(server.connections).toBe(0);
});

test('rejects more ids than the API accepts, and any ids in the beta dialect', async () => {
  const server = await serve({});
  const many = Array.from({ length: 101 }, (_, index) => `f${index}`);

  const tooMany = await rejection(clientOf(server).client.listFilesByIds(many));
  const inBeta = await rejection(
    clientOf(server, { dialect: 'beta' }).client.listFilesByIds(['f']),
  );

  expect(tooMany).toBeInstanceOf(RangeError);
  expect(inBeta).toBeInstanceOf(ClaudeSetupError);
  expect(server.connections).toBe(0);
});

test('reports that a file was deleted', async () => {
  const server = await serve({ json: { id: 'file_1', type: 'file_deleted' } });
  const { client } = clientOf(server);

  const outcome = await client.deleteFile('file_1');

  expect(outcome).toBe('deleted');
  expect(server.seen[0]).toMatchObject({ method: 'DELETE', url: '/v1/files/file_1' });
});

test('reports a file as gone when the first reply to its deletion was lost', async () => {
  const server = await serve((request) => request.socket.destroy(), {
    status: 404,
    json: errorJson('not_found_error'),
  });
  const { client } = clientOf(server);

  const outcome = await client.deleteFile('file_1');

  expect(outcome).toBe('gone');
});

test('does not treat the 404 page of a proxy as a missing file', async () => {
  const server = await serve({ status: 404, text: '<html>404</html>' });
  const { client } = clientOf(server);

  const error = await rejection(client.deleteFile('file_1'));

  expect(error).toBeInstanceOf(ClaudeApiError);
  expect(error).not.toBeInstanceOf(NotFound);
});

test('retries an idempotent call after the wait the API asks for', async () => {
  const now = Date.parse('2026-11-22T10:00:00Z');
  const busy = { status: 429, json: errorJson('rate_limit_error') };
  const server = await serve(
    { ...busy, headers: { 'retry-after-ms': '1234' } },
    { ...busy, headers: { 'retry-after': 'Sun, 22 Nov 2026 10:00:05 GMT' } },
    { status: 500, json: errorJson('api_error') },
    { json: fileJson() },
  );
  const { client, waits } = clientOf(server, { maxRetries: 3, now: () => now });

  await client.getFile('file_1');

  expect(waits).toEqual([1_234, 5_000, 2_000]);
});

test('awaits admission before every attempt', async () => {
  const server = await serve({ status: 500, json: errorJson('api_error') }, { json: fileJson() });
  const admitted: string[] = [];
  const { client } = clientOf(server, {
    admit: async (api) => {
      admitted.push(`${api} after ${server.seen.length}`);
    },
  });

  await client.getFile('file_1');

  expect(admitted).toEqual(['files after 0', 'files after 1']);
});

test('makes no call when it is not admitted, and passes on the error', async () => {
  const server = await serve({ json: fileJson() });
  const notNow = new Error('not our turn');
  const { client } = clientOf(server, { admit: () => Promise.reject(notNow) });

  const error = await rejection(client.getFile('file_1'));

  expect(error).toBe(notNow);
  expect(server.connections).toBe(0);
});

test('reports the rate limits of successful and failed replies', async () => {
  const server = await serve(
    { status: 429, headers: { 'retry-after': '1' }, json: errorJson('rate_limit_error') },
    { headers: { 'anthropic-ratelimit-requests-remaining': '3' }, json: fileJson() },
    { json: fileJson() },
  );
  const reported: RateLimits[] = [];
  const { client } = clientOf(server, { onRateLimits: (limits) => reported.push(limits) });

  await client.getFile('file_1');
  await client.getFile('file_1');

  expect(reported).toEqual([
    { api: 'files', status: 429, retryAfterMs: 1_000 },
    { api: 'files', status: 200, requests: { remaining: 3 } },
  ]);
});

test('loses no reply when the observer of limits throws', async () => {
  const server = await serve({
    headers: { 'anthropic-ratelimit-requests-remaining': '3' },
    json: fileJson(),
  });
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  onTestFinished(() => warn.mockRestore());
  const broken = new Error('observer');
  const { client } = clientOf(server, {
    onRateLimits: () => {
      throw broken;
    },
  });

  const file = await client.getFile('file_1');

  expect(file.id).toBe('file_1');
  expect(warn).toHaveBeenCalledExactlyOnceWith(broken);
});

test('retries a call that timed out, and reports the timeout when every attempt did', async () => {
  const server = await serve(silentUntilTimeout(5_000));
  const { client } = clientOf(server, { maxRetries: 1 });

  const error = await rejection(client.getFile('file_1', { timeoutMs: 5_000 }));

  expect(error).toBeInstanceOf(ClaudeTimeoutError);
  expect(server.seen).toHaveLength(2);
});
