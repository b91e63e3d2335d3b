import { afterEach, describe, expect, test } from 'vitest';
import { illustratedReport } from '../fixtures/documents.ts';
import { linePdf, scannedPdf, textPdf } from '../fixtures/pdfs.ts';
import { chartPng } from '../fixtures/pictures.ts';
import { results, staging } from '../world/world.ts';
import {
  begin,
  drop,
  first,
  pausedBefore,
  present,
  remove,
  summarizeOne,
  waitsForSummary,
  world,
} from './support.ts';

/* Where the quotes of fields stand in the document, by kind of document; and fields too long for a record. */

afterEach(() => world.close());

const schema = {
  type: 'object',
  properties: {
    staff: { type: 'integer' },
    facts: { type: 'array', items: { type: 'string' } },
  },
  required: ['staff'],
};
const configOf = (...profiles: object[]) => JSON.stringify({ profiles });
const both = configOf({ prefix: '', schema });
const alone = configOf({ prefix: '', schema, summary: false });

async function dropped(key: string, content: string | Uint8Array) {
  drop(key, content);
  await world.drain();
  return present(key);
}

const answersKept = async () =>
  (await world.items()).filter(({ sk }) => String(sk).startsWith('ANSWER#')).length;
const spilled = async () => (await world.buckets.list(results)).objects.map(({ key }) => key);

describe('a quote', () => {
  test('that does not stand in the document is told as such, and counted', async () => {
    await begin({ config: alone });
    world.emulator.addFault({ kind: 'ungrounded_quote' });

    const { status, fields } = await dropped('a.txt', first);

    expect(status).toBe('ready');
    expect(fields?.ungrounded).toBe(1);
    const [one, ...others] = fields?.evidence ?? [];
    expect(one).toEqual({
      path: '/staff',
      quote: expect.stringMatching(/^Nobody wrote this: /),
      grounded: false,
    });
    expect(others.every(({ grounded }) => grounded === true)).toBe(true);
  });

  test('has its place in the converted text of a file that is converted', async () => {
    await begin({ config: alone });

    const { source, fields } = await dropped('a.html', `<h1>Sales</h1><p>${first}</p>`);

    const text = await world.buckets.getText(source ?? { bucket: '', key: '' });
    expect(fields?.evidence.length).toBeGreaterThan(0);
    for (const { quote, location } of fields?.evidence ?? []) {
      expect(text?.slice(location?.start, location?.end)).toBe(quote);
    }
  });

  test('of a PDF has its page', async () => {
    await begin({ config: both });

    const { status, source, fields } = await dropped('a.pdf', await textPdf(3));

    expect(status).toBe('ready');
    expect(source?.bucket).not.toBe(staging);
    expect(fields?.ungrounded).toBe(0);
    const pages = fields?.evidence.map(({ quote, location }) => [
      /^Page (\d)/.exec(quote)?.[1],
      location,
    ]);
    for (const [number, location] of pages ?? []) {
      if (number === undefined) continue;
      const page = Number(number);
      expect(location).toEqual({ type: 'page', start: page, end: page + 1 });
    }
    expect(fields?.evidence.some(({ location }) => location?.type === 'page')).toBe(true);
  });

  test('of a docx that is printed has its page too', async () => {
    await begin({ config: alone });

    const { status, source, fields } = await dropped('a.docx', await illustratedReport());

    expect(status).toBe('ready');
    expect(source?.bucket).toBe(staging);
    expect(fields?.ungrounded).toBe(0);
    expect(fields?.evidence[0]?.location).toEqual({ type: 'page', start: 1, end: 2 });
  });

  test.each([
    ['a picture', 'a.png', chartPng],
    ['a scan', 'a.pdf', scannedPdf],
  ])('of %s cannot be checked', async (_, key, make) => {
    await begin({ config: both });

    const { status, fields } = await dropped(key, await make());

    expect(status).toBe('ready');
    expect(fields).toMatchObject({ ungrounded: 0, unchecked: fields?.evidence.length });
    expect(fields?.evidence.every(({ grounded }) => grounded === null)).toBe(true);
  });

  test('of a PDF that came before its profile had a schema cannot be checked', async () => {
    await begin();
    drop('a.pdf', await linePdf('The rent is 1,200 euros. It is due in May.'));
    await world.work({ only: ['intake'] });
    world.config = alone;
    await world.drain();

    const { status, fields } = await present('a.pdf');

    expect(status).toBe('ready');
    expect(fields?.unchecked).toBe(fields?.evidence.length);
  });

  test('of a text that was removed meanwhile cannot be checked, and the removal wins', async () => {
    await begin({ config: alone, versioned: false });
    await waitsForSummary();
    const asking = await pausedBefore('claude.createMessage', (gate) => summarizeOne({ gate }));
    const event = world.remove('a.txt');
    await asking.resume();
    expect(await present('a.txt')).toMatchObject({ status: 'ready', fields: { ungrounded: 0 } });

    world.deliver(event);
    await world.drain();

    expect(await present('a.txt')).toMatchObject({ status: 'removed' });
  });
});

describe('long fields', () => {
  const sentence = (n: number) =>
    `In the year ${n} the office number ${n} counted ${n * 7} visitors, ${'many '.repeat(30)}from abroad.`;
  const text = Array.from({ length: 60 }, (_, n) => sentence(n + 1)).join('\n\n');
  const many = Object.fromEntries(
    Array.from({ length: 60 }, (_, n) => [`fact${n}`, { type: 'string' }]),
  );
  const config = configOf({
    prefix: '',
    summary: false,
    maxTokens: 32_000,
    effort: 'none',
    schema: { type: 'object', properties: many },
  });

  test('are in the results bucket, with their address and what fits in the record', async () => {
    await begin({ config });

    const { status, fields } = await dropped('a.txt', text);

    expect(status).toBe('ready');
    expect(Buffer.byteLength(JSON.stringify(fields))).toBeLessThan(20_000);
    const key = fields?.location?.replace(`s3://${results}/`, '') ?? '';
    const whole = JSON.parse((await world.buckets.getText({ bucket: results, key })) ?? '') as {
      data: object;
      evidence: unknown[];
    };
    expect(Object.keys(whole.data)).toHaveLength(60);
    expect(whole.evidence).toHaveLength(60);
    expect(fields?.evidence.length).toBeLessThan(60);
  });

  test('are gone with the document', async () => {
    await begin({ config });
    await dropped('a.txt', text);
    expect(await spilled()).not.toEqual([]);

    remove('a.txt');
    await world.drain();

    expect(await spilled()).toEqual([]);
    expect(await answersKept()).toBe(0);
  });
});
