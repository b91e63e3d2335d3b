import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { emulate, filesBeta, makeClock, model, plainHeaders, raw, sdkClient } from './support.ts';

const body = {
  model,
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hello there, how are you?' }],
};

describe('the rate limit of the emulator', () => {
  it('allows a burst of ten file operations, then one per refill', async () => {
    const clock = makeClock();
    const emulator = await emulate({ now: clock.now, filesPerMinute: 600 });
    const list = async () => (await raw(emulator, 'GET', '/v1/files')).status;

    const burst: number[] = [];
    for (let i = 0; i < 12; i++) burst.push(await list());
    clock.advance(99);
    const early = await list();
    clock.advance(1);
    const due = [await list(), await list()];

    expect(burst).toEqual([...Array(10).fill(200), 429, 429]);
    expect(early).toBe(429);
    expect(due).toEqual([200, 429]);
  });

  it('reports in a rejection how long to wait and what remains', async () => {
    const clock = makeClock();
    const emulator = await emulate({ now: clock.now, filesPerMinute: 20, filesBurst: 1 });

    const first = await raw(emulator, 'GET', '/v1/files');
    const second = await raw(emulator, 'GET', '/v1/files');

    expect(first.headers).toMatchObject({
      'anthropic-ratelimit-requests-limit': '20',
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2026-11-22T12:00:03.000Z',
    });
    expect(second).toMatchObject({
      status: 429,
      headers: { 'retry-after': '3' },
      body: { error: { type: 'rate_limit_error' } },
    });
  });

  it('is 500 file operations per minute, and 100 in the beta dialect', async () => {
    const limitOf = async (dialect: 'ga' | 'beta') => {
      const emulator = await emulate({ dialect, filesPerMinute: undefined });
      const headers = { ...plainHeaders, 'anthropic-beta': filesBeta };
      const answer = await raw(emulator, 'GET', '/v1/files', { headers });
      return answer.headers['anthropic-ratelimit-requests-limit'];
    };

    expect([await limitOf('ga'), await limitOf('beta')]).toEqual(['500', '100']);
  });

  it('is shared by all file operations, including failed ones, and by no other calls', async () => {
    const clock = makeClock();
    const emulator = await emulate({ now: clock.now, filesPerMinute: 1, filesBurst: 2 });

    const answers = [
      await raw(emulator, 'GET', '/v1/files/file_none'),
      await raw(emulator, 'DELETE', '/v1/files/file_none'),
      await raw(emulator, 'GET', '/v1/files'),
      await raw(emulator, 'GET', '/v1/models'),
      await raw(emulator, 'POST', '/v1/messages', { body }),
      await raw(emulator, 'GET', '/_emulator/files'),
    ];

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 429, 200, 200, 200]);
  });

  it('counts requests, input tokens and output tokens of messages', async () => {
    const clock = makeClock();
    const emulator = await emulate({
      now: clock.now,
      messagesPerMinute: 60,
      inputTokensPerMinute: 6_000,
      outputTokensPerMinute: 600,
    });

    const { headers, body: message } = await raw<Anthropic.Message>(
      emulator,
      'POST',
      '/v1/messages',
      { body },
    );

    const { input_tokens: input, output_tokens: output } = message.usage;
    expect(headers).toMatchObject({
      'anthropic-ratelimit-requests-limit': '60',
      'anthropic-ratelimit-requests-remaining': '59',
      'anthropic-ratelimit-input-tokens-limit': '6000',
      'anthropic-ratelimit-input-tokens-remaining': String(6_000 - input),
      'anthropic-ratelimit-output-tokens-limit': '600',
      'anthropic-ratelimit-output-tokens-remaining': String(600 - output),
      'anthropic-ratelimit-tokens-limit': '6000',
    });
  });

  it('rejects a message when the input tokens are used up, and bills nothing', async () => {
    const clock = makeClock();
    const emulator = await emulate({ now: clock.now, inputTokensPerMinute: 600 });
    const long = { ...body, system: 'word '.repeat(400) };

    const first = await raw(emulator, 'POST', '/v1/messages', { body: long });
    const second = await raw(emulator, 'POST', '/v1/messages', { body: long });
    clock.advance(60_000);
    const third = await raw(emulator, 'POST', '/v1/messages', { body: long });

    expect([first.status, second.status, third.status]).toEqual([200, 429, 200]);
    expect(Number(second.headers['retry-after'])).toBeGreaterThan(30);
    expect(emulator.journal().map(({ usage }) => usage !== undefined)).toEqual([true, false, true]);
  });

  it('makes the official client wait and retry, or give up', async () => {
    const clock = makeClock();
    const emulator = await emulate({ now: clock.now, filesPerMinute: 60, filesBurst: 1 });
    const client = sdkClient(emulator, { maxRetries: 1 });
    emulator.addFault({ kind: 'error', status: 429, retryAfter: 0.02 });

    const page = await client.files.list();
    const refused = await client.files.list({}, { maxRetries: 0 }).catch((error) => error);

    expect(page.data).toEqual([]);
    expect(refused).toBeInstanceOf(Anthropic.RateLimitError);
    expect(refused.headers.get('retry-after')).toBe('1');
  });
});
