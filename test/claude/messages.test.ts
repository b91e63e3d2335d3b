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

test('sends the parameters as they are and gives the message as it came', async () => {
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
  ['a kind to come', { type: 'galaxy_location', where: 'far' }],
])('takes a citation of %s', async (_, citation) => {
  const json = messageJson({ content: [{ type: 'text', text: 't', citations: [citation] }] });
  const { client } = clientOf(await serve({ json }));

  const message = await client.createMessage(params);

  expect(message.content).toEqual([{ type: 'text', text: 't', citations: [citation] }]);
});

test('takes blocks and stop reasons of kinds to come', async () => {
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
  ['a count that is whole', { usage: { input_tokens: 1.5, output_tokens: 1 } }],
])('does not take a message without %s, and does not pay for another', async (_, more) => {
  const server = await serve({ json: messageJson(more) });
  const { client } = clientOf(server);

  const error = await rejection(client.createMessage(params));

  expect(error).toBeInstanceOf(ClaudeReplyError);
  expect(server.seen).toHaveLength(1);
});

test.each([429, 503, 529])(
  'repeats a message after %i, when it was not processed',
  async (status) => {
    const server = await serve({ status, json: errorJson('t') }, { json: messageJson() });
    const { client, waits } = clientOf(server);

    const message = await client.createMessage(params);

    expect(message.id).toBe('msg_1');
    expect(waits).toEqual([500]);
  },
);

test.each([400, 408, 409, 500, 502, 504])('does not repeat a message after %i', async (status) => {
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

test('does not repeat a message whose answer was lost', async () => {
  const server = await serve((request) => request.socket.destroy());
  const { client } = clientOf(server);

  const error = await rejection(client.createMessage(params));

  expect(error).toBeInstanceOf(ClaudeConnectionError);
  expect(error).toMatchObject({ sent: 'maybe' });
  expect(server.seen).toHaveLength(1);
});

test('does not repeat a message whose answer was cut', async () => {
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

test('does not repeat a message that ran out of time', async () => {
  const server = await serve(silentUntilTimeout(5_000));
  const { client } = clientOf(server);

  const error = await rejection(client.createMessage(params, { timeoutMs: 5_000 }));

  expect(error).toBeInstanceOf(ClaudeTimeoutError);
  expect(error).toMatchObject({ sent: 'maybe' });
  expect(server.seen).toHaveLength(1);
});

test('repeats a message that found no connection', async () => {
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

test('ends a message at its signal', async () => {
  const controller = new AbortController();
  const server = await serve(() => controller.abort());
  const { client } = clientOf(server);

  const error = await rejection(client.createMessage(params, { signal: controller.signal }));

  expect(error).toBeInstanceOf(ClaudeAbortedError);
  expect(error).toMatchObject({ sent: 'maybe' });
});

test('really waits when no other way to wait is given', async () => {
  const server = await serve(
    { status: 429, headers: { 'retry-after-ms': '1' }, json: errorJson('t') },
    { json: messageJson() },
  );
  const { client } = clientOf(server, { sleep: undefined });

  const message = await client.createMessage(params);

  expect(message.id).toBe('msg_1');
});

test('counts tokens, and repeats it like anything free', async () => {
  const server = await serve(
    { status: 500, json: errorJson('api_error') },
    { json: { input_tokens: 42 } },
  );
  const { client } = clientOf(server);

  const count = await client.countTokens({ model: params.model, messages: params.messages });

  expect(count).toBe(42);
  expect(server.seen.map(({ url }) => url)).toEqual(Array(2).fill('/v1/messages/count_tokens'));
});

test('tells what a model can take', async () => {
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

test('leaves open what the API does not know of a model', async () => {
  const json = { id: 'm', max_input_tokens: null, max_tokens: null, capabilities: null };
  const { client } = clientOf(await serve({ json }));

  const model = await client.getModel('m');

  expect(model).toEqual({ id: 'm', supports: {} });
});

test('says that there is no such model', async () => {
  const json = errorJson('not_found_error', 'model: none');
  const { client } = clientOf(await serve({ status: 404, json }));

  const error = await rejection(client.getModel('none'));

  expect(error).toBeInstanceOf(NotFound);
});
