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
