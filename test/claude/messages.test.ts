import { createServer } from 'node:net';
import type { MessageCreateParamsNonStreaming } from '@anthropic-ai/sdk/resources/messages/messages';
import { expect, test } from 'vitest';
import {
  ClaudeAbortedError,
  ClaudeConnectionError,
  ClaudeReplyError,
  ClaudeTimeoutError,
  NotFound,
} from '../../shared/claude/errors.ts';
import { clientOf, errorJson, rejection, serve, silentUntilTimeout } from './api-server.ts';

const params: MessageCreateParamsNonStreaming = {
  model: 'claude-haiku-5-5',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Grüße 👋' }],
};

function messageJson(more: Record<string, unknown> = {}): unknown {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-haiku-5-5',
    content: [{ type: 'text', text: 'Hallo', citations: null }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 2, service_tier: 'standard' },
    ...more,
  };
}

const located = { cited_text: 'c', document_index: 0, document_title: null, file_id: 'f' };

test('sends the parameters and returns the message unchanged', async () => {
  const server = await serve({ json: messageJson() });
  const { client } = clientOf(server);

  const message = await client.createMessage(params);

  const [request] = server.seen;
  expect(request).toMatchObject({ method: 'POST', url: '/v1/messages' });
  expect(request?.headers['content-type']).toBe('application/json');
  expect(JSON.parse(request?.body.toString() ?? '')).toEqual(params);
  expect(message).toEqual(messageJson());
});

test('sends the betas of a call after that of its dialect', async () => {
  const server = await serve({ json: messageJson() });
  const { client } = clientOf(server, { dialect: 'beta' });

  await client.createMessage(params, { betas: ['code-execution-2025-08-25'] });

  expect(server.seen[0]?.headers['anthropic-beta']).toBe(
    'files-api-2025-04-14,code-execution-2025-08-25',
  );
});

test.each([
  [
    'a place in the text',
    { type: 'char_location', ...located, start_char_index: 0, end_char_index: 4 },
  ],
  ['a page', { type: 'page_location', ...located, start_page_number: 1, end_page_number: 2 }],
  [
    'a block',
    { type: 'content_block_location', ...located, start_block_index: 0, end_block_index: 1 },
  ],
  ['an unknown kind', { type: 'galaxy_location', where: 'far' }],
])('accepts a citation of %s', async (_, citation) => {
  const json = messageJson({ content: [{ type: 'text', text: 't', citations: [citation] }] });
  const { client } = clientOf(await serve({ json }));

  const message = await client.createMessage(params);

  expect(message.content).toEqual([{ type: 'text', text: 't', citations: [citation] }]);
});

test('accepts unknown blocks and stop reasons', async () => {
  const json = messageJson({ content: [{ type: 'dream', of: 'sheep' }], stop_reason: 'woke_up' });
  const { client } = clientOf(await serve({ json }));

  const message = await client.createMessage(params);

  expect(message).toEqual(json);
});

test.each([
  ['content', { content: undefined }],
  ['a text in its text block', { content: [{ type: 'text' }] }],
  [
    'a place in its citation',
    { content: [{ type: 'text', text: 't', citations: [{ type: 'page_location', ...located }] }] },
  ],
  ['a reason to stop', { stop_reason: null }],
  ['usage', { usage: {} }],
  ['whole numbers of tokens', { usage: { input_tokens: 1.5, output_tokens: 1 } }],
])('rejects a message without %s, and does not pay for another', async (_, more) => {
  const server = await serve({ json: messageJson(more) });
  const { client } = clientOf(server);

  const error = await rejection(client.createMessage(params));

  expect(error).toBeInstanceOf(ClaudeReplyError);
  expect(server.seen).toHaveLength(1);
});

test.each([429, 503, 529])(
  'retries a message after %i, because it was not processed',
  async (status) => {
    const server = await serve({ status, json: errorJson('t') }, { json: messageJson() });
    const { client, waits } = clientOf(server);

    const message = await client.createMessage(params);

    expect(message.id).toBe('msg_1');
    expect(waits).toEqual([500]);
  },
);

test.each([400, 408, 409, 500, 502, 504])('does not retry a message after %i', async (status) => {
  const server = await serve({
    status,
    headers: status >= 500 ? { 'x-should-retry': 'true' } : {},
    json: errorJson('t'),
  });
  const { client } = clientOf(server);

  const error = await rejection(client.createMessage(params));

  expect(error).toMatchObject({ status });
  expect(server.seen).toHaveLength(1);
});

test('does not retry a message whose reply was lost', async () => {
  const server = await serve((request) => request.socket.destroy());
  const { client } = clientOf(server);

  const error = await rejection(client.createMessage(params));

  expect(error).toBeInstanceOf(ClaudeConnectionError);
  expect(error).toMatchObject({ sent: 'maybe' });
  expect(server.seen).toHaveLength(1);
});

test('does not retry a message whose reply was cut off', async () => {
  const server = await serve((request, response) => {
    response.writeHead(200, { 'content-length': '1000', 'request-id': 'req_1' });
    response.write('{"id":"msg_1"');
    setImmediate(() => request.socket.destroy());
  });
  const { client } = clientOf(server);

  const error = await rejection(client.createMessage(params));

  expect(error).toMatchObject({ sent: 'maybe', status: 200, requestId: 'req_1' });
  expect(server.seen).toHaveLength(1);
});

test('does not retry a message that timed out', async () => {
  const server = await serve(silentUntilTimeout(5_000));
  const { client } = clientOf(server);

  const error = await rejection(client.createMessage(params, { timeoutMs: 5_000 }));

  expect(error).toBeInstanceOf(ClaudeTimeoutError);
  expect(error).toMatchObject({ sent: 'maybe' });
  expect(server.seen).toHaveLength(1);
});

test('retries a message that could not connect', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const address = closed.address();
  await new Promise((resolve) => closed.close(resolve));
  const port = typeof address === 'object' ? address?.port : undefined;
  const { client, waits } = clientOf({ url: `http://127.0.0.1:${port}` });

  const error = await rejection(client.createMessage(params));

  expect(error).toMatchObject({ sent: 'no' });
  expect(waits).toEqual([500, 1_000]);
});

test('aborts a message at its signal', async () => {
  const controller = new AbortController();
  const server = await serve(() => controller.abort());
  const { client } = clientOf(server);

  const error = await rejection(client.createMessage(params, { signal: controller.signal }));

  expect(error).toBeInstanceOf(ClaudeAbortedError);
  expect(error).toMatchObject({ sent: 'maybe' });
});

test('really waits by default', async () => {
  const server = await serve(
    { status: 429, headers: { 'retry-after-ms': '1' }, json: errorJson('t') },
    { json: messageJson() },
  );
  const { client } = clientOf(server, { sleep: undefined });

  const message = await client.createMessage(params);

  expect(message.id).toBe('msg_1');
});

test('counts tokens, and retries it like any free call', async () => {
  const server = await serve(
    { status: 500, json: errorJson('api_error') },
    { json: { input_tokens: 42 } },
  );
  const { client } = clientOf(server);

  const count = await client.countTokens({ model: params.model, messages: params.messages });

  expect(count).toBe(42);
  expect(server.seen.map(({ url }) => url)).toEqual(Array(2).fill('/v1/messages/count_tokens'));
});

test('reads the limits of a model', async () => {
  const server = await serve({
    json: {
      type: 'model',
      id: 'claude-haiku-5-5',
      max_input_tokens: 1_000_000,
      max_tokens: 128_000,
      capabilities: { citations: { supported: true }, batch: { supported: false }, odd: 1 },
    },
  });
  const { client } = clientOf(server);

  const model = await client.getModel('claude-haiku-5-5');

  expect(model).toEqual({
    id: 'claude-haiku-5-5',
    maxInputTokens: 1_000_000,
    maxOutputTokens: 128_000,
    supports: { citations: true, batch: false },
  });
});

test('omits limits that the API does not know', async () => {
  const json = { id: 'm', max_input_tokens: null, max_tokens: null, capabilities: null };
  const { client } = clientOf(await serve({ json }));

  const model = await client.getModel('m');

  expect(model).toEqual({ id: 'm', supports: {} });
});

test('reports an unknown model', async () => {
  const json = errorJson('not_found_error', 'model: none');
  const { client } = clientOf(await serve({ status: 404, json }));

  const error = await rejection(client.getModel('none'));

  expect(error).toBeInstanceOf(NotFound);
});

test.each([
  [{ output_tokens_details: { thinking_tokens: 7 } }, 7],
  [{ output_tokens_details: null }, undefined],
  [{ output_tokens_details: { thinking_tokens: 'many' } }, undefined],
  [{}, undefined],
])(
  'reads the thinking in a usage with %j, which cannot spoil a paid reply',
  async (more, tokens) => {
    const usage = { input_tokens: 10, output_tokens: 20, ...more };
    const { client } = clientOf(await serve({ json: messageJson({ usage }) }));

    const message = await client.createMessage(params);

    expect(message.usage.output_tokens_details?.thinking_tokens).toBe(tokens);
  },
);

test.each([
  [{ type: 'refusal', category: 'cyber', explanation: null }, 'cyber'],
  [{ type: 'refusal', category: 7 }, undefined],
  ['none', undefined],
])('reads the category of a refusal in %j', async (stop_details, category) => {
  const json = messageJson({ stop_reason: 'refusal', stop_details });
  const { client } = clientOf(await serve({ json }));

  const message = await client.createMessage(params);

  expect(message.stop_details?.category).toBe(category);
});
