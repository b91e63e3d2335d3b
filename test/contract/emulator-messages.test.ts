import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fillSchema } from '../../infra/local/claude/fill-schema.ts';
import { rank, unitsOf } from '../../infra/local/claude/passages.ts';
import { checkSchema } from '../../infra/local/claude/schema-rules.ts';
import {
  emulate,
  makePdf,
  makePng,
  model,
  multipart,
  plainHeaders,
  raw,
  rawUpload,
} from './support.ts';

const hello = { role: 'user', content: 'Hello there, how are you?' };
const basis = { model, max_tokens: 100, messages: [hello] };

function about(...blocks: object[]): object {
  return { ...basis, messages: [{ role: 'user', content: blocks }] };
}

const text = (data = 'Some words to read.') => ({ type: 'text', media_type: 'text/plain', data });
const document = (source: object = text(), more: object = {}) => ({
  type: 'document',
  source,
  ...more,
});
const pdf = (bytes: Buffer) => ({
  type: 'base64',
  media_type: 'application/pdf',
  data: bytes.toString('base64'),
});
const png = (bytes: Buffer, media_type = 'image/png') => ({
  type: 'image',
  source: { type: 'base64', media_type, data: bytes.toString('base64') },
});
const citing = { citations: { enabled: true } };
const format = (schema: object) => ({ output_config: { format: { type: 'json_schema', schema } } });
const closed = { type: 'object', properties: {}, additionalProperties: false };
const tool = { name: 'note', input_schema: { type: 'object' } };
const cached = { type: 'text', text: 'words', cache_control: { type: 'ephemeral' } };

describe('messages to the emulator', () => {
  it.each<[string, object, RegExp]>([
    ['no max_tokens', { model, messages: [hello] }, /^max_tokens: Field required$/],
    ['no messages', { model, max_tokens: 5 }, /^messages: Field required$/],
    ['an unknown field', { ...basis, stop: ['x'] }, /^stop: Extra inputs are not permitted$/],
    ['more output than the model allows', { ...basis, max_tokens: 128_001 }, /^max_tokens: 128001/],
    ['no user message first', { ...basis, messages: [{ ...hello, role: 'assistant' }] }, /first/],
    ['a prefill', { ...basis, messages: [hello, { ...hello, role: 'assistant' }] }, /prefill/],
    ['an empty text', about({ type: 'text', text: '' }), /non-empty/],
    ['a blank text', about({ type: 'text', text: ' \n' }), /non-whitespace/],
    ['an unknown block', about({ type: 'video' }), /^messages\.0\.content/],
    [
      'an unknown field in a block',
      about({ type: 'text', text: 'a', lang: 'en' }),
      /^messages\.0\.content\.0\.lang: Extra inputs/,
    ],
    ['a URL to fetch', about(document({ type: 'url', url: 'http://x/y.pdf' })), /no network/],
    ['an empty document', about(document(text(' '))), /empty/],
    [
      'citations on some documents only',
      about(document(text(), citing), document()),
      /all or none of the documents/,
    ],
    [
      'citations and a schema',
      { ...about(document(text(), citing)), ...format(closed) },
      /cannot be used together with citations/,
    ],
    [
      'an open object in a schema',
      { ...basis, ...format({ type: 'object', properties: {} }) },
      /additionalProperties/,
    ],
    [
      'a keyword that schemas may not have',
      { ...basis, ...format({ type: 'string', minLength: 3 }) },
      /'minLength' is not supported/,
    ],
    [
      'a recursive schema',
      { ...basis, ...format({ $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } }) },
      /recursive/,
    ],
    ['a choice of tool without tools', { ...basis, tool_choice: { type: 'any' } }, /tool_choice/],
    [
      'a choice of an unknown tool',
      { ...basis, tools: [tool], tool_choice: { type: 'tool', name: 'other' } },
      /'other' not found/,
    ],
    ['two tools of the same name', { ...basis, tools: [tool, tool] }, /unique/],
    [
      'a tool that needs the network',
      { ...basis, tools: [{ type: 'web_search_20260318', name: 'web_search' }] },
      /no tool of type web_search_20260318/,
    ],
    ['five breakpoints', about(cached, cached, cached, cached, cached), /maximum of 4/],
    ['malformed base64', about(document(pdf(Buffer.from('')))), /Invalid base64/],
    ['a PDF that is not one', about(document(pdf(Buffer.from('not a PDF')))), /PDF .* not valid/],
    ['an image that is not one', about(png(Buffer.from('not a PNG'))), /Could not process image/],
    [
      'a prompt that is too long',
      { ...basis, system: 'x'.repeat(4_000_400) },
      /^prompt is too long/,
    ],
  ])('are rejected with %s', async (_what, body, message) => {
    const emulator = await emulate();

    const answer = await raw(emulator, 'POST', '/v1/messages', { body });

    expect(answer).toMatchObject({
      status: 400,
      body: {
        error: { type: 'invalid_request_error', message: expect.stringMatching(message) },
      },
    });
    expect(emulator.journal()[0]).not.toHaveProperty('usage');
  });

  it('can have a temperature only before version 2026-10-21', async () => {
    const emulator = await emulate();
    const send = async (version: string) => {
      const headers = { 'x-api-key': 'k', 'anthropic-version': version };
      const body = { ...basis, model: 'claude-sonnet-4-6', temperature: 0 };
      return (await raw(emulator, 'POST', '/v1/messages', { headers, body })).status;
    };

    expect([await send('2023-06-01'), await send('2026-10-21')]).toEqual([200, 400]);
  });

  it('need a JSON body with a JSON content type', async () => {
    const emulator = await emulate();
    const send = async (type: string, body: string | Buffer) => {
      const headers = { ...plainHeaders, 'content-type': type };
      return (await raw(emulator, 'POST', '/v1/messages', { headers, body })).status;
    };

    expect(await send('text/plain', JSON.stringify(basis))).toBe(400);
    expect(await send('application/json', '{"model":')).toBe(400);
    expect(await send('application/json', Buffer.from([0x22, 0xff, 0x22]))).toBe(400);
    expect(await send('application/json', JSON.stringify(basis))).toBe(200);
  });

  it.each([
    ['text/plain', 'image', /not text\/plain/],
    ['image/png', 'document', /not image\/png/],
    ['application/octet-stream', 'document', /not application\/octet-stream/],
    ['text/csv', 'document', /not text\/csv/],
  ])('must not reference a file of type %s in a block of type %s', async (mime, block, message) => {
    const emulator = await emulate();
    const part = { disposition: 'name="file"; filename="a"', type: mime, content: 'words' };
    const { body } = await rawUpload<{ id: string }>(emulator, multipart([part]));

    const answer = await raw(emulator, 'POST', '/v1/messages', {
      body: about({ type: block, source: { type: 'file', file_id: body.id } }),
    });

    expect(answer).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringMatching(message) } },
    });
  });

  it('get 404 for a missing file', async () => {
    const emulator = await emulate();
    const source = { type: 'file', file_id: 'file_none' };

    const answer = await raw(emulator, 'POST', '/v1/messages', { body: about(document(source)) });

    expect(answer).toMatchObject({
      status: 404,
      body: { error: { type: 'not_found_error' } },
    });
  });

  it('must not contain an encrypted PDF, even one that opens without a password', async () => {
    const emulator = await emulate();
    const locked = await makePdf(['Secret words.'], { userPassword: 'pw' });
    const restricted = await makePdf(['Some words.'], { ownerPassword: 'pw' });

    const answers = await Promise.all(
      [locked, restricted].map((bytes) =>
        raw(emulator, 'POST', '/v1/messages', { body: about(document(pdf(bytes))) }),
      ),
    );

    for (const answer of answers) {
      expect(answer).toMatchObject({
        status: 400,
        body: { error: { message: expect.stringMatching(/encrypted/) } },
      });
    }
  });

  it('can have 100 PDF pages for a small model and 600 for a large one', async () => {
    const emulator = await emulate();
    const bytes = await makePdf(Array.from({ length: 101 }, (_, index) => `Page ${index}.`));
    const body = about(document(pdf(bytes)));
    const count = async (name: string) =>
      raw(emulator, 'POST', '/v1/messages/count_tokens', {
        body: { model: name, messages: (body as { messages: object }).messages },
      });

    expect((await count('claude-haiku-4-5')).status).toBe(400);
    expect(await count(model)).toMatchObject({
      status: 200,
      body: { input_tokens: expect.any(Number) },
    });
  });

  it('must not contain an image wider than 8000 pixels unless scaling down is allowed', async () => {
    const emulator = await emulate();
    const wide = png(await makePng(8_001, 2));
    const send = (block: object) => raw(emulator, 'POST', '/v1/messages', { body: about(block) });

    const refused = await send(wide);
    const scaled = await send({ ...wide, transformations: { oversized_image: 'downsize' } });

    expect(refused).toMatchObject({
      status: 400,
      body: {
        error: {
          details: {
            error_code: 'image_dimensions_too_large',
            max_side_length_pixels: 8_000,
            paths: ['messages.0.content.0'],
          },
        },
      },
    });
    expect(scaled.status).toBe(200);
  });

  it('must not declare a PNG as a JPEG', async () => {
    const emulator = await emulate();

    const answer = await raw(emulator, 'POST', '/v1/messages', {
      body: about(png(await makePng(4, 4), 'image/jpeg')),
    });

    expect(answer).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringMatching(/appears to be image\/png/) } },
    });
  });

  it('are counted without max_tokens, which count_tokens rejects', async () => {
    const emulator = await emulate();
    const send = async (body: object) =>
      (await raw(emulator, 'POST', '/v1/messages/count_tokens', { body })).status;

    expect(await send({ model, messages: [hello] })).toBe(200);
    expect(await send(basis)).toBe(400);
  });
});

describe('passages', () => {
  it('are slices of any text, in order and without surrounding space', () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '# Head',
        '- item one',
        'a,b,c',
        '| x | y |',
        'A sentence. And more!',
        '日本語。',
      ),
    );

    fc.assert(
      fc.property(fc.array(line), fc.constantFrom('\n', '\r\n', '\n\n'), (lines, end) => {
        const content = lines.join(end);

        const units = unitsOf(content);

        let last = 0;
        for (const { start, end: stop } of units) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(stop).toBeGreaterThan(start);
          expect(stop).toBeLessThanOrEqual(content.length);
          expect(content.slice(start, stop).trim()).toBe(content.slice(start, stop));
          last = stop;
        }
        expect(rank(content, units)).toHaveLength(units.length);
      }),
    );
  });

  it('come from the end of a long text too', () => {
    const filler = 'Nothing of note is said in this sentence at all. '.repeat(10_000);
    const content = `${filler}\nThe last words decide everything in this contract.`;

    const passages = unitsOf(content).map(({ start, end }) => content.slice(start, end));

    expect(passages.at(-1)).toBe('The last words decide everything in this contract.');
  });
});

describe('values made for a schema', () => {
  it('are accepted by any schema of the supported kind', () => {
    const leaf = fc.constantFrom<object>(
      { type: 'string' },
      { type: 'integer' },
      { type: 'number' },
      { type: 'boolean' },
      { type: 'null' },
      { enum: ['a', 2] },
      { const: 'c' },
      { type: 'string', format: 'date' },
      { type: 'string', format: 'email' },
      { type: 'string', format: 'uuid' },
    );
    const { schema } = fc.letrec<{ schema: object }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 3 },
        leaf,
        tie('schema').map((items) => ({ type: 'array', items, minItems: 1 })),
        fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
        fc.dictionary(fc.constantFrom('a', 'b', 'title'), tie('schema')).map((properties) => ({
          type: 'object',
          properties,
          required: Object.keys(properties),
          additionalProperties: false,
        })),
      ),
    }));
    const filling = { title: 'T', language: 'en', summary: 'S', points: ['one', 'two'] };

    fc.assert(
      fc.property(schema, (given) => {
        checkSchema(given as Record<string, unknown>);

        const value = fillSchema(given as Record<string, unknown>, filling);

        const accepts = z.fromJSONSchema(given as Parameters<typeof z.fromJSONSchema>[0]);
        expect(accepts.safeParse(value).error).toBeUndefined();
      }),
    );
  });
});
