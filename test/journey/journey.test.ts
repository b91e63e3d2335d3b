import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { strToU8, zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentIdOf } from '../../shared/journey/ids.ts';
import { partKey } from '../../shared/steps/part-keys.ts';
import { illustratedReport } from '../fixtures/documents.ts';
import { type Journey, startJourney } from './support.ts';

let journey: Journey;

beforeAll(async () => {
  journey = await startJourney();
}, 180_000);
afterAll(() => journey.close());

const samples = new URL('../../infra/local/samples/', import.meta.url);

describe('a sample of each kind', () => {
  test.each(readdirSync(samples))('%s becomes a file and a summary', async (name) => {
    await journey.drop(`samples/${name}`, readFileSync(new URL(name, samples)));

    const record = await journey.ended(`samples/${name}`);

    expect(record.status).toBe('ready');
    expect(journey.emulator.files().map((file) => file.id)).toContain(record.fileId);
    expect(record.summary?.text).toContain('emulator');
    expect(record.usage?.costUsd).toBeGreaterThan(0);
    expect(record.fidelity?.warnings).toEqual([]);
    if (record.block === 'document') expect(record.summary?.citations).not.toEqual([]);
  });
});

test('a docx with pictures is printed to PDF with its pictures', async () => {
  await journey.drop('report.docx', await illustratedReport());

  const record = await journey.ended('report.docx');

  expect(record.status).toBe('ready');
  expect(record.mimeType).toBe('application/pdf');
  expect(record.fidelity?.imagesFound).toBeGreaterThan(0);
  expect(record.fidelity?.imagesKept).toBe(record.fidelity?.imagesFound);
  expect(record.summary?.citations[0]?.location.type).toBe('page');
  expect(record.attempts).toEqual({ normalize: 1, render: 1, upload: 1, summarize: 1 });
});

describe('bad input', () => {
  const text = 'A plain text with two sentences. This is the second one.';

  test.each([
    ['bad/empty.md', Buffer.alloc(0), 'normalize.empty'],
    ['bad/empty.csv', Buffer.alloc(0), 'normalize.empty'],
    ['bad/random.docx', randomBytes(2_000), 'normalize.corrupt'],
  ])(
    '%s ends failed with its code, and other documents are not affected',
    async (key, body, code) => {
      await journey.drop(key, body);
      await journey.drop(`${key}.neighbour.txt`, text);

      const record = await journey.ended(key);

      expect(record.status).toBe('failed');
      expect(record.error?.code).toBe(code);
      expect(record.error?.advice).not.toBe('');
      expect((await journey.ended(`${key}.neighbour.txt`)).status).toBe('ready');
    },
  );

  test.each([
    ['forbidden characters', 'names/a<b>c:d"e|f?g*h\\i.txt'],
    ['300 characters', `names/${'n'.repeat(296)}.txt`],
    ['spaces, plus, percent and emoji', 'names/a b+c%20d 100% 🎉 ü.txt'],
    ['a name that is only an extension', 'names/.txt'],
  ])('a key with %s becomes a document', async (_what, key) => {
    await journey.drop(key, `${text} ${key.length}`);

    const record = await journey.ended(key);

    expect(record.status).toBe('ready');
    expect(record.key).toBe(key);
  });

  test('a type that Dropline does not convert is skipped with advice', async () => {
    const program = Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46]), randomBytes(500)]);
    await journey.drop('bad/program.bin', program);

    const record = await journey.ended('bad/program.bin');

    expect(record.status).toBe('skipped');
    expect(record.error?.code).toBe('normalize.unsupported');
    expect(record.error?.advice).not.toBe('');
  });
});

test('a removed object ends removed and its remote file is deleted', async () => {
  await journey.drop('gone.txt', 'A text that no other file has. It will be removed soon.');
  const { fileId } = await journey.ended('gone.txt');

  await journey.s3.send(new DeleteObjectCommand({ Bucket: journey.inbox, Key: 'gone.txt' }));
  await expect
    .poll(async () => (await journey.reader.get(journey.inbox, 'gone.txt'))?.status, {
      timeout: 20_000,
    })
    .toBe('removed');

  await expect
    .poll(() => journey.emulator.files().some((file) => file.id === fileId), { timeout: 20_000 })
    .toBe(false);
});

test('the reconciler, run by hand, finds nothing to repair and writes a report', async () => {
  const result = await journey.stack.invoke('reconcile', {});

  expect(result).toMatchObject({ ok: true });
  const { Contents } = await journey.s3.send(
    new ListObjectsV2Command({ Bucket: journey.stack.outputs.ResultsBucket, Prefix: 'reconcile/' }),
  );
  expect(Contents).toHaveLength(1);
});

describe('the reconciler, run by hand,', () => {
  test('reports what it would do', async () => {
    const answer = await journey.stack.invoke('reconcile', { dryRun: true });

    expect(answer).toMatchObject({ ok: true });
    if (answer.ok) expect(JSON.parse(answer.payload)).toMatchObject({ dryRun: true, counts: {} });
  });

  test.each([
    ['a misspelt option', { dryrun: true }, /dryrun/],
    ['a value of the wrong type', { retry: 'claude.server_error' }, /retry/],
  ])('does nothing for %s', async (_, event, message) => {
    const answer = await journey.stack.invoke('reconcile', event);

    expect(answer).toMatchObject({ ok: false });
    expect(JSON.stringify(answer)).toMatch(message);
  });
});

describe('files within files', () => {
  const part = (parent: string, name: string): string =>
    partKey({ documentId: documentIdOf(journey.inbox, parent), key: parent }, name);
  const inner = zipSync({ 'deep/note.txt': strToU8('A note two archives deep. It is short.') });
  const innermost = zipSync({ 'again.zip': zipSync({ 'x.zip': inner }) });

  test('each entry of an archive becomes a document that points to it', async () => {
    const archive = zipSync({
      'folder/a.txt': strToU8('The first of two entries. It has two sentences.'),
      'b.csv': strToU8('name,count\nalpha,1\nbeta,2\n'),
      'inner.zip': inner,
    });
    await journey.drop('archive.zip', archive);

    const parent = await journey.ended('archive.zip');
    const first = await journey.ended(part('archive.zip', 'folder/a.txt'));
    const deep = await journey.ended(part(part('archive.zip', 'inner.zip'), 'deep/note.txt'));

    expect(parent.status).toBe('skipped');
    expect(parent.error?.code).toBe('normalize.container');
    expect(first.status).toBe('ready');
    expect(first.parent).toBe(parent.documentId);
    expect((await journey.ended(part('archive.zip', 'b.csv'))).fidelity?.rowsKept).toBe(3);
    expect(deep.status).toBe('ready');
  });

  test('archives nested deeper than the limit are not opened', async () => {
    await journey.drop('deep.zip', innermost);

    const record = await journey.ended(part(part('deep.zip', 'again.zip'), 'x.zip'));

    expect(record.status).toBe('failed');
    expect(record.error?.code).toBe('normalize.nested_too_deep');
  });

  test('the attachment of a mail is removed with its mail', async () => {
    const mail = [
      'From: a@example.com',
      'To: b@example.com',
      'Subject: The figures',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=x',
      '',
      '--x',
      'Content-Type: text/plain',
      '',
      'Here are the figures. Please read them.',
      '--x',
      'Content-Type: text/csv; name=figures.csv',
      'Content-Disposition: attachment; filename=figures.csv',
      '',
      'month,sum',
      'May,3',
      '--x--',
    ].join('\r\n');
    await journey.drop('mail.eml', mail);
    const attachment = await journey.ended(part('mail.eml', 'figures.csv'));

    await journey.s3.send(new DeleteObjectCommand({ Bucket: journey.inbox, Key: 'mail.eml' }));

    expect((await journey.ended('mail.eml')).documentId).toBe(attachment.parent);
    expect(attachment.status).toBe('ready');
    await expect
      .poll(
        async () =>
          (await journey.reader.get(journey.inbox, part('mail.eml', 'figures.csv')))?.status,
        { timeout: 20_000 },
      )
      .toBe('removed');
  });
});
