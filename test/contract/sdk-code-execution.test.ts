import type Anthropic from '@anthropic-ai/sdk';
import { toFile } from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { emulate, messageText, model, sdkClient, textUpload } from './support.ts';

describe('the official client with the code execution tool', () => {
  it('profiles a dataset in the container and creates a downloadable file', async () => {
    const client = sdkClient(await emulate());
    const csv = await toFile(Buffer.from('name,age\nAda,36\nBob,41\n'), 'people.csv', {
      type: 'text/csv',
    });
    const { id } = await client.files.upload({ file: csv });

    const message = await client.messages.create({
      model,
      max_tokens: 500,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'container_upload', file_id: id },
            { type: 'text', text: 'Describe the data.' },
          ],
        },
      ],
      tools: [{ type: 'code_execution_20250825', name: 'code_execution' }],
    });

    const made = message.content.flatMap((block) =>
      block.type === 'bash_code_execution_tool_result' && 'content' in block.content
        ? block.content.content.map((output) => output.file_id)
        : [],
    );
    const profile = await (await client.files.download(made[0] ?? '')).json();
    expect(profile).toMatchObject({
      rows: 2,
      columns: [
        { name: 'name', filled: 2 },
        { name: 'age', filled: 2, min: 36, max: 41 },
      ],
    });
    expect(message.container?.id).toMatch(/^container_/);
    expect(messageText(message)).toContain('people.csv has 2 rows and 2 columns: name, age');
  });

  const asks = async (client: Anthropic) => {
    const csv = await toFile(Buffer.from('month,total\n1,120\n'), 'sales.csv', {
      type: 'text/csv',
    });
    const { id } = await client.files.upload({ file: csv });
    const question: Anthropic.MessageCreateParamsNonStreaming = {
      model,
      max_tokens: 500,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'container_upload', file_id: id },
            { type: 'text', text: 'Plot it.' },
          ],
        },
      ],
      tools: [{ type: 'code_execution_20250825', name: 'code_execution' }],
    };
    return { id, question };
  };

  it('continues a paused turn in its container', async () => {
    const emulator = await emulate();
    const client = sdkClient(emulator);
    const { question } = await asks(client);
    emulator.addFault({ kind: 'pause_turn', operation: 'messages.create' });

    const paused = await client.messages.create(question);
    const next = await client.messages.create({
      ...question,
      container: paused.container?.id ?? null,
      messages: [...question.messages, { role: 'assistant', content: paused.content }],
    });

    expect(paused.stop_reason).toBe('pause_turn');
    expect(next.stop_reason).toBe('end_turn');
    expect(next.container?.id).toBe(paused.container?.id);
    expect(messageText(next)).toContain('sales.csv has 1 rows');
  });

  it('loads skills, and says which versions they have', async () => {
    const client = sdkClient(await emulate());
    const { question } = await asks(client);
    const skills = [
      { type: 'anthropic' as const, skill_id: 'xlsx', version: 'latest' },
      { type: 'custom' as const, skill_id: 'skill_01', version: '1759178010641129' },
    ];

    const { container } = await client.messages.create({ ...question, container: { skills } });

    expect(container?.skills).toEqual([
      { type: 'anthropic', skill_id: 'xlsx', version: expect.stringMatching(/^\d+$/) },
      { type: 'custom', skill_id: 'skill_01', version: '1759178010641129' },
    ]);
    const unknown = { skills: [{ type: 'anthropic' as const, skill_id: 'nothing' }] };
    await expect(client.messages.create({ ...question, container: unknown })).rejects.toThrow(
      /Skill not found: nothing/,
    );
  });

  it('refuses a container that does not exist or has expired', async () => {
    let now = Date.parse('2026-11-22T12:00:00Z');
    const client = sdkClient(await emulate({ now: () => now }));
    const { question } = await asks(client);
    const { container } = await client.messages.create(question);
    now += 31 * 86_400_000;

    for (const id of ['container_none', container?.id ?? '']) {
      await expect(client.messages.create({ ...question, container: id })).rejects.toThrow(
        /container.*(not found|expired)/i,
      );
    }
  });

  it('refuses to download what was uploaded', async () => {
    const client = sdkClient(await emulate());
    const { id } = await asks(client);

    await expect(client.files.download(id)).rejects.toMatchObject({
      status: 400,
      error: { error: { details: { error_code: 'file_not_downloadable' } } },
    });
  });

  it('ignores a container upload without a container', async () => {
    const client = sdkClient(await emulate());
    const { id } = await client.files.upload({ file: await textUpload('a,b\n1,2\n') });

    const message = await client.messages.create({
      model,
      max_tokens: 500,
      thinking: { type: 'disabled' },
      messages: [
        {
          role: 'user',
          content: [
            { type: 'container_upload', file_id: id },
            { type: 'text', text: 'Describe the data in this file.' },
          ],
        },
      ],
    });

    expect(message.content.map((block) => block.type)).toEqual(['text']);
    expect(message.container).toBeNull();
  });
});
