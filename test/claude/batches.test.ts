import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BatchResult } from '../../shared/claude/batches.ts';
import {
  ClaudeConnectionError,
  ClaudeReplyError,
  InvalidRequest,
} from '../../shared/claude/errors.ts';
import { linesOf } from '../../shared/claude/jsonl.ts';
import { clientOf, collect, errorJson, rejection, serve } from './api-server.ts';

function batchJson(more: Record<string, unknown> = {}): unknown {
  return {
    id: 'msgbatch_1',
    type: 'message_batch',
    processing_status: 'in_progress',
    request_counts: { processing: 2, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
    created_at: '2026-11-22T10:00:00Z',
    expires_at: '2026-11-23T10:00:00Z',
    ended_at: null,
    results_url: null,
    ...more,
  };
}

const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-haiku-5-5',
  content: [{ type: 'text', text: 'ü', citations: null }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1, service_tier: 'batch' },
};

const lines = [
  { custom_id: 'a', result: { type: 'succeeded', message } },
  { custom_id: 'b', result: { type: 'errored', error: errorJson('invalid_request_error', 'why') } },
  { custom_id: 'c', result: { type: 'canceled' } },
  { custom_id: 'd', result: { type: 'expired' } },
];

test('creates a batch', async () => {
  const server = await serve({ json: batchJson() });
  const { client } = clientOf(server);
  const params = { model: 'm', max_tokens: 1, messages: [] };

  const batch = await client.batches.create([{ custom_id: 'a', params }]);

  expect(JSON.parse(server.seen[0]?.body.toString() ?? '')).toEqual({
    requests: [{ custom_id: 'a', params }],
  });
  expect(batch).toEqual({
    id: 'msgbatch_1',
    status: 'in_progress',
    counts: { processing: 2, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
    createdAt: '2026-11-22T10:00:00.000Z',
    expiresAt: '2026-11-23T10:00:00.000Z',
  });
});

test('does not create a batch twice when the reply was lost', async () => {
  const server = await serve((request) => request.socket.destroy());
  const { client } = clientOf(server);

  const error = await rejection(client.batches.create([]));

  expect(error).toMatchObject({ sent: 'maybe' });
  expect(server.seen).toHaveLength(1);
});

test('reports the progress of a batch', async () => {
  const json = batchJson({ processing_status: 'ended', ended_at: '2026-11-22T11:00:00Z' });
  const server = await serve({ json });
  const { client } = clientOf(server);

  const batch = await client.batches.get('msgbatch_1');

  expect(batch).toMatchObject({ status: 'ended', endedAt: '2026-11-22T11:00:00.000Z' });
  expect(server.seen[0]).toMatchObject({ method: 'GET', url: '/v1/messages/batches/msgbatch_1' });
});

test('lists batches one page at a time', async () => {
  const page = { data: [batchJson()], first_id: 'x', has_more: true, last_id: 'msgbatch_1' };
  const server = await serve({ json: page }, { json: { ...page, has_more: false } });
  const { client } = clientOf(server);

  const first = await client.batches.list();
  const second = await client.batches.list({ from: first.next });

  expect(first.batches.map(({ id }) => id)).toEqual(['msgbatch_1']);
  expect(second.next).toBeUndefined();
  expect(server.seen.map(({ url }) => url)).toEqual([
    '/v1/messages/batches',
    '/v1/messages/batches?after_id=msgbatch_1',
  ]);
});

test('deletes a batch; one that is gone is deleted', async () => {
  const server = await serve(
    (request) => request.socket.destroy(),
    { status: 404, json: errorJson('not_found_error', 'Message batch not found') },
    { json: { id: 'msgbatch_1', type: 'message_batch_deleted' } },
  );
  const { client } = clientOf(server);

  await client.batches.delete('msgbatch_1');
  await client.batches.delete('msgbatch_1');

  expect(server.seen.map(({ method }) => method)).toEqual(['DELETE', 'DELETE', 'DELETE']);
});

test('cancels a batch, and retries when the reply was lost', async () => {
  const server = await serve((request) => request.socket.destroy(), {
    json: batchJson({ processing_status: 'canceling' }),
  });
  const { client } = clientOf(server);

  const batch = await client.batches.cancel('msgbatch_1');

  expect(batch.status).toBe('canceling');
  expect(server.seen[1]).toMatchObject({
    method: 'POST',
    url: '/v1/messages/batches/msgbatch_1/cancel',
  });
});

test('yields each result of a batch, with errors as typed errors', async () => {
  const server = await serve({ text: lines.map((line) => JSON.stringify(line)).join('\n') });
  const { client } = clientOf(server);

  const results = await collect(client.batches.results('msgbatch_1'));

  expect(results).toEqual<BatchResult[]>([
    expect.objectContaining({ customId: 'a', type: 'succeeded', message }),
    { customId: 'b', type: 'errored', error: expect.any(InvalidRequest) },
    { customId: 'c', type: 'canceled' },
    { customId: 'd', type: 'expired' },
  ]);
  expect(server.seen[0]?.url).toBe('/v1/messages/batches/msgbatch_1/results');
});

test.each([
  ['is not JSON', '{"custom_id":'],
  ['has a result of an unknown type', JSON.stringify({ custom_id: 'e', result: { type: 'lost' } })],
])('fails at a line that %s, after the results before it', async (_, line) => {
  const server = await serve({ text: `${JSON.stringify(lines[2])}\n${line}\n` });
  const { client } = clientOf(server);
  const results: BatchResult[] = [];

  const error = await rejection(
    (async () => {
      for await (const result of client.batches.results('msgbatch_1')) results.push(result);
    })(),
  );

  expect(error).toBeInstanceOf(ClaudeReplyError);
  expect(results).toEqual([{ customId: 'c', type: 'canceled' }]);
});

test('fails when the results are cut off', async () => {
  const server = await serve((request, response) => {
    response.write(`${JSON.stringify(lines[2])}\n`);
    setImmediate(() => request.socket.destroy());
  });
  const { client } = clientOf(server);

  const error = await rejection(collect(client.batches.results('msgbatch_1')));

  expect(error).toBeInstanceOf(ClaudeConnectionError);
});

test('closes the connection when the reader stops early', async () => {
  const closed = Promise.withResolvers<void>();
  const server = await serve((request, response) => {
    request.socket.on('close', () => closed.resolve());
    response.write(`${JSON.stringify(lines[2])}\n`);
  });
  const { client } = clientOf(server);

  for await (const result of client.batches.results('msgbatch_1')) {
    expect(result.customId).toBe('c');
    break;
  }
  await closed.promise;

  expect(server.connections).toBe(1);
});

describe('linesOf', () => {
  test('yields the same lines however the bytes are chunked', async () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.nat(200)), async (expected, cuts) => {
        const bytes = Buffer.from(expected.join('\n'));
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b)];
        async function* chunks(): AsyncGenerator<Uint8Array> {
          for (const [index, from] of at.entries()) yield bytes.subarray(from, at[index + 1]);
        }

        const read = await collect(linesOf(chunks()));

        expect(read).toEqual(expected);
      }),
    );
  });

  test('skips empty lines and accepts CRLF', async () => {
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('\n{"a":1}\r\n\r\n  \n{"b":2}\r\n');
    }

    const read = await collect(linesOf(chunks()));

    expect(read.map((line) => JSON.parse(line))).toEqual([{ a: 1 }, { b: 2 }]);
  });

  test('rejects an endless line before memory runs out', async () => {
    async function* chunks(): AsyncGenerator<Uint8Array> {
      const chunk = Buffer.alloc(16 * 1024 * 1024, 'x');
      for (;;) yield chunk;
    }

    const error = await rejection(collect(linesOf(chunks())));

    expect(error).toBeInstanceOf(RangeError);
  });
});
