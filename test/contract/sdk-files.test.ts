import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic, { toFile } from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { emulate, makeClock, sdkClient, textUpload } from './support.ts';

const { BadRequestError, NotFoundError } = Anthropic;

describe('the official client against the emulated Files API', () => {
  it('uploads a buffer with its type and returns the metadata', async () => {
    const clock = makeClock();
    const emulator = await emulate({ now: clock.now });
    const client = sdkClient(emulator);

    const file = await client.files.upload({
      file: await toFile(Buffer.from('hello'), 'a.txt', { type: 'text/plain' }),
    });

    expect(file).toEqual({
      id: expect.stringMatching(/^file_01[1-9A-Za-z]{22}$/),
      type: 'file',
      filename: 'a.txt',
      mime_type: 'text/plain',
      size_bytes: 5,
      created_at: '2026-11-22T12:00:00.000Z',
      downloadable: false,
      expires_at: null,
    });
    expect(emulator.files()[0]?.sha256).toBe(
      '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    );
  });

  it('uploads a file stream under its own name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dropline-test-'));
    await writeFile(join(folder, 'report.pdf'), Buffer.alloc(3_000_000, 7));
    const client = sdkClient(await emulate());

    const file = await client.files.upload({ file: createReadStream(join(folder, 'report.pdf')) });

    expect(file).toMatchObject({
      filename: 'report.pdf',
      mime_type: 'application/octet-stream',
      size_bytes: 3_000_000,
    });
    await rm(folder, { recursive: true });
  });

  it('keeps non-ASCII names unchanged', async () => {
    const client = sdkClient(await emulate());
    const name = 'Übersicht – 報告書 🏠 %22 &.txt';

    const file = await client.files.upload({ file: await textUpload('x', name) });

    expect(file.filename).toBe(name);
    expect(await client.files.retrieveMetadata(file.id)).toEqual(file);
  });

  it('sets the requested expiry', async () => {
    const clock = makeClock();
    const client = sdkClient(await emulate({ now: clock.now }));

    const file = await client.files.upload({
      file: await textUpload('x'),
      expires_in_seconds: 7_776_000,
    });

    expect(file.expires_at).toBe('2027-02-20T12:00:00.000Z');
  });

  it('rejects an expiry outside the range', async () => {
    const client = sdkClient(await emulate());

    const upload = client.files.upload({ file: await textUpload('x'), expires_in_seconds: 3_599 });

    await expect(upload).rejects.toThrow(BadRequestError);
  });

  it('lists all files newest first over several pages', async () => {
    const client = sdkClient(await emulate());
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) {
      ids.push((await client.files.upload({ file: await textUpload(`${i}`) })).id);
    }

    const listed: string[] = [];
    for await (const file of client.files.list({ limit: 3 })) listed.push(file.id);
    const page = await client.files.list({ limit: 7 });

    expect(listed).toEqual(ids.toReversed());
    expect(page.next_page).toBeNull();
  });

  it('skips no file when the last one of a page is deleted before the next page', async () => {
    const client = sdkClient(await emulate());
    for (let i = 0; i < 6; i++) await client.files.upload({ file: await textUpload(`${i}`) });

    const seen: string[] = [];
    for await (const file of client.files.list({ limit: 2 })) {
      seen.push(file.id);
      await client.files.delete(file.id);
    }

    expect(seen).toHaveLength(6);
    expect((await client.files.list()).data).toEqual([]);
  });

  it('finds files by ids and omits unknown ones', async () => {
    const client = sdkClient(await emulate());
    const a = await client.files.upload({ file: await textUpload('a') });
    const b = await client.files.upload({ file: await textUpload('b') });
    await client.files.upload({ file: await textUpload('c') });

    const page = await client.files.list({ ids: [a.id, 'file_unknown', b.id, a.id] });

    expect(page.data.map((file) => file.id)).toEqual([b.id, a.id]);
    expect(page.next_page).toBeNull();
  });

  it('accepts at most a hundred ids, without paging', async () => {
    const client = sdkClient(await emulate());
    const ids = Array.from({ length: 101 }, (_, index) => `file_${index}`);

    await expect(client.files.list({ ids })).rejects.toThrow(BadRequestError);
    await expect(client.files.list({ ids: ['file_1'], limit: 5 })).rejects.toThrow(BadRequestError);
    expect((await client.files.list({ ids: ids.slice(1) })).data).toEqual([]);
  });

  it('deletes a file, and then answers 404', async () => {
    const client = sdkClient(await emulate());
    const { id } = await client.files.upload({ file: await textUpload('x') });

    expect(await client.files.delete(id)).toEqual({ id, type: 'file_deleted' });

    await expect(client.files.delete(id)).rejects.toThrow(NotFoundError);
    await expect(client.files.retrieveMetadata(id)).rejects.toThrow(NotFoundError);
  });

  it('shows a deleted file for as long as deletion is configured to lag', async () => {
    const clock = makeClock();
    const emulator = await emulate({ now: clock.now, deleteLagMs: 5_000 });
    const client = sdkClient(emulator);
    const { id } = await client.files.upload({ file: await textUpload('x') });

    await client.files.delete(id);
    const during = await client.files.list();
    clock.advance(5_000);
    const after = await client.files.list();

    expect(during.data.map((file) => file.id)).toEqual([id]);
    expect(after.data).toEqual([]);
  });

  it('rejects the download of an uploaded file', async () => {
    const client = sdkClient(await emulate());
    const { id } = await client.files.upload({ file: await textUpload('x') });

    const download = client.files.download(id);

    await expect(download).rejects.toThrow(Anthropic.Files.FileNotDownloadableError);
  });

  it('downloads the content of a file that a tool made', async () => {
    const emulator = await emulate();
    const made = await emulator.addFile({ filename: 'out.csv', content: 'a,b\n1,2\n' });

    const response = await sdkClient(emulator).files.download(made.id);

    expect(await response.text()).toBe('a,b\n1,2\n');
  });

  it('still lists an expired file but rejects its download', async () => {
    const clock = makeClock();
    const emulator = await emulate({ now: clock.now });
    const client = sdkClient(emulator);
    const uploaded = await client.files.upload({
      file: await textUpload('x'),
      expires_in_seconds: 3_600,
    });
    const made = await emulator.addFile({ filename: 'out.txt', content: 'x' });
    await emulator.expireFile(made.id);

    clock.advance(3_600_000);

    expect(await client.files.retrieveMetadata(uploaded.id)).toMatchObject({ id: uploaded.id });
    await expect(client.files.download(made.id)).rejects.toThrow(Anthropic.Files.FileExpiredError);
    clock.advance(30 * 24 * 3_600_000);
    expect((await client.files.list()).data).toEqual([]);
  });

  it('gives every reply a request id, including errors', async () => {
    const emulator = await emulate();
    const client = sdkClient(emulator);

    const file = await client.files.upload({ file: await textUpload('x') });
    const error = await client.files.retrieveMetadata('file_none').catch((caught) => caught);

    expect(file._request_id).toMatch(/^req_01/);
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error.requestID).toBe(error.error.request_id);
    const ids = emulator.journal().map((entry) => entry.requestId);
    expect(ids).toEqual([file._request_id, error.requestID]);
  });
});
