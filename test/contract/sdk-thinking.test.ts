import type Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it, test } from 'vitest';
import { models } from '../../shared/claude/models.ts';
import { askAbout, emulate, messageText, model, sdkClient, textUpload } from './support.ts';

const hello: Anthropic.MessageParam[] = [{ role: 'user', content: 'Say hello to everyone.' }];
const basis = { max_tokens: 8_000, messages: hello };

describe('thinking, as the official client sees it', () => {
  it('is on by default in the current models and is billed as output', async () => {
    const client = sdkClient(await emulate());

    const message = await client.messages.create({ model, ...basis });
    const without = await client.messages.create({
      model,
      ...basis,
      thinking: { type: 'disabled' },
    });

    const thought = message.usage.output_tokens_details?.thinking_tokens ?? 0;
    expect(thought).toBeGreaterThan(0);
    expect(message.content[0]).toMatchObject({ type: 'thinking', thinking: '' });
    expect(message.usage.output_tokens).toBe(without.usage.output_tokens + thought);
    expect(without.content[0]?.type).toBe('text');
    expect(without.usage.output_tokens_details?.thinking_tokens).toBe(0);
  });

  it('grows with effort', async () => {
    const client = sdkClient(await emulate());
    const thought = async (effort: 'low' | 'medium' | 'high' | 'xhigh' | 'max') => {
      const { usage } = await client.messages.create({
        ...{ model, ...basis, output_config: { effort } },
      });
      return usage.output_tokens_details?.thinking_tokens ?? 0;
    };

    const amounts = [
      await thought('low'),
      await thought('medium'),
      await thought('high'),
      await thought('xhigh'),
      await thought('max'),
    ];

    expect(amounts).toEqual(amounts.toSorted((a, b) => a - b));
    expect(new Set(amounts).size).toBe(5);
    const byDefault = await client.messages.create({ model, ...basis });
    expect(byDefault.usage.output_tokens_details?.thinking_tokens).toBe(amounts[1]);
  });

  it('counts in max_tokens: too little room gives no text at all', async () => {
    const client = sdkClient(await emulate());
    const { id } = await client.files.upload({ file: await textUpload('The lease ends in May.') });

    const message = await client.messages.create({
      model,
      max_tokens: 20,
      messages: [askAbout([id])],
    });

    expect(message.stop_reason).toBe('max_tokens');
    expect(messageText(message)).toBe('');
    expect(message.usage.output_tokens).toBe(20);
    expect(message.usage.output_tokens_details?.thinking_tokens).toBe(20);
  });

  it('streams as it is without streaming', async () => {
    const client = sdkClient(await emulate());

    const whole = await client.messages.create({ model, ...basis });
    const streamed = await client.messages.stream({ model, ...basis }).finalMessage();

    expect(streamed.content).toEqual(whole.content);
  });

  it('has a budget on Haiku 4.5, which does not think unless asked', async () => {
    const client = sdkClient(await emulate());
    const old = 'claude-haiku-4-5';

    const plain = await client.messages.create({ model: old, ...basis });
    const asked = await client.messages.create({
      ...{ model: old, ...basis, thinking: { type: 'enabled', budget_tokens: 1_024 } },
    });

    expect(plain.usage.output_tokens_details?.thinking_tokens).toBe(0);
    expect(asked.usage.output_tokens_details?.thinking_tokens).toBeGreaterThan(0);
    await expect(
      client.messages.create({
        ...{ model: old, ...basis, max_tokens: 1_024 },
        thinking: { type: 'enabled', budget_tokens: 1_024 },
      }),
    ).rejects.toThrow('max_tokens: must be greater than thinking.budget_tokens');
  });
});

/** Sampling parameters are gone from the official types. */
type Body = Partial<Anthropic.MessageCreateParamsNonStreaming> & { temperature?: number };
const tool = { name: 'note', input_schema: { type: 'object' as const } };

describe('the rules of each model', () => {
  test.each<[string, Body, string]>([
    ['claude-opus-5-5', { thinking: { type: 'disabled' } }, '"thinking.type.disabled" is not'],
    ['claude-fable-5-2', { thinking: { type: 'disabled' } }, '"thinking.type.disabled" is not'],
    ['claude-sonnet-5-5', { thinking: { type: 'disabled' } }, '"thinking.type.disabled" is not'],
    [
      'claude-haiku-5-5',
      { thinking: { type: 'enabled', budget_tokens: 2_000 } },
      '"thinking.type.enabled" is not',
    ],
    [
      'claude-haiku-5-5',
      { thinking: { type: 'disabled' }, output_config: { effort: 'max' } },
      'is not supported with effort "max"',
    ],
    ['claude-haiku-5-5', { temperature: 0 }, 'temperature: is not supported'],
    ['claude-haiku-4-5', { output_config: { effort: 'low' } }, 'does not support the effort'],
    ['claude-opus-4-5', { output_config: { effort: 'xhigh' } }, 'Input should be "low"'],
    ['claude-opus-4-6', { output_config: { effort: 'xhigh' } }, 'Input should be "low"'],
    ['claude-opus-5-5', { tools: [tool], tool_choice: { type: 'any' } }, 'tool_choice:'],
    [
      'claude-sonnet-5-5',
      { tools: [tool], tool_choice: { type: 'tool', name: 'note' } },
      'tool_choice:',
    ],
  ])('%s refuses %j', async (name, changes, reason) => {
    const client = sdkClient(await emulate());
    // The official client sends the version under which no model takes sampling parameters.
    const headers = { 'anthropic-version': '2023-06-01' };

    const call = client.messages.create({ model: name, ...basis, ...changes }, { headers });

    await expect(call).rejects.toMatchObject({
      status: 400,
      error: { error: { message: expect.stringContaining(reason) } },
    });
  });

  test.each<[string, Body]>([
    ['claude-sonnet-5-5', { thinking: { type: 'between_tools' } }],
    ['claude-haiku-5-5', { thinking: { type: 'disabled' }, output_config: { effort: 'high' } }],
    ['claude-sonnet-4-6', { temperature: 0 }],
    ['claude-haiku-5-5', { tools: [tool], tool_choice: { type: 'any' } }],
    ['claude-opus-4-7', { output_config: { effort: 'xhigh' } }],
  ])('%s takes %j', async (name, changes) => {
    const client = sdkClient(await emulate());
    const headers = { 'anthropic-version': '2023-06-01' };

    const message = await client.messages.create(
      { model: name, ...basis, ...changes },
      { headers },
    );

    expect(message.stop_reason).not.toBe('refusal');
  });

  test.each(models.map(({ id }) => id))('%s takes its lowest and its default', async (id) => {
    const client = sdkClient(await emulate());
    const { efforts, thinking } = models.find((known) => known.id === id) ?? expect.fail(id);
    const [effort] = efforts;
    const off = thinking.off && ({ type: thinking.off } as Anthropic.ThinkingConfigParam);

    await client.messages.create({ model: id, ...basis });
    const { usage } = await client.messages.create({
      ...{ model: id, ...basis },
      ...(effort ? { output_config: { effort } } : {}),
      ...(off ? { thinking: off } : {}),
    });

    expect((usage.output_tokens_details?.thinking_tokens ?? 0) > 0).toBe(off === undefined);
  });
});

describe('a refusal', () => {
  test.each(['cyber', undefined] as const)('tells its category %s', async (category) => {
    const emulator = await emulate();
    emulator.addFault({ kind: 'refusal', category });

    const message = await sdkClient(emulator).messages.create({ model, ...basis });

    expect(message).toMatchObject({ stop_reason: 'refusal', content: [] });
    expect(message.stop_details).toMatchObject({ type: 'refusal', category: category ?? null });
  });
});
