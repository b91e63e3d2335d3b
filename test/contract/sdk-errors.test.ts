import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../infra/local/claude/index.ts';
import { askAbout, emulate, model, sdkClient, textUpload } from './support.ts';

const hello: Anthropic.MessageCreateParamsNonStreaming = {
  model,
  max_tokens: 1_000,
  messages: [{ role: 'user', content: 'Hello there, how are you?' }],
};

type ErrorClass = new (...args: never[]) => Error;

const classes: [string, Fault, ErrorClass, object][] = [
  ['400', { kind: 'error', status: 400 }, Anthropic.BadRequestError, invalidRequest()],
  ['401', { kind: 'error', status: 401 }, Anthropic.AuthenticationError, type('authentication')],
  ['402', { kind: 'error', status: 402 }, Anthropic.PaymentRequiredError, type('billing')],
  ['403', { kind: 'error', status: 403 }, Anthropic.PermissionDeniedError, type('permission')],
  ['404', { kind: 'error', status: 404 }, Anthropic.NotFoundError, type('not_found')],
  ['409', { kind: 'error', status: 409 }, Anthropic.ConflictError, type('conflict')],
  [
    '413',
    { kind: 'error', status: 413 },
    Anthropic.ContentTooLargeError,
    { type: 'request_too_large' },
  ],
  ['422', { kind: 'error', status: 422 }, Anthropic.UnprocessableEntityError, invalidRequest()],
  ['429', { kind: 'error', status: 429 }, Anthropic.RateLimitError, type('rate_limit')],
  ['500', { kind: 'error', status: 500 }, Anthropic.InternalServerError, type('api')],
  ['502', { kind: 'error', status: 502 }, Anthropic.InternalServerError, type('api')],
  ['503', { kind: 'error', status: 503 }, Anthropic.ServiceUnavailableError, type('api')],
  ['504', { kind: 'error', status: 504 }, Anthropic.GatewayTimeoutError, type('timeout')],
  ['529', { kind: 'error', status: 529 }, Anthropic.OverloadedError, type('overloaded')],
  [
    'a used-up spend cap',
    { kind: 'spend_cap' },
    Anthropic.RateLimitError,
    { ...type('rate_limit'), errorCode: 'enforced_spend_limit_reached' },
  ],
];

function type(name: string): object {
  return { type: `${name}_error` };
}

function invalidRequest(): object {
  return type('invalid_request');
}

/** What a person must mend, each in the API's own shape: the fault, its class and its fields. */
const account: [Fault['kind'], ErrorClass, object][] = [
  ['credit_balance', Anthropic.BadRequestError, { ...invalidRequest(), errorCode: null }],
  ['usage_limit', Anthropic.BadRequestError, { ...invalidRequest(), errorCode: null }],
  ['workspace_usage_limit', Anthropic.BadRequestError, { ...invalidRequest(), errorCode: null }],
  ['organization_disabled', Anthropic.BadRequestError, { ...invalidRequest(), errorCode: null }],
  ['workspace_missing', Anthropic.BadRequestError, { ...invalidRequest(), errorCode: null }],
  [
    'linked_billing',
    Anthropic.PaymentRequiredError,
    { ...type('billing'), errorCode: 'linked_organization_billing_unavailable' },
  ],
  [
    'ramp_limit',
    Anthropic.RateLimitError,
    { ...type('rate_limit'), errorCode: 'ramp_limit_exceeded' },
  ],
];

describe('the official client sees what a person must mend', () => {
  it.each(account)('%s, for uploads, counts, messages and batches', async (kind, Class, fields) => {
    const emulator = await emulate({ faults: [{ kind, count: 'all' }] });
    const client = sdkClient(emulator);
    const { max_tokens: _, ...counted } = hello;

    const errors = await Promise.all([
      client.files.upload({ file: await textUpload('x') }).catch((error) => error),
      client.messages.countTokens(counted).catch((error) => error),
      client.messages.create(hello).catch((error) => error),
      client.messages.batches
        .create({ requests: [{ custom_id: 'a', params: hello }] })
        .catch((error) => error),
    ]);

    for (const error of errors) {
      expect(error).toBeInstanceOf(Class);
      const { errorCode, ...others } = fields as { errorCode: string | null };
      expect(error).toMatchObject(others);
      expect(error.error.error.details?.error_code ?? null).toBe(errorCode);
      expect(error.headers.has('retry-after')).toBe(kind === 'ramp_limit');
    }
  });

  it('a workspace without human review refuses batches alone', async () => {
    const emulator = await emulate();
    emulator.addFault({ kind: 'human_review_disabled', count: 'all' });
    const client = sdkClient(emulator);

    const [batch, message] = await Promise.allSettled([
      client.messages.batches.create({ requests: [{ custom_id: 'a', params: hello }] }),
      client.messages.create(hello),
    ]);

    expect(batch).toMatchObject({
      reason: expect.any(Anthropic.BadRequestError),
    });
    expect(message.status).toBe('fulfilled');
  });

  it("a missing file in the first documentation's words", async () => {
    const emulator = await emulate();
    emulator.addFault({ kind: 'file_missing' });

    const error = await sdkClient(emulator)
      .files.retrieveMetadata('file_011')
      .catch((caught) => caught);

    expect(error).toBeInstanceOf(Anthropic.NotFoundError);
    expect(error).toMatchObject(invalidRequest());
    expect(error.message).toContain('File not found: file_011');
  });
});

describe('the official client distinguishes the emulated errors', () => {
  it.each(classes)('maps %s to its class', async (_name, fault, Class, fields) => {
    const emulator = await emulate();
    emulator.addFault(fault);

    const error = await sdkClient(emulator)
      .messages.create(hello)
      .catch((caught) => caught);

    expect(error).toBeInstanceOf(Class);
    expect(error).toMatchObject({ ...fields, requestID: expect.stringMatching(/^req_/) });
    expect(error.error).toEqual({
      type: 'error',
      error: expect.objectContaining({ type: error.type, message: expect.any(String) }),
      request_id: error.requestID,
    });
  });

  it('maps full storage to its class', async () => {
    const client = sdkClient(await emulate({ storageBytes: 10 }));

    await client.files.upload({ file: await textUpload('ten bytes!') });
    const second = client.files.upload({ file: await textUpload('x') });

    await expect(second).rejects.toThrow(Anthropic.Files.StorageQuotaExceededError);
  });

  it('maps a file that is too large to its class, early or late', async () => {
    const client = sdkClient(await emulate({ maxFileBytes: 100_000 }));

    const [slightly, far] = await Promise.allSettled([
      client.files.upload({ file: await textUpload('x'.repeat(100_001)) }),
      client.files.upload({ file: await textUpload('x'.repeat(300_000)) }),
    ]);

    expect(slightly).toMatchObject({ reason: expect.any(Anthropic.ContentTooLargeError) });
    expect(far).toMatchObject({ reason: expect.any(Anthropic.ContentTooLargeError) });
  });

  it('maps a message that is too large to its class', async () => {
    const client = sdkClient(await emulate({ maxBodyBytes: 10_000 }));

    const call = client.messages.create({ ...hello, system: 'x'.repeat(10_000) });

    await expect(call).rejects.toThrow(Anthropic.ContentTooLargeError);
  });

  it('maps an expired file in a message to its class', async () => {
    const emulator = await emulate();
    const client = sdkClient(emulator);
    const { id } = await client.files.upload({ file: await textUpload('Some words.') });
    emulator.addFault({ kind: 'expire_file', operation: 'messages.create' });

    const call = client.messages.create({ ...hello, messages: [askAbout([id])] });

    await expect(call).rejects.toThrow(Anthropic.Files.FileExpiredError);
  });

  it('maps a wrong key to an authentication error and accepts the right one', async () => {
    const emulator = await emulate({ apiKeys: ['right'] });

    const [wrong, right] = await Promise.allSettled([
      sdkClient(emulator, { apiKey: 'wrong' }).models.list(),
      sdkClient(emulator, { apiKey: 'right' }).models.list(),
    ]);

    expect(wrong).toMatchObject({ reason: expect.any(Anthropic.AuthenticationError) });
    expect(right.status).toBe('fulfilled');
  });

  it('maps a cut connection to a connection error', async () => {
    const emulator = await emulate();
    emulator.addFault({ kind: 'cut_before' });

    const call = sdkClient(emulator).messages.create(hello);

    await expect(call).rejects.toThrow(Anthropic.APIConnectionError);
  });

  it('maps a missing reply to a timeout', async () => {
    const emulator = await emulate();
    emulator.addFault({ kind: 'hang' });

    const call = sdkClient(emulator, { timeout: 50 }).messages.create(hello);

    await expect(call).rejects.toThrow(Anthropic.APIConnectionTimeoutError);
    expect(emulator.journal()[0]).toMatchObject({ status: null, fault: 'hang' });
  });

  it('maps a closed port to a connection error', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const client = new Anthropic({
      apiKey: 'k',
      baseURL: `http://127.0.0.1:${port}`,
      maxRetries: 0,
    });

    await expect(client.models.list()).rejects.toThrow(Anthropic.APIConnectionError);
  });
});

describe('the official client retries as the emulator asks', () => {
  it('retries after retry-after and succeeds', async () => {
    const emulator = await emulate();
    emulator.addFault({ kind: 'error', status: 429, retryAfter: 0.05, count: 2 });

    const message = await sdkClient(emulator, { maxRetries: 2 }).messages.create(hello);

    expect(message.stop_reason).toBe('end_turn');
    const calls = emulator.journal().map(({ status, retryCount }) => [status, retryCount]);
    expect(calls).toEqual([
      [429, 0],
      [429, 1],
      [200, 2],
    ]);
  });

  it('obeys x-should-retry', async () => {
    const emulator = await emulate();
    emulator.addFault({ kind: 'error', status: 500, headers: { 'x-should-retry': 'false' } });

    const call = sdkClient(emulator, { maxRetries: 2 }).messages.create(hello);

    await expect(call).rejects.toThrow(Anthropic.InternalServerError);
    expect(emulator.journal()).toHaveLength(1);
  });

  it('creates a duplicate when the reply to an upload is lost', async () => {
    const emulator = await emulate();
    emulator.addFault({ kind: 'lost_reply', operation: 'files.upload' });

    const file = await sdkClient(emulator, { maxRetries: 1 }).files.upload({
      file: await textUpload('twice'),
    });

    const [lost, kept] = emulator.journal();
    expect(lost).toMatchObject({ status: 200, delivered: false, fault: 'lost_reply' });
    expect(kept).toMatchObject({ status: 200, delivered: true, fileId: file.id });
    expect(emulator.files().map(({ id }) => id)).toEqual([lost?.fileId, file.id]);
  });
});
