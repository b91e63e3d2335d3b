import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import {
  askAbout,
  emulate,
  filesBeta,
  model,
  plainHeaders,
  raw,
  sdkClient,
  textUpload,
} from './support.ts';

const betas = [filesBeta];

describe('the official client against the beta dialect', () => {
  it('uploads, reads and deletes with the beta header', async () => {
    const client = sdkClient(await emulate({ dialect: 'beta' }));

    const file = await client.beta.files.upload({ file: await textUpload('x', 'ä.txt'), betas });

    expect(file).toMatchObject({ filename: 'ä.txt', downloadable: false });
    expect(file).not.toHaveProperty('expires_at');
    expect(await client.beta.files.retrieveMetadata(file.id, { betas })).toEqual(file);
    expect(await client.beta.files.delete(file.id, { betas })).toMatchObject({ id: file.id });
  });

  it('rejects file operations without the header', async () => {
    const client = sdkClient(await emulate({ dialect: 'beta' }));

    await expect(client.files.list()).rejects.toThrow(Anthropic.BadRequestError);
    await expect(client.files.retrieveMetadata('file_1')).rejects.toThrow(
      Anthropic.BadRequestError,
    );
  });

  it('rejects messages that use a file without the header', async () => {
    const client = sdkClient(await emulate({ dialect: 'beta' }));
    const { id } = await client.beta.files.upload({
      file: await textUpload('The rent is due monthly.'),
      betas,
    });
    const body = { model, max_tokens: 500, messages: [askAbout([id])] };

    await expect(client.messages.create(body)).rejects.toThrow(Anthropic.BadRequestError);
    const message = await client.beta.messages.create({ ...body, betas });

    expect(message.stop_reason).toBe('end_turn');
  });

  it('pages by ids with has_more, first_id and last_id', async () => {
    const emulator = await emulate({ dialect: 'beta' });
    const client = sdkClient(emulator);
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.unshift((await client.beta.files.upload({ file: await textUpload(`${i}`), betas })).id);
    }
    const headers = { ...plainHeaders, 'anthropic-beta': filesBeta };
    const page = async (query: string) =>
      (await raw<BetaPage>(emulator, 'GET', `/v1/files?${query}`, { headers })).body;
    const idsOf = (body: BetaPage) => body.data.map((file) => file.id);

    const first = await page('limit=2');
    const second = await page(`limit=2&after_id=${first.last_id}`);
    const third = await page(`limit=2&after_id=${second.last_id}`);
    const back = await page(`limit=2&before_id=${third.first_id}`);

    expect(first).toMatchObject({ has_more: true, first_id: ids[0], last_id: ids[1] });
    expect(idsOf(second)).toEqual(ids.slice(2, 4));
    expect(third).toMatchObject({ has_more: false, first_id: ids[4], last_id: ids[4] });
    expect(idsOf(back)).toEqual(ids.slice(2, 4));
    expect(back.has_more).toBe(true);
  });

  it('rejects the parameters of the other dialect', async () => {
    const emulator = await emulate({ dialect: 'beta' });
    const headers = { ...plainHeaders, 'anthropic-beta': filesBeta };

    const page = await raw(emulator, 'GET', '/v1/files?page=x', { headers });
    const ids = await raw(emulator, 'GET', '/v1/files?ids[]=x', { headers });

    expect([page.status, ids.status]).toEqual([400, 400]);
  });

  it('rejects expires_in_seconds', async () => {
    const client = sdkClient(await emulate({ dialect: 'beta' }));

    const upload = client.post('/v1/files', {
      headers: { 'anthropic-beta': filesBeta },
      body: await formOf({ expires_in_seconds: '3600' }),
    });

    await expect(upload).rejects.toThrow(/expires_in_seconds/);
  });

  it('answers full storage with 403', async () => {
    const client = sdkClient(await emulate({ dialect: 'beta', storageBytes: 10 }));

    const upload = client.beta.files.upload({ file: await textUpload('eleven byte'), betas });

    await expect(upload).rejects.toThrow(Anthropic.PermissionDeniedError);
  });
});

describe('the beta header against the ga dialect', () => {
  it('selects the shapes of the beta', async () => {
    const client = sdkClient(await emulate());
    await client.files.upload({ file: await textUpload('x') });

    const page = await client.beta.files.list({ betas });
    const plain = await client.beta.files.list();

    expect(page.data[0]).not.toHaveProperty('expires_at');
    expect(plain.data[0]).toHaveProperty('expires_at', null);
  });
});

interface BetaPage {
  data: { id: string }[];
  has_more: boolean;
  first_id: string | null;
  last_id: string | null;
}

async function formOf(fields: Record<string, string>): Promise<FormData> {
  const form = new FormData();
  form.append('file', await textUpload('x'));
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}
