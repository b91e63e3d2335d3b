import { toFile } from '@anthropic-ai/sdk';
import { transformJSONSchema } from '@anthropic-ai/sdk/lib/transform-json-schema';
import { describe, expect, it } from 'vitest';
import { defaultProfile } from '../../shared/config/config.ts';
import { readFields } from '../../shared/fields/reply.ts';
import { fieldsRequest } from '../../shared/fields/request.ts';
import { replySchema, schemaFaults } from '../../shared/fields/schema.ts';
import { emulate, makePng, messageText, model, sdkClient, textUpload } from './support.ts';

/* What Dropline sends for fields, by the official client; and what the stand-in answers. */

const lease = `# Lease for the mill 🏠

The tenant pays 1,200 euros a month, and water is included
in the rent. The lease ends on 31 May 2031 unless it is renewed.
`;
const schema = {
  type: 'object',
  properties: {
    rent: { $ref: '#/$defs/money' },
    notes: { type: 'array', items: { type: 'string' } },
    renewed: { type: ['boolean', 'null'] },
  },
  required: ['rent'],
  $defs: { money: { type: 'number', description: 'An amount' } },
};
const profile = { ...defaultProfile(model), schema };

/** The answer to the request for fields about a text. */
async function ask(block: 'document' | 'image' = 'document', fault?: object) {
  const emulator = await emulate();
  if (fault) emulator.addFault(fault as Parameters<typeof emulator.addFault>[0]);
  const client = sdkClient(emulator);
  const file =
    block === 'document'
      ? await textUpload(lease, 'lease.txt')
      : await toFile(await makePng(64, 48), 'a.png', { type: 'image/png' });
  const { id } = await client.files.upload({ file });
  return client.messages.create(fieldsRequest({ fileId: id, block, key: 'lease.txt' }, profile));
}

describe('the official client asks for fields', () => {
  it('and gets values of the document with passages, letter for letter', async () => {
    const message = await ask();

    expect(message.stop_reason).toBe('end_turn');
    const read = readFields(messageText(message), schema);
    if ('invalid' in read) throw new Error(read.invalid);
    expect(read.data).toMatchObject({ rent: 1200, renewed: true });
    expect(read.evidence.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['/rent', '/notes/0', '/renewed']),
    );
    for (const { quote } of read.evidence) expect(lease).toContain(quote);
  });

  it('of an image, and gets what follows the schema', async () => {
    const read = readFields(messageText(await ask('image')), schema);

    expect(read).toMatchObject({ data: { rent: expect.any(Number) } });
  });

  it('and gets an answer that does not follow the schema, on request', async () => {
    const message = await ask('document', { kind: 'invalid_output' });

    expect(readFields(messageText(message), schema)).toEqual({
      invalid: expect.stringContaining("must have required property 'data'"),
    });
  });

  it('and gets one quote that nobody wrote, on request', async () => {
    const read = readFields(
      messageText(await ask('document', { kind: 'ungrounded_quote' })),
      schema,
    );
    if ('invalid' in read) throw new Error(read.invalid);

    expect(read.evidence.map(({ quote }) => lease.includes(quote))).toEqual([
      false,
      ...read.evidence.slice(1).map(() => true),
    ]);
  });

  it('never together with citations, which the API refuses', async () => {
    const client = sdkClient(await emulate());
    const { id } = await client.files.upload({ file: await textUpload(lease) });
    const request = fieldsRequest({ fileId: id, block: 'document', key: '' }, profile);
    const source = { type: 'file', file_id: id } as const;
    const document = { type: 'document', source, citations: { enabled: true } } as const;

    await expect(
      client.messages.create({ ...request, messages: [{ role: 'user', content: [document] }] }),
    ).rejects.toThrow(/citations/i);
  });
});

it('the official client would send the schema as it is: nothing in it is unsupported', () => {
  expect(schemaFaults(schema)).toEqual([]);
  expect(transformJSONSchema(replySchema(schema))).toEqual(replySchema(schema));
});
