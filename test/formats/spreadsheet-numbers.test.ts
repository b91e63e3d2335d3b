import { utils, write } from '@e965/xlsx';
import { describe, expect, test } from 'vitest';
import { numberTextFor } from '../../shared/formats/spreadsheet/values.ts';
import { rawXlsx, sheetData } from '../fixtures/ooxml.ts';
import { convertBytes } from './convert-bytes.ts';

/** What a workbook shows by number formats, code pages and formulas, and what a reader of it would see. */

const shown = (format: string | number, value: number) => numberTextFor(format, false)(value);

describe('a number', () => {
  test.each([
    ['[$-407]#,##0.00', 1234.5, '1234.5'],
    ['[$-10409]"$"#,##0.00', 9.5, '$9.50'],
    ['[$-409]0.00%', 0.125, '12.5%'],
    ['[$€-407] #,##0.00', 1234.5, '€ 1,234.50'],
    ['[$£-809]#,##0', 1200, '£1,200'],
  ])('has the currency of its format and no other: %s', (format, value, text) => {
    expect(shown(format, value)).toBe(text);
  });

  test.each([
    ['000\\-00\\-0000', 1234567, '001-23-4567'],
    ['00000\\-0000', 21341234, '02134-1234'],
    ['0#" "##" "##', 12345, '01 23 45'],
    ['\\(000\\)\\ 000\\-0000', 301234567, '(030) 123-4567'],
    ['[<=9999999]000\\-0000;\\(000\\)\\ 000\\-0000', 5551234, '555-1234'],
    ['# ##0', 1234567, '1234567'],
    ['#,##0.00', 1234.5, '1234.5'],
  ])('is cut by a mask, and grouping is none: %s', (format, value, text) => {
    expect(shown(format, value)).toBe(text);
  });

  test.each([
    ['0.00" kg"', 2.675, '2.68 kg'],
    ['0.00" kg"', -1.005, '-1.01 kg'],
    ['0" kg"', 0.5, '1 kg'],
    ['0.000" kg"', 1.0005, '1.001 kg'],
  ])('is rounded by its decimal digits: %s of %s', (format, value, text) => {
    expect(shown(format, value)).toBe(text);
  });

  test.each([27, 30, 36, 50, 58])('in the built-in format %i is a date', (format) => {
    expect(shown(format, 45_361)).toBe('2024-03-10');
  });

  test.each([
    ['mm:ss.0', 12.345 / 86_400, '00:00:12.345'],
    ['yyyy-mm-dd hh:mm:ss.000', 45_361 + 0.25 + 0.75 / 86_400, '2024-03-10 06:00:00.750'],
    ['yyyy-mm-dd hh:mm:ss', 45_361.25, '2024-03-10 06:00'],
    ['yyyy-mm-dd hh:mm', 45_361 + 0.25 + 0.75 / 86_400, '2024-03-10 06:00'],
  ])('keeps fractions of the seconds that it shows: %s', (format, value, text) => {
    expect(shown(format, value)).toBe(text);
  });
});

test.each([['<v></v>'], ['<v/>'], ['']])(
  'a formula without a result is kept as one: %j',
  async (v) => {
    const xml = `<sheetData><row r="1"><c r="A1"><v>2</v></c><c r="B1"><f>A1*2</f>${v}</c></row></sheetData>`;

    const { text, conversion } = await convertBytes('a.xlsx', rawXlsx([{ name: 'S', xml }]));

    expect(text).toContain('2,=A1*2');
    expect(conversion.fidelity?.warnings).toMatchObject([
      { code: 'normalize.formulas_uncalculated' },
    ]);
  },
);

test('files inside a workbook are told', async () => {
  const xml = sheetData([['a']]);
  const parts = { 'xl/embeddings/Letter.docx': 'x', 'xl/embeddings/oleObject1.bin': 'y' };

  const { conversion } = await convertBytes('a.xlsx', rawXlsx([{ name: 'S', xml }], parts));

  expect(conversion.fidelity?.warnings).toMatchObject([{ code: 'normalize.embedded_object' }]);
  expect(conversion.fidelity?.warnings[0]?.message).toContain('2 embedded files');
});

test('a workbook before Excel 97 is read in its code page', async () => {
  const book = utils.book_new();
  utils.book_append_sheet(book, utils.aoa_to_sheet([['QQQQQ', 'WWWWWW']]), 'Sheet1');
  const bytes: Buffer = write(book, { bookType: 'biff5', type: 'buffer' });
  const codePage = bytes.indexOf(Buffer.from([0x42, 0, 2, 0]));
  expect(codePage).toBeGreaterThan(0);
  bytes.writeUInt16LE(1253, codePage + 4);
  // Greek and the euro sign, as Windows-1253 writes them.
  bytes.set([0xc1, 0xe8, 0xde, 0xed, 0xe1], bytes.indexOf('QQQQQ'));
  bytes.set([0x35, 0x20, 0x80, 0x20, 0x96, 0x20], bytes.indexOf('WWWWWW'));

  expect((await convertBytes('a.xls', bytes)).text).toContain('Αθήνα,5 € –');
});
