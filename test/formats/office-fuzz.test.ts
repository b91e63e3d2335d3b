import { describe, expect, it } from 'vitest';
import { codes } from '../../shared/codes/index.ts';
import { DroplineError } from '../../shared/journey/errors.ts';
import { servicesAgreement } from '../fixtures/agreement.ts';
import { maintenanceReport } from '../fixtures/maintenance-pdf.ts';
import { rawPptx, rawXlsx, sheetData } from '../fixtures/ooxml.ts';
import { bookEpub, letterOdt, memoRtf, slidesOdp } from '../fixtures/opendocument.ts';
import { chartPng, picture } from '../fixtures/pictures.ts';
import { edited, partsOf, zipOf } from '../fixtures/zip.ts';
import { type Converted, convertBytes } from './convert-bytes.ts';

/** Numbers below `limit`, the same ones for the same seed (mulberry32). */
function dice(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

const xlsx = async () =>
  rawXlsx([
    {
      name: 'S',
      xml: sheetData([
        ['Datum', 'Zahl'],
        ['x', 12],
        ['y', 13.5],
      ]),
    },
  ]);
const pptx = async () => rawPptx([{ title: 'Plan', lines: ['one', 'two'], notes: 'say this' }]);

const packages: [string, () => Promise<Buffer>][] = [
  ['a.docx', servicesAgreement],
  ['a.xlsx', xlsx],
  ['a.pptx', pptx],
  ['a.odt', async () => letterOdt()],
  ['a.odp', async () => slidesOdp()],
  ['a.epub', async () => bookEpub()],
];
const files: [string, () => Promise<Buffer>][] = [
  ...packages,
  ['a.rtf', async () => Buffer.from(memoRtf)],
  ['a.pdf', maintenanceReport],
  ['a.png', chartPng],
  ['a.jpeg', () => picture('jpeg', 120, 90)],
  ['a.gif', () => picture('gif', 120, 90)],
  ['a.webp', () => picture('webp', 1200, 900)],
];

/** The conversion, or the code it was rejected with. Anything else that is thrown is our fault. */
async function ending(name: string, bytes: Uint8Array): Promise<Converted | string> {
  try {
    return await convertBytes(name, bytes);
  } catch (error) {
    if (error instanceof DroplineError) return error.code;
    throw error;
  }
}

function expectSound(ended: Converted | string): void {
  if (typeof ended === 'string') expect(Object.keys(codes)).toContain(ended);
  else expect(['file', 'pass', 'render', 'container']).toContain(ended.conversion.outcome);
}

describe('with bits flipped', () => {
  it.each(files)('%s ends in a conversion or a code', async (name, make) => {
    const whole = await make();
    const roll = dice(20_260_203);

    for (let round = 0; round < 40; round++) {
      const flipped = Buffer.from(whole);
      for (let flips = 1 + roll(4); flips > 0; flips--) {
        const at = roll(flipped.length);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << roll(8));
      }
      expectSound(await ending(name, flipped));
    }
  });
});

describe('with bytes of a part changed and packed again', () => {
  it.each(packages)('%s ends in a conversion or a code', async (name, make) => {
    const parts = partsOf(await make());
    const names = Object.keys(parts);
    const roll = dice(4_711);

    for (let round = 0; round < 40; round++) {
      const part = names[roll(names.length)] ?? '';
      const changed = Buffer.from(parts[part] ?? '');
      for (let changes = 1 + roll(3); changes > 0 && changed.length > 0; changes--) {
        changed[roll(changed.length)] = roll(256);
      }
      expectSound(await ending(name, zipOf({ ...parts, [part]: changed })));
    }
  });
});

describe('cut off', () => {
  it.each(files)('%s at any of 20 places is rejected', async (name, make) => {
    const whole = await make();

    for (let twentieth = 1; twentieth < 20; twentieth++) {
      const cut = whole.subarray(0, Math.floor((whole.length * twentieth) / 20));
      const ended = await ending(name, cut);

      // RTF has no end mark, so what is left is text.
      if (name !== 'a.rtf') expect(ended).toBe('normalize.corrupt');
    }
  });
});

describe('without one of its parts, or with it empty', () => {
  it.each(packages)('%s ends in a conversion or a code', async (name, make) => {
    const whole = await make();

    for (const part of Object.keys(partsOf(whole))) {
      const without = edited(whole, (parts) => {
        delete parts[part];
      });
      const empty = edited(whole, (parts) => {
        parts[part] = Buffer.alloc(0);
      });
      expectSound(await ending(name, without));
      expectSound(await ending(name, empty));
    }
  });
});
