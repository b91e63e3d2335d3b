import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { askAbout, emulate, makeClock, model, sdkClient, textUpload } from './support.ts';

type Results = Record<string, Anthropic.Messages.MessageBatchResult>;

async function resultsOf(client: Anthropic, id: string): Promise<Results> {
  const results: Results = {};
  for await (const { custom_id, result } of await client.messages.batches.results(id)) {
    results[custom_id] = result;
  }
  return results;
}

const params = (text: string) => ({
  model,
  max_tokens: 200,
  messages: [{ role: 'user' as const, content: text }],
});

describe('the official client against the emulated Message Batches API', () => {
  it('gets the results at the batch tier once the batch has ended', async () => {
    const clock = makeClock();
    const emulator = await emulate({ now: clock.now, batchDelayMs: 60_000 });
    const client = sdkClient(emulator);
    const { id: file } = await client.files.upload({
      file: await textUpload('Rent is due in May.'),
    });

    const created = await client.messages.batches.create({
      requests: [
        {
          custom_id: 'doc-1',
          params: { model, max_tokens: 200, messages: [askAbout([file])] },
        },
        {
          custom_id: 'doc-2',
          params: { model, max_tokens: 200, messages: [askAbout(['file_gone'])] },
        },
        { custom_id: 'doc-3', params: { ...params('Hello to all of you.'), max_tokens: 0 } },
      ],
    });
    const early = await client.messages.batches.retrieve(created.id);
    clock.advance(60_000);
    const ended = await client.messages.batches.retrieve(created.id);
    const results = await resultsOf(client, created.id);

    expect(early).toMatchObject({ processing_status: 'in_progress', results_url: null });
    expect(ended).toMatchObject({
      processing_status: 'ended',
      request_counts: { processing: 0, succeeded: 1, errored: 2, canceled: 0, expired: 0 },
    });
    expect(results).toEqual({
      'doc-1': expect.objectContaining({
        type: 'succeeded',
        message: expect.objectContaining({
          usage: expect.objectContaining({ service_tier: 'batch' }),
        }),
      }),
      'doc-2': {
        type: 'errored',
        error: expect.objectContaining({
          type: 'error',
          error: expect.objectContaining({ type: 'not_found_error' }),
        }),
      },
      'doc-3': {
        type: 'errored',
        error: expect.objectContaining({
          error: expect.objectContaining({ type: 'invalid_request_error' }),
        }),
      },
    });
  });

  it('records every request of a batch in the journal with its billed usage', async () => {
    const emulator = await emulate();
    const client = sdkClient(emulator);
    const batch = await client.messages.batches.create({
      requests: [{ custom_id: 'only', params: params('Count what this costs me.') }],
    });

    await emulator.endBatches();

    expect(emulator.journal({ operation: 'batch.request' })).toEqual([
      expect.objectContaining({
        method: 'BATCH',
        batchId: batch.id,
        customId: 'only',
        status: 200,
        usage: expect.objectContaining({ inputTokens: expect.any(Number) }),
      }),
    ]);
  });

  it('cancels a batch and its requests', async () => {
    const client = sdkClient(await emulate({ batchDelayMs: 60_000 }));
    const { id } = await client.messages.batches.create({
      requests: [{ custom_id: 'a', params: params('Never mind, do not.') }],
    });

    const canceling = await client.messages.batches.cancel(id);
    const ended = await client.messages.batches.retrieve(id);

    expect(canceling.processing_status).toBe('canceling');
    expect(ended.request_counts.canceled).toBe(1);
    expect(await resultsOf(client, id)).toEqual({ a: { type: 'canceled' } });
  });

  it('expires a batch on demand', async () => {
    const emulator = await emulate({ batchDelayMs: 60_000 });
    const client = sdkClient(emulator);
    const { id } = await client.messages.batches.create({
      requests: [{ custom_id: 'a', params: params('This will take too long.') }],
    });

    await emulator.endBatches('expired');

    expect(await resultsOf(client, id)).toEqual({ a: { type: 'expired' } });
  });

  it('rejects files in a batch when so configured', async () => {
    const emulator = await emulate({ batchFileIds: 'refuse' });
    const client = sdkClient(emulator);
    const { id: file } = await client.files.upload({ file: await textUpload('Rent is due.') });
    const { id } = await client.messages.batches.create({
      requests: [
        { custom_id: 'a', params: { model, max_tokens: 200, messages: [askAbout([file])] } },
      ],
    });

    await emulator.endBatches();

    expect((await resultsOf(client, id)).a?.type).toBe('errored');
  });

  it('rejects duplicate and malformed ids, and an empty batch', async () => {
    const client = sdkClient(await emulate());
    const create = (ids: string[]) =>
      client.messages.batches.create({
        requests: ids.map((custom_id) => ({ custom_id, params: params('Hello there.') })),
      });

    await expect(create(['a', 'a'])).rejects.toThrow(Anthropic.BadRequestError);
    await expect(create(['a b'])).rejects.toThrow(Anthropic.BadRequestError);
    await expect(create(['x'.repeat(65)])).rejects.toThrow(Anthropic.BadRequestError);
    await expect(create([])).rejects.toThrow(Anthropic.BadRequestError);
  });

  it('lists batches newest first and deletes only ended ones', async () => {
    const emulator = await emulate({ batchDelayMs: 60_000 });
    const client = sdkClient(emulator);
    const ids: string[] = [];
    for (const text of ['The first one.', 'The second one.', 'The third one.']) {
      const requests = [{ custom_id: 'a', params: params(text) }];
      ids.unshift((await client.messages.batches.create({ requests })).id);
    }
    const [newest = ''] = ids;

    const listed: string[] = [];
    for await (const { id } of client.messages.batches.list({ limit: 2 })) listed.push(id);
    await expect(client.messages.batches.delete(newest)).rejects.toThrow(Anthropic.BadRequestError);
    await emulator.endBatches();
    await client.messages.batches.delete(newest);

    expect(listed).toEqual(ids);
    await expect(client.messages.batches.retrieve(newest)).rejects.toThrow(Anthropic.NotFoundError);
  });

  it('keeps open batches across a restart', async () => {
    const first = await emulate({ batchDelayMs: 60_000 });
    const { id } = await sdkClient(first).messages.batches.create({
      requests: [{ custom_id: 'a', params: params('Remember this one.') }],
    });

    const second = await emulate({ dataDir: first.dataDir, batchDelayMs: 60_000 });
    await second.endBatches();

    expect((await resultsOf(sdkClient(second), id)).a?.type).toBe('succeeded');
  });
});
