import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linePdf } from '../fixtures/pdfs.ts';
import { type Journey, startJourney } from './support.ts';

/* The deployed bundles with a configuration, on the local stack. */

const folder = mkdtempSync(join(tmpdir(), 'dropline-profiles-'));
const text = 'The mill is let to Anna Berg for 1,200 euros a month. The lease ends in May 2031.';
const schema = {
  type: 'object',
  properties: { rent: { type: 'number' }, notes: { type: 'array', items: { type: 'string' } } },
  required: ['rent'],
};
let journey: Journey;

beforeAll(async () => {
  const path = join(folder, 'dropline.config.json');
  const config = {
    profiles: [
      // The prices below are those of no model, and above the limit that holds where nothing is said.
      {
        prefix: 'contracts/',
        model: 'claude-sonnet-5-5',
        effort: 'high',
        maxUsdPerDocument: 100,
      },
      { prefix: 'raw/', mode: 'off', expiryDays: 30 },
      { prefix: 'fields/', schema },
      { prefix: 'archive/', mode: 'batch' },
      { prefix: 'data/', code: { prompt: 'Plot it.' } },
    ],
    prices: { 'claude-sonnet-5-5': { input: 1000, output: 1000 } },
  };
  writeFileSync(path, JSON.stringify(config));
  journey = await startJourney({ DROPLINE_CONFIG: path, DROPLINE_BATCH_SECONDS: '1' });
}, 180_000);
afterAll(async () => {
  await journey.close();
  rmSync(folder, { recursive: true });
});

test('a document has the profile of its prefix, and is paid for by the prices of the file', async () => {
  await journey.drop('contracts/mill.txt', text);
  await journey.drop('mill.txt', text);

  const contract = await journey.ended('contracts/mill.txt');
  const other = await journey.ended('mill.txt');

  expect(contract).toMatchObject({ status: 'ready', profile: 'contracts' });
  expect(contract.summary?.model).toBe('claude-sonnet-5-5');
  const { inputTokens = 0, outputTokens = 0, costUsd } = contract.usage ?? {};
  expect(costUsd).toBeCloseTo((inputTokens + outputTokens) / 1_000, 9);
  expect(other).toMatchObject({ status: 'ready', profile: 'default', fileId: contract.fileId });
  expect(other.summary?.model).toBe('claude-haiku-5-5');
});

test('a document has the profile that its metadata or its tag ask for', async () => {
  const metadata = { 'dropline-profile': 'raw' };
  await journey.drop('a.txt', `${text} A.`, { metadata });
  await journey.drop('raw/b.txt', `${text} B.`, { tagging: 'dropline-profile=contracts&x=y' });

  const a = await journey.ended('a.txt');
  const b = await journey.ended('raw/b.txt');

  expect(a).toMatchObject({ status: 'ready', profile: 'raw' });
  expect(a.summary).toBeUndefined();
  expect(Date.parse(a.fileExpiresAt ?? '') - Date.now()).toBeGreaterThan(29 * 86_400_000);
  expect(b).toMatchObject({ status: 'ready', profile: 'contracts' });
  expect(b.summary?.model).toBe('claude-sonnet-5-5');
});

test('a document that asks for an unknown profile fails, with advice', async () => {
  await journey.drop('c.txt', text, { tagging: 'dropline-profile=none' });

  const { status, error } = await journey.ended('c.txt');

  expect(status).toBe('failed');
  expect(error?.code).toBe('profile.unknown');
  expect(error?.advice).toContain('dropline.config.json');
});

test('a dataset has the files that Claude made, in the results bucket', async () => {
  await journey.drop('data/sales.csv', 'month,total\n2026-01,120\n2026-02,80\n');

  const { status, error, files = [], summary } = await journey.ended('data/sales.csv');

  expect(status, error?.message).toBe('ready');
  expect(summary?.text).toContain('2 rows and 2 columns');
  expect(files.map(({ mimeType }) => mimeType)).toEqual(['application/json', 'image/svg+xml']);
  for (const { location, sizeBytes } of files) {
    const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(location) ?? [];
    const object = await journey.s3.send(new GetObjectCommand({ Bucket, Key }));
    expect((await object.Body?.transformToByteArray())?.length).toBe(sizeBytes);
  }
  expect(journey.emulator.files().filter(({ downloadable }) => downloadable)).toEqual([]);
});

test('a text and a PDF have fields with quotes that stand in them', async () => {
  const words = `${text} Dogs are allowed.`;
  await journey.drop('fields/mill.txt', words);
  await journey.drop('fields/mill.pdf', await linePdf(words));

  for (const [key, type] of [
    ['fields/mill.txt', 'char'],
    ['fields/mill.pdf', 'page'],
  ] as const) {
    const { status, error, summary, fields, usage } = await journey.ended(key);
    expect(status, error?.message).toBe('ready');
    expect(summary?.text).toContain('Anna Berg');
    expect(fields).toMatchObject({ data: { rent: 1200 }, ungrounded: 0, unchecked: 0 });
    expect(fields?.evidence.map(({ location }) => location?.type)).toContain(type);
    expect(usage?.calls).toBe(2);
  }
});

test('documents of a profile with the mode "batch" are asked about in one batch, at half the price', async () => {
  const keys = ['archive/a.txt', 'archive/b.txt'];
  for (const key of keys) await journey.drop(key, `${text} It is ${key}.`);

  for (const key of keys) {
    const { status, usage, waiting } = await journey.ended(key);
    expect({ status, waiting }).toEqual({ status: 'ready', waiting: undefined });
    const { inputTokens = 0, outputTokens = 0, costUsd } = usage ?? {};
    expect(costUsd).toBeCloseTo((inputTokens * 0.1 + outputTokens * 0.5) / 2e6, 12);
  }
  const answered = journey.emulator.journal({ operation: 'batch.request' });
  expect(answered.map(({ status }) => status)).toEqual([200, 200]);
});
