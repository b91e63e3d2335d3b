import { describe, expect, it } from 'vitest';
import type { Fault } from '../../infra/local/claude/index.ts';
import {
  askAbout,
  emulate,
  messageText,
  model,
  multipart,
  raw,
  rawUpload,
  sdkClient,
  textUpload,
} from './support.ts';

const part = (filename: string, content = 'Some words to read.') =>
  multipart([{ disposition: `name="file"; filename="${filename}"`, type: 'text/plain', content }]);

describe('faults of the emulator', () => {
  it('strike only the calls they match', async () => {
    const emulator = await emulate();
    emulator.addFault({
      kind: 'error',
      status: 500,
      operation: 'files.upload',
      filename: 'b*.txt',
    });
    emulator.addFault({ kind: 'error', status: 529, method: 'get', path: '/v1/files/*' });

    const statuses = [
      (await rawUpload(emulator, part('a.txt'))).status,
      (await raw(emulator, 'GET', '/v1/files')).status,
      (await rawUpload(emulator, part('bad.txt'))).status,
      (await raw(emulator, 'GET', '/v1/files/file_1')).status,
      (await rawUpload(emulator, part('bad.txt'))).status,
    ];

    expect(statuses).toEqual([200, 200, 500, 529, 200]);
  });

  it.each<[string, Partial<Fault>, number[]]>([
    ['once', {}, [500, 200, 200, 200]],
    ['twice', { count: 2 }, [500, 500, 200, 200]],
    ['after some calls', { skip: 2 }, [200, 200, 500, 200]],
    ['at the nth call', { nth: 2 }, [200, 500, 200, 200]],
    ['always', { count: 'all' }, [500, 500, 500, 500]],
  ])('strike %s as configured', async (_when, how, expected) => {
    const emulator = await emulate();
    emulator.addFault({ kind: 'error', status: 500, ...how });

    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await raw(emulator, 'GET', '/v1/models')).status);

    expect(statuses).toEqual(expected);
  });

  it('strike the same calls for the same seed', async () => {
    const run = async () => {
      const emulator = await emulate();
      emulator.addFault({ kind: 'error', status: 500, probability: 0.3, seed: 7 });
      const statuses: number[] = [];
      for (let i = 0; i < 40; i++) statuses.push((await raw(emulator, 'GET', '/v1/models')).status);
      return statuses;
    };

    const [first, second] = [await run(), await run()];

    expect(first).toEqual(second);
    const struck = first.filter((status) => status === 500).length;
    expect(struck).toBeGreaterThan(4);
    expect(struck).toBeLessThan(22);
  });

  it('leave no file when an upload is cut off', async () => {
    const emulator = await emulate();
    emulator.addFault({ kind: 'cut_upload', afterBytes: 100_000 });

    const upload = rawUpload(emulator, part('a.txt', 'x'.repeat(500_000)));

    await expect(upload).rejects.toThrow();
    expect(emulator.files()).toEqual([]);
    expect(emulator.journal()[0]).toMatchObject({ status: null, fault: 'cut_upload' });
  });

  it('can cut off the reply after the file was created', async () => {
    const emulator = await emulate();
    emulator.addFault({ kind: 'cut_body', operation: 'files.upload' });

    const upload = rawUpload(emulator, part('a.txt'));

    await expect(upload).rejects.toThrow();
    expect(emulator.files()).toHaveLength(1);
    expect(emulator.journal()[0]).toMatchObject({ status: 200, delivered: false });
  });

  it('can reply with half of the JSON', async () => {
    const emulator = await emulate();
    emulator.addFault({ kind: 'malformed' });

    const answer = await raw(emulator, 'GET', '/v1/models');

    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(expect.stringMatching(/^\{"data"/));
  });

  it.each<Fault['kind']>(['slow_body', 'slow_upload', 'delay'])(
    'can be slow without changing the reply: %s',
    async (kind) => {
      const emulator = await emulate();
      emulator.addFault({ kind, delayMs: 20 });

      const answer = await rawUpload(emulator, part('a.txt'));

      expect(answer).toMatchObject({ status: 200, body: { filename: 'a.txt' } });
      expect(emulator.journal()[0]).toMatchObject({ fault: kind, delivered: true });
    },
  );

  it('can report full storage for one upload', async () => {
    const emulator = await emulate();
    emulator.addFault({ kind: 'storage_full' });

    const statuses = [
      (await raw(emulator, 'GET', '/v1/files')).status,
      (await rawUpload(emulator, part('a.txt'))).status,
      (await rawUpload(emulator, part('a.txt'))).status,
    ];

    expect(statuses).toEqual([200, 400, 200]);
  });

  it('can make a file, matched by name, vanish just before it is used', async () => {
    const emulator = await emulate();
    const client = sdkClient(emulator);
    const a = await client.files.upload({ file: await textUpload('First words.', 'a.txt') });
    const b = await client.files.upload({ file: await textUpload('Second words.', 'b.txt') });
    emulator.addFault({ kind: 'vanish_file', filename: 'b.txt' });
    const ask = (id: string) =>
      client.messages
        .create({ model, max_tokens: 100, messages: [askAbout([id])] })
        .then(() => 200)
        .catch((error) => error.status);

    expect([await ask(a.id), await ask(b.id), await ask(a.id)]).toEqual([200, 404, 200]);
    expect(emulator.files().map(({ id }) => id)).toEqual([a.id]);
  });

  it('can make the model refuse or run out of tokens', async () => {
    const emulator = await emulate();
    const client = sdkClient(emulator);
    const { id } = await client.files.upload({ file: await textUpload('Some words to read.') });
    const body = { model, max_tokens: 1_000, messages: [askAbout([id])] };
    emulator.addFault({ kind: 'refusal' });
    emulator.addFault({ kind: 'max_tokens' });

    const refused = await client.messages.create(body);
    const cut = await client.messages.create(body);
    const whole = await client.messages.create(body);

    expect(refused).toMatchObject({ stop_reason: 'refusal', content: [] });
    expect(refused.stop_details?.type).toBe('refusal');
    expect(cut.stop_reason).toBe('max_tokens');
    expect(messageText(whole).startsWith(messageText(cut))).toBe(true);
    expect(messageText(cut).length).toBeLessThan(messageText(whole).length);
    expect(emulator.journal().map(({ stopReason }) => stopReason)).toEqual([
      undefined,
      'refusal',
      'max_tokens',
      'end_turn',
    ]);
  });

  it('record a message with a lost reply as billed', async () => {
    const emulator = await emulate();
    emulator.addFault({ kind: 'lost_reply' });
    const body = { model, max_tokens: 50, messages: [{ role: 'user', content: 'Hello, you.' }] };

    await expect(raw(emulator, 'POST', '/v1/messages', { body })).rejects.toThrow();

    expect(emulator.journal()).toEqual([
      expect.objectContaining({
        operation: 'messages.create',
        status: 200,
        delivered: false,
        model,
        usage: expect.objectContaining({ inputTokens: expect.any(Number) }),
      }),
    ]);
  });

  it('end with the emulator when they hang', async () => {
    const emulator = await emulate();
    emulator.addFault({ kind: 'hang' });
    const call = raw(emulator, 'GET', '/v1/models').catch((error) => error);
    while (emulator.journal().length === 0) await new Promise(setImmediate);

    await emulator.close();

    expect(await call).toBeInstanceOf(Error);
  });

  it('are rejected when invalid', async () => {
    const emulator = await emulate();

    expect(() => emulator.addFault({ kind: 'error' })).toThrow(/status/);
    expect(() => emulator.addFault({ kind: 'delay', probability: 2 })).toThrow(/probability/);
  });
});

describe('the controls of the emulator', () => {
  it('show the journal, filtered, and clear it', async () => {
    const emulator = await emulate();
    await rawUpload(emulator, part('a.txt'));
    await raw(emulator, 'GET', '/v1/files?limit=5');
    await raw(emulator, 'GET', '/v1/files/file_none');
    const journal = async (query: string) =>
      (await raw<{ entries: object[] }>(emulator, 'GET', `/_emulator/journal?${query}`)).body
        .entries;

    const all = await journal('');
    const list = await journal('path=/v1/files&method=get');
    const last = await journal('limit=1');
    const failed = await journal('status=404');
    await raw(emulator, 'DELETE', '/_emulator/journal');

    expect(all).toHaveLength(3);
    expect(all[0]).toMatchObject({
      seq: 1,
      method: 'POST',
      path: '/v1/files',
      operation: 'files.upload',
      status: 200,
      filename: 'a.txt',
      sizeBytes: 19,
      mimeType: 'text/plain',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(list).toEqual([expect.objectContaining({ seq: 2, query: 'limit=5' })]);
    expect(last).toEqual([expect.objectContaining({ seq: 3, errorType: 'not_found_error' })]);
    expect(failed).toEqual(last);
    expect(await journal('')).toEqual([]);
  });

  it('add, count and clear faults', async () => {
    const emulator = await emulate();
    const fault = { kind: 'error', status: 503, operation: 'models.*' };

    const added = await raw(emulator, 'POST', '/_emulator/faults', { body: [fault] });
    const struck = await raw(emulator, 'GET', '/v1/models');
    const listed = await raw(emulator, 'GET', '/_emulator/faults');
    await raw(emulator, 'DELETE', '/_emulator/faults');

    expect(added.body).toEqual({ added: 1 });
    expect(struck.status).toBe(503);
    expect(listed.body).toEqual({ faults: [{ fault, seen: 1, struck: 1 }] });
    expect(emulator.faults()).toEqual([]);
  });

  it('show, expire and remove files', async () => {
    const emulator = await emulate();
    const { body } = await rawUpload<{ id: string }>(emulator, part('a.txt'));

    const shown = await raw(emulator, 'GET', '/_emulator/files');
    await raw(emulator, 'POST', `/_emulator/files/${body.id}/expire`);
    const expired = emulator.files()[0]?.expired;
    await raw(emulator, 'DELETE', `/_emulator/files/${body.id}`);

    expect(shown.body).toMatchObject({ files: [{ id: body.id, filename: 'a.txt' }] });
    expect(expired).toBe(true);
    expect(emulator.files()).toEqual([]);
  });

  it.each<['GET' | 'POST', string, number, object | undefined]>([
    ['POST', '/_emulator/faults', 400, { kind: 'earthquake' }],
    ['POST', '/_emulator/faults', 400, { kind: 'error', staus: 500 }],
    ['GET', '/_emulator/journal?stat=1', 400, undefined],
    ['GET', '/_emulator/weather', 404, undefined],
    ['POST', '/_emulator/files/file_none/expire', 404, undefined],
  ])('reject %s %s with %i and a reason', async (method, path, status, body) => {
    const emulator = await emulate();

    const answer = await raw(emulator, method, path, body ? { body } : {});

    expect(answer).toMatchObject({ status, body: { error: expect.any(String) } });
  });

  it('keep only as many calls as configured', async () => {
    const emulator = await emulate({ journalSize: 3 });

    for (let i = 0; i < 10; i++) await raw(emulator, 'GET', '/v1/models');

    expect(emulator.journal().map(({ seq }) => seq)).toEqual([8, 9, 10]);
  });
});
