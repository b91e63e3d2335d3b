import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stripMetadata, stripMetadataOf } from '../../shared/print/strip-metadata.ts';
import { onePage, rawPdf } from '../fixtures/pdfs.ts';
import { readPdf } from './pdf.ts';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'strip-test-'));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

interface Making {
  date: string;
  producer: string;
  id: string;
}

const xmp = ({ date, producer }: Making): string =>
  `<x:xmpmeta><xmp:CreateDate>${date}</xmp:CreateDate><pdf:Producer>${producer}</pdf:Producer></x:xmpmeta>`;

/** A PDF as LibreOffice writes it, with all that it says about its making. */
function printed(making: Making): Buffer {
  const { date, producer, id } = making;
  const packet = xmp(making);
  const objects = [
    ...onePage('/Metadata 6 0 R /Lang(en)'),
    `<</Type/Metadata/Subtype/XML/Length ${packet.length}>>\nstream\n${packet}\nendstream`,
    `<</Title(Old)/Creator(Writer)/Producer(${producer})/CreationDate(D:${date})/ModDate(D:${date})>>`,
  ];
  return rawPdf(
    objects,
    `/Info 7 0 R\n/ID [ <${id}>\n<${id}> ]\n/DocChecksum /${id}\n/AdditionalStreams [/application#2Fx 5 0 R]\n`,
  );
}

const monday: Making = { date: '20260302090000Z', producer: 'LibreOffice 7.4', id: 'AA11' };
const years: Making = { date: "20311231235959+14'00'", producer: 'Office 31.2.1', id: 'BB22CC' };

const strip = (pdf: Buffer, title?: string): Buffer => Buffer.concat(stripMetadata(pdf, title));

describe('a print without its metadata', () => {
  it('has the same bytes whenever, and by whatever version, it was made', () => {
    expect(strip(printed(monday)).equals(strip(printed(years)))).toBe(true);
  });

  it('names no time, no program and no identifier', () => {
    const bytes = strip(printed(monday)).toString('latin1');

    expect(bytes).not.toMatch(/2026|LibreOffice|Writer|AA11|Metadata|xmpmeta|\/ID|DocChecksum/);
  });

  it('reads as before, and has the title that it is given', async () => {
    const file = path.join(dir, 'titled.pdf');
    await writeFile(file, printed(monday));
    const before = await readPdf(file);

    await stripMetadataOf(file, 'Überblick (1)');

    expect(await readPdf(file)).toEqual({ ...before, title: 'Überblick (1)' });
    expect(before.title).toBe('Old');
    expect(before.text).toContain('quick brown fox');
  });

  it('points at every object where it is', () => {
    const pdf = strip(printed(monday), 'A title that is longer than the old one').toString(
      'latin1',
    );

    const start = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(pdf)?.[1]);
    const rows = pdf.slice(start).match(/^\d{10} \d{5} [nf] $/gm) ?? [];
    expect(rows).toHaveLength(8);
    for (const [number, row] of rows.entries()) {
      if (number > 0) expect(pdf.slice(Number.parseInt(row, 10))).toMatch(`${number} 0 obj\n`);
    }
  });

  it('stays as it is when it is stripped again', () => {
    const once = strip(printed(monday), 'Title');

    expect(strip(once, 'Title').equals(once)).toBe(true);
  });
});

describe('a layout that no printer writes', () => {
  const cases: [what: string, pdf: Buffer][] = [
    ['an encrypted PDF', rawPdf(onePage(), '/Encrypt 5 0 R')],
    ['a PDF with later updates', rawPdf(onePage(), '/Prev 15')],
    ['a PDF cut off', printed(monday).subarray(0, -40)],
    ['a PDF whose table is wrong', Buffer.concat([Buffer.from('%'), printed(monday)])],
    [
      'a PDF with a cross-reference stream',
      Buffer.from('%PDF-1.7\n1 0 obj\n<</Type /XRef>>\nendobj\nstartxref\n9\n%%EOF\n'),
    ],
    ['an empty file', Buffer.alloc(0)],
  ];

  it.each(cases)('is refused and left as it is: %s', async (_, pdf) => {
    const file = path.join(dir, 'unknown.pdf');
    await writeFile(file, pdf);

    await expect(stripMetadataOf(file, undefined)).rejects.toMatchObject({
      code: 'render.unavailable',
    });
    expect((await readFile(file)).equals(pdf)).toBe(true);
  });
});
