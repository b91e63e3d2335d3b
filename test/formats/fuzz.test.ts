import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { write } from '@e965/xlsx';
import { afterAll, describe, expect, test } from 'vitest';
import { DroplineError } from '../../shared/journey/errors.ts';
import { illustratedReport } from '../fixtures/documents.ts';
import { drawnPicture, p, rawDocx, rawPptx, rawXlsx, sheetData } from '../fixtures/ooxml.ts';
import { bookEpub, letterOdt, memoRtf, slidesOdp } from '../fixtures/opendocument.ts';
import { textPdf } from '../fixtures/pdfs.ts';
import { animatedGif, picture } from '../fixtures/pictures.ts';
import { samplesFolder } from '../fixtures/samples.ts';
import { partsOf, zipOf } from '../fixtures/zip.ts';
import { Lab } from './hostile/lab.ts';
import { rawZip } from './raw-zip.ts';

const sample = (name: string) => readFile(join(samplesFolder, name));
const sheet = [
  {
    name: 'S',
    xml: sheetData([
      ['a', 1],
      ['b', 2],
    ]),
  },
];

/** Valid files; each run damages copies of them. */
const originals: Record<string, () => Promise<Uint8Array> | Uint8Array> = {
  'agreement.docx': () => sample('services-agreement.docx'),
  'report.docx': () => illustratedReport(),
  'small.docx': () => rawDocx(p('words in a paragraph') + drawnPicture('r1')),
  'small.xlsx': () => rawXlsx(sheet),
  'small.pptx': () => rawPptx([{ title: 'T', lines: ['x'], notes: 'n' }]),
  'book.xls': () =>
    write(
      { SheetNames: ['S'], Sheets: { S: { '!ref': 'A1', A1: { t: 's', v: 'x' } } } },
      {
        type: 'buffer',
        bookType: 'biff8',
      },
    ) as Uint8Array,
  'letter.odt': () => letterOdt(),
  'slides.odp': () => slidesOdp(),
  'book.epub': () => bookEpub(),
  'memo.rtf': () => Buffer.from(memoRtf),
  'report.pdf': () => sample('maintenance-report.pdf'),
  'page.pdf': () => textPdf(2),
  'chart.png': () => picture('png', 40, 40),
  'photo.jpg': () => picture('jpeg', 40, 40),
  'film.gif': () => animatedGif(),
  'photo.webp': () => picture('webp', 40, 40),
  'sales.csv': () => sample('sales-q1-2026.csv'),
  'minutes.md': () => sample('meeting-minutes.md'),
  'page.html': () =>
    Buffer.from('<html><title>T</title><h1>A</h1><table><tr><td>a<td>b</table><a href="/x">l</a>'),
  'mail.eml': () =>
    Buffer.from(
      'From: a@b.c\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: text/csv; name=a.csv\r\nContent-Transfer-Encoding: base64\r\n\r\nYSxi\r\n--b--',
    ),
  'files.zip': () =>
    rawZip([
      { name: 'a.txt', content: 'alpha' },
      { name: 'b/c.csv', content: 'a,b' },
    ]),
};

/** A small generator with a seed (Lehmer), so that a failure can be repeated. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** Flips bits; overwrites, removes or repeats a range. */
function damaged(original: Uint8Array, random: (below: number) => number): Buffer {
  const bytes = Buffer.from(original);
  if (bytes.length === 0) return bytes;
  const at = random(bytes.length);
  const length = 1 + random(64);
  switch (random(5)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 1:
      return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    case 2:
      return bytes.fill(
        [0x00, 0xff, 0x3c, 0x22][random(4)] ?? 0,
        at,
        Math.min(at + length, bytes.length),
      );
    default:
      for (let flips = 1 + random(16); flips > 0; flips -= 1) {
        const place = random(bytes.length);
        bytes[place] = (bytes[place] ?? 0) ^ (1 << random(8));
      }
      return bytes;
  }
}

/** Damages one part of a package and packs it again, so that the checksums are right. */
function damagedInside(zip: Uint8Array, random: (below: number) => number): Buffer {
  const parts = Object.entries(partsOf(zip));
  const victim = random(parts.length);
  return zipOf(
    Object.fromEntries(
      parts.map(([name, part], index) => [name, index === victim ? damaged(part, random) : part]),
    ),
  );
}

const rounds = 10;
const lab = await Lab.open();

afterAll(() => lab.close());

describe('a damaged file', () => {
  test.each(Object.entries(originals))(
    '%s is converted or rejected with a code',
    async (name, make) => {
      const original = await make();
      const random = randomOf(20_261_122);

      for (let round = 0; round < rounds; round += 1) {
        const isPackage = original[0] === 0x50 && original[1] === 0x4b;
        const damage = isPackage && round % 4 !== 0 ? damagedInside : damaged;
        const bytes = damage(original, random);
        const { attempt, touched } = await lab.try(name, bytes);

        const where = `${name}, round ${round}`;
        expect(touched, where).toBe('');
        expect(attempt.measured.refused, where).toEqual([]);
        if (!('error' in attempt)) continue;
        expect(attempt.error, where).toBeInstanceOf(DroplineError);
        expect(attempt.error, where).not.toMatchObject({
          code: expect.stringMatching(/timeout|out_of_memory|crashed/),
        });
      }
    },
  );
});
