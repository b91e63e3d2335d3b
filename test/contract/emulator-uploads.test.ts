import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMultipart } from '../../infra/local/claude/multipart.ts';
import { boundary, emulate, multipart, plainHeaders, raw, rawUpload } from './support.ts';

const filePart = (filename: string | Buffer, content: string | Buffer = 'x') => ({
  disposition: Buffer.concat([
    Buffer.from('name="file"; filename="'),
    Buffer.from(filename),
    Buffer.from('"'),
  ]),
  type: 'text/plain',
  content,
});
const invalidRequest = { type: 'error', error: { type: 'invalid_request_error' } };

describe('uploads to the emulator', () => {
  it.each([
    ['an empty name', ''],
    ['a name of 256 characters', 'x'.repeat(256)],
    ['a path', 'a/b.txt'],
    ['a backslash', 'a\\b.txt'],
    ['a colon', 'a:b.txt'],
    ['a question mark', 'what?.txt'],
    ['an asterisk', 'a*.txt'],
    ['a bar', 'a|b.txt'],
    ['angle brackets', '<a>.txt'],
    ['a tab', 'a\tb.txt'],
    ['a null', 'a\0b.txt'],
    ['bytes that are not UTF-8', Buffer.from([0x61, 0xff, 0x62])],
  ])('are rejected with %s as the filename', async (_what, filename) => {
    const emulator = await emulate();

    const answer = await rawUpload(emulator, multipart([filePart(filename)]));

    expect(answer).toMatchObject({ status: 400, body: invalidRequest });
    expect(emulator.files()).toEqual([]);
  });

  it('accept a name of 255 characters, counted as code points', async () => {
    const emulator = await emulate();
    const name = `${'🏠'.repeat(251)}.txt`;

    const answer = await rawUpload(emulator, multipart([filePart(name)]));

    expect(answer).toMatchObject({ status: 200, body: { filename: name } });
  });

  it.each([
    ['no file', []],
    ['a field that the API does not have', [filePart('a'), field('purpose', 'x')]],
    ['two files', [filePart('a'), filePart('b')]],
    ['a file without a filename', [field('file', 'x')]],
    ['an expiry that is not a number', [filePart('a'), field('expires_in_seconds', '1e4')]],
    ['an expiry below an hour', [filePart('a'), field('expires_in_seconds', '3599')]],
    ['an expiry above ninety days', [filePart('a'), field('expires_in_seconds', '7776001')]],
    [
      'a filename* parameter',
      [{ disposition: `name="file"; filename*=UTF-8''a.txt`, content: 'x' }],
    ],
    ['a malformed part type', [{ ...filePart('a'), type: 'text' }]],
  ])('are rejected with %s', async (_what, parts) => {
    const emulator = await emulate();

    const answer = await rawUpload(emulator, multipart(parts));

    expect(answer).toMatchObject({ status: 400, body: invalidRequest });
    expect(emulator.files()).toEqual([]);
  });

  it('are rejected when the body breaks off, has no boundary or continues after the end', async () => {
    const emulator = await emulate();
    const whole = multipart([filePart('a.txt', 'content')]);

    const answers = [
      await rawUpload(emulator, whole.subarray(0, whole.length - 8)),
      await rawUpload(emulator, Buffer.from('no parts at all')),
      await rawUpload(emulator, Buffer.concat([whole, Buffer.from('more')])),
      await rawUpload(emulator, whole, { 'content-type': 'multipart/form-data' }),
      await rawUpload(emulator, whole, { 'content-type': 'application/octet-stream' }),
      await rawUpload(emulator, whole, { 'content-encoding': 'gzip' }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400, 400]);
    expect(emulator.files()).toEqual([]);
  });

  it('keep the media type of the part, without its parameters', async () => {
    const emulator = await emulate();
    const part = { ...filePart('a.txt'), type: 'Text/Plain; charset=utf-8' };

    const answer = await rawUpload(emulator, multipart([part]));

    expect(answer.body).toMatchObject({ mime_type: 'text/plain' });
  });

  it('accept expires_in_seconds before the file too', async () => {
    const emulator = await emulate();

    const answer = await rawUpload(
      emulator,
      multipart([field('expires_in_seconds', '3600'), filePart('a.txt')]),
    );

    expect(answer).toMatchObject({ status: 200, body: { expires_at: expect.any(String) } });
  });

  it('read the same parts however the body is chunked', async () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .constantFrom(`\r\n--${boundary.slice(0, -1)}`, '\r\n--', '\r', '')
        .map((s) => Buffer.from(s)),
    );

    await fc.assert(
      fc.asyncProperty(content, content, fc.array(fc.nat(400)), async (a, b, cuts) => {
        const body = multipart([
          filePart('a', Buffer.from(a)),
          { disposition: 'name="other"', content: Buffer.from(b) },
        ]);

        const read = await readPieces(body, cuts);

        expect(read).toEqual([Buffer.from(a), Buffer.from(b)]);
      }),
    );
  });
});

describe('requests to the emulator', () => {
  it.each([
    ['no key', { 'anthropic-version': '2023-06-01' }, 401],
    ['an empty key', { 'anthropic-version': '2023-06-01', 'x-api-key': ' ' }, 401],
    ['no version', { 'x-api-key': 'k' }, 400],
    ['an unknown version', { 'x-api-key': 'k', 'anthropic-version': '2024-01-01' }, 400],
  ])('are rejected with %s', async (_what, headers, status) => {
    const emulator = await emulate();

    const answer = await raw(emulator, 'GET', '/v1/files', { headers });

    expect(answer.status).toBe(status);
    expect(answer.headers['request-id']).toMatch(/^req_/);
  });

  it('can carry the key as a bearer token', async () => {
    const emulator = await emulate({ apiKeys: ['secret'] });
    const headers = { authorization: 'Bearer secret', 'anthropic-version': '2026-10-21' };

    const answer = await raw(emulator, 'GET', '/v1/files', { headers });

    expect(answer.status).toBe(200);
  });

  it('get 404 for an unknown path and 405 for an unsupported method', async () => {
    const emulator = await emulate();

    const answers = [
      await raw(emulator, 'GET', '/v1/nothing'),
      await raw(emulator, 'DELETE', '/v1/messages'),
      await raw(emulator, 'GET', '/v1/files/%ff'),
    ];

    expect(answers.map(({ status }) => status)).toEqual([404, 405, 404]);
  });

  it.each([
    'limit=0',
    'limit=1001',
    'limit=x',
    'limit=5&limit=6',
    'page=bad',
    'before_id=file_1',
    'after_id=file_1',
    'order=asc',
    'ids[]=a&page=b',
  ])('for a list of files with %s get 400', async (query) => {
    const emulator = await emulate();

    const answer = await raw(emulator, 'GET', `/v1/files?${query}`, { headers: plainHeaders });

    expect(answer).toMatchObject({ status: 400, body: invalidRequest });
  });
});

function field(name: string, content: string) {
  return { disposition: `name="${name}"`, content };
}

async function readPieces(body: Buffer, cuts: number[]): Promise<Buffer[]> {
  const places = [...new Set([0, ...cuts.filter((cut) => cut < body.length), body.length])].sort(
    (a, b) => a - b,
  );
  async function* pieces() {
    for (const [index, start] of places.slice(0, -1).entries()) {
      yield body.subarray(start, places[index + 1]);
    }
  }
  const parts: Buffer[][] = [];
  await readMultipart(pieces(), boundary, () => {
    const part: Buffer[] = [];
    parts.push(part);
    return { write: (chunk) => void part.push(chunk), end() {} };
  });
  return parts.map((part) => Buffer.concat(part));
}
