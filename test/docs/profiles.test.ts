import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { asksOf } from '../../shared/config/asks.ts';
import { readConfig } from '../../shared/config/config.ts';
import { profileSchema } from '../../shared/config/schema.ts';
import { grounded } from '../../shared/fields/ground.ts';
import type { DocumentRecord } from '../../shared/journey/record.ts';
import { mailWith } from '../world/mail.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { partOf, World } from '../world/world.ts';

const page = readFileSync(new URL('../../docs/profiles.md', import.meta.url), 'utf8');

/** The configurations on the page, by the name in the comment before each. */
const examples = Object.fromEntries(
  [...page.matchAll(/<!-- example: (\w+) -->\n```json\n(.*?)```/gs)].map(([, name, json]) => [
    name ?? '',
    json ?? '',
  ]),
);
const example = (name: string): string => examples[name] ?? expect.fail(`no example ${name}`);

/** The schema that editors use, as they read it. */
const published = z.fromJSONSchema(
  JSON.parse(readFileSync(new URL('../../docs/config.schema.json', import.meta.url), 'utf8')),
);

let world: World;
afterEach(() => world?.close());

const begin = async (name: string) => {
  world = await World.create(memoryLedger(), { config: example(name) });
};

const words = 'The mill is let to Anna Berg for 1,200 euros a month. The lease ends in May 2031.';

/** Drops a file and works until all have ended. */
async function dropped(key: string, content: string | Uint8Array = words, profileAsked?: string) {
  world.deliver(world.drop(key, content, { profileAsked }));
  await world.drain();
  return (await world.record(key)) ?? expect.fail(`no record of ${key}`);
}

/** What the last calls asked Claude. */
const models = () => world.calls('messages.create').map(({ model }) => model);
const titles = () => world.calls('messages.create').map(({ titles: sent }) => sent);

describe('the page about profiles', () => {
  test('has a row for every field of a profile, and no other', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);

    expect(rows.toSorted()).toEqual(Object.keys(profileSchema.shape).toSorted());
  });

  test.each(Object.entries(examples))('has a valid example: %s', (_, json) => {
    expect(readConfig(json).profiles.length).toBeGreaterThan(0);
  });

  test.each(Object.entries(examples))('is checked by editors as here: %s', (_, json) => {
    expect(published.safeParse(JSON.parse(json)).success).toBe(true);
  });

  test.each([
    { profils: [] },
    { budget: { dailyUds: 5 } },
    { budget: { dailyUsd: -1 } },
    { profiles: [{ prefix: '', efort: 'low' }] },
    { profiles: [{ prefix: '', effort: 'lots' }] },
    { profiles: [{ prefix: '', mode: 'bulk' }] },
    { profiles: [{ prefix: '', schema: 'object' }] },
    { limits: { maxRow: 5 } },
  ])('has a schema for editors that refuses %j', (given) => {
    expect(published.safeParse(given).success).toBe(false);
  });

  test('shows what the check of a configuration says', () => {
    const lines = asksOf(readConfig(example('contracts')));

    expect(lines).toHaveLength(3);
    for (const line of lines.slice(1)) expect(page).toContain(`\n${line}\n`);
  });

  test('shows fields as a record has them', () => {
    const shown = /^```json\n(\{\n {2}"data".*?)```/ms.exec(page)?.[1] ?? '';
    const given = JSON.parse(shown) as NonNullable<DocumentRecord['fields']>;
    const text = 'The mill is let to Anna Berg for 1,200 euros a month.';
    const { data, evidence } = given;

    expect(grounded({ data, evidence }, { kind: 'text', text })).toEqual(evidence);
  });

  test('has five worked examples, one about prices and one about the budget', () => {
    expect(Object.keys(examples)).toEqual([
      'prices',
      'budget',
      'contracts',
      'invoices',
      'support',
      'datasets',
      'archive',
    ]);
  });
});

describe('the worked example', () => {
  test('contracts: another model for one prefix, the default for the others', async () => {
    await begin('contracts');

    const contract = await dropped('contracts/mill.txt');
    const other = await dropped('notes.txt');

    expect(contract).toMatchObject({ status: 'ready', profile: 'contracts' });
    expect(contract.summary?.citations.length).toBeGreaterThan(0);
    expect(contract.summary?.checked?.verified).toBe(contract.summary?.checked?.count);
    expect(contract.fields).toMatchObject({
      data: { monthly: 1200, parties: expect.arrayContaining([expect.any(String)]) },
      ungrounded: 0,
      unchecked: 0,
    });
    expect(contract.usage?.calls).toBe(2);
    expect(other.fields).toBeUndefined();
    expect(contract.usage?.thinkingTokens).toBeGreaterThan(other.usage?.thinkingTokens ?? 0);
    expect(other).toMatchObject({ status: 'ready', profile: 'default' });
    expect(contract.profileHash).not.toBe(other.profileHash);
    expect(models()).toEqual(['claude-sonnet-5-5', 'claude-sonnet-5-5', 'claude-haiku-5-5']);
  });

  test('invoices: fields are all that is asked for, each with its place in the text', async () => {
    await begin('invoices');

    const { summary, fields, usage, fidelity, status } = await dropped('invoices/17.txt');

    expect(status).toBe('ready');
    expect(summary).toBeUndefined();
    expect(fields?.data).toMatchObject({ number: expect.any(String), total: 1200 });
    expect(fields?.evidence).toContainEqual({
      path: '/total',
      quote: 'The mill is let to Anna Berg for 1,200 euros a month.',
      grounded: true,
      match: 'exact',
      location: { type: 'char', start: 0, end: 53 },
    });
    expect(usage).toMatchObject({ thinkingTokens: 0, calls: 1 });
    expect(fidelity?.warnings).toEqual([]);
  });

  test('support: the name of each mail is sent, and its attachments have the profile too', async () => {
    await begin('support');
    const part = partOf('support/a.eml', 'figures.txt');

    const mail = await dropped('support/a.eml', mailWith('figures'));

    expect(mail).toMatchObject({ status: 'ready', profile: 'support' });
    expect(await world.record(part)).toMatchObject({ status: 'ready', profile: 'support' });
    expect(titles().flat().toSorted()).toEqual(['a.eml', 'figures.txt']);
  });

  test('datasets: a table is answered by code, with a chart that is stored', async () => {
    await begin('datasets');

    const table = await dropped('data/sales.csv', 'month,total\n2026-01,120\n2026-02,80\n');

    expect(table).toMatchObject({ status: 'ready', profile: 'data', block: 'container_upload' });
    expect(table.summary?.text).toContain('2 rows');
    expect(table.files?.map(({ mimeType }) => mimeType)).toContain('image/svg+xml');
    expect(await dropped('data/notes.txt')).toMatchObject({ status: 'ready', block: 'document' });
  });

  test('datasets: what is not converted is uploaded and not summarised', async () => {
    await begin('datasets');
    const binary = Buffer.from([0, 1, 2, 3, 255, 254, 0, 0, 1, 9, 8, 200]);

    expect(await dropped('raw/a.bin', binary)).toMatchObject({
      status: 'ready',
      profile: 'raw',
      block: 'container_upload',
    });
    expect(await dropped('a.bin', binary)).toMatchObject({
      status: 'skipped',
      error: { code: 'normalize.unsupported' },
    });
    expect(models()).toEqual([]);
  });

  test('archive: half the price, files expire, some are not asked about, and one asks to be read', async () => {
    await begin('archive');

    const cheap = await dropped('archive/c.txt');
    const kept = await dropped('archive/raw/a.txt');
    const read = await dropped('archive/b.txt', `${words} Dogs are allowed.`, 'read');

    const days = (Date.parse(kept.fileExpiresAt ?? '') - world.now()) / 86_400_000;
    const { inputTokens = 0, outputTokens = 0, costUsd } = cheap.usage ?? {};
    expect(cheap).toMatchObject({ status: 'ready', profile: 'archive' });
    expect(costUsd).toBeCloseTo((inputTokens * 0.1 + outputTokens * 0.5) / 2e6, 12);
    expect(kept).toMatchObject({ status: 'ready', profile: 'archive/raw' });
    expect(kept.summary).toBeUndefined();
    expect(Math.round(days)).toBe(90);
    expect(read).toMatchObject({ status: 'ready', profile: 'read' });
    expect(read.summary?.model).toBe('claude-opus-5-5');
    expect(models()).toEqual(['claude-opus-5-5']);
  });

  test('prices: what is paid is counted at the price of the file', async () => {
    await begin('prices');

    const { usage } = await dropped('a.txt');

    const { inputTokens = 0, outputTokens = 0 } = usage ?? {};
    expect(usage?.costUsd).toBeCloseTo((inputTokens * 1.8 + outputTokens * 9) / 1_000_000, 12);
    expect(usage?.thinkingTokens).toBe(0);
  });
});
