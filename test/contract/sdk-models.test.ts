import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { emulate, model, sdkClient } from './support.ts';

describe('the official client against the emulated Models API', () => {
  it('lists the models and reads one by its alias', async () => {
    const client = sdkClient(await emulate());

    const ids: string[] = [];
    for await (const { id } of client.models.list({ limit: 2 })) ids.push(id);
    const haiku = await client.models.retrieve('claude-haiku-4-5');

    expect(ids).toContain(model);
    expect(new Set(ids).size).toBe(ids.length);
    expect(haiku).toMatchObject({
      id: 'claude-haiku-4-5-20251001',
      max_input_tokens: 200_000,
      max_tokens: 64_000,
    });
    expect(haiku.capabilities?.citations.supported).toBe(true);
  });

  it('answers 404 for unknown models', async () => {
    const client = sdkClient(await emulate());
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Hello there.' }];

    await expect(client.models.retrieve('gpt-5')).rejects.toThrow(Anthropic.NotFoundError);
    await expect(
      client.messages.create({ model: 'gpt-5', max_tokens: 5, messages }),
    ).rejects.toThrow(Anthropic.NotFoundError);
  });
});
