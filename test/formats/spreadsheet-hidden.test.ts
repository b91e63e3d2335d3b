import { utils, type WorkSheet, write } from '@e965/xlsx';
import { describe, expect, it } from 'vitest';
import { rawXlsx, sheetData, spreadsheetPart } from '../fixtures/ooxml.ts';
import { openDocument } from '../fixtures/opendocument.ts';
import { convertBytes } from './convert-bytes.ts';

async function convert(name: string, bytes: Uint8Array) {
  const { text, conversion } = await convertBytes(name, bytes);
  const message = conversion.fidelity.warnings.find(
    ({ code }) => code === 'normalize.hidden_text',
  )?.message;
  return { text: text.replace(/^# Sheet: \w+\n\n/, ''), message };
}

const xlsx = (xml: string, extra: Record<string, string> = {}) =>
  rawXlsx([{ name: 'S', xml }], extra);

describe('hidden rows and columns are kept, marked, and counted', () => {
  it('in xlsx', async () => {
    const xml =
      '<cols><col min="2" max="2" hidden="1"/></cols>' +
      sheetData([['a', 'b', 'c'], ['x', 'approved', 'y'], ['z'], ['end']]).replace(
        '<row r="3">',
        '<row r="3" hidden="1">',
      );

    const { text, message } = await convert('a.xlsx', xlsx(xml));

    expect(text).toBe(
      'a,[hidden column] b,c\nx,approved,y\n[hidden rows:]\nz\n[end of hidden rows]\nend\n',
    );
    expect(message).toBe('Read too, and marked as hidden: 1 hidden row, 1 hidden column.');
  });

  it('in xlsx when they are too low or narrow to show anything', async () => {
    const xml =
      '<cols><col min="2" max="2" width="0.1" customWidth="1"/></cols>' +
      sheetData([['a', 'b'], ['c']]).replace('<row r="2">', '<row r="2" ht="1" customHeight="1">');

    const { message } = await convert('a.xlsx', xlsx(xml));

    expect(message).toContain('1 hidden row, 1 hidden column');
  });

  it('in ods', async () => {
    const cells = '<table:table-cell><text:p>a</text:p></table:table-cell>'.repeat(2);
    const body = `<table:table table:name="S"><table:table-column/><table:table-column table:visibility="collapse"/><table:table-row>${cells}</table:table-row><table:table-row table:visibility="filter">${cells}</table:table-row></table:table>`;

    const { text, message } = await convert('a.ods', openDocument('spreadsheet', body));

    expect(text).toBe('a,[hidden column] a\n[hidden rows:]\na,a\n[end of hidden rows]\n');
    expect(message).toContain('1 hidden row, 1 hidden column');
  });

  /** SheetJS writes no hidden rows into xls. */
  it.each([
    ['xls', 'a,[hidden column] b\nc,d\ne,f\n', '1 hidden column'],
    [
      'xlsb',
      'a,[hidden column] b\n[hidden rows:]\nc,d\n[end of hidden rows]\ne,f\n',
      '1 hidden row, 1 hidden column',
    ],
  ] as const)('in %s', async (bookType, expected, counts) => {
    const sheet: WorkSheet = utils.aoa_to_sheet([
      ['a', 'b'],
      ['c', 'd'],
      ['e', 'f'],
    ]);
    sheet['!rows'] = [{}, { hidden: true }];
    sheet['!cols'] = [{ wch: 9 }, { hidden: true }];
    const workbook = utils.book_new();
    utils.book_append_sheet(workbook, sheet, 'S');
    const bytes = write(workbook, { bookType, type: 'buffer', cellStyles: true });

    const { text, message } = await convert(`a.${bookType}`, bytes);

    expect(text).toBe(expected);
    expect(message).toContain(counts);
  });

  it('but not rows and columns that are merely empty', async () => {
    const xml = `<cols><col min="9" max="16384" hidden="1"/></cols><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="2" hidden="1"/></sheetData>`;

    expect(await convert('a.xlsx', xlsx(xml))).toEqual({ text: '1\n', message: undefined });
  });
});

describe('a cell', () => {
  const styles = (font: string, fill = '', code = '') =>
    spreadsheetPart(
      'styleSheet',
      `<numFmts><numFmt numFmtId="170" formatCode="${code}"/></numFmts><fonts><font/><font>${font}</font></fonts><fills><fill><patternFill patternType="none"/></fill><fill>${fill}</fill></fills><cellXfs><xf/><xf numFmtId="${code ? 170 : 0}" fontId="1" fillId="${fill ? 1 : 0}"/></cellXfs>`,
    );
  const cells =
    '<sheetData><row r="1"><c r="A1" t="str"><v>seen</v></c><c r="B1" s="1" t="str"><v>approved</v></c></row></sheetData>';
  const solid = (colour: string) =>
    `<patternFill patternType="solid"><fgColor rgb="FF${colour}"/></patternFill>`;
  const white = '<color rgb="FFFFFFFF"/>';

  it.each([
    ['white', styles(white)],
    ['by a number format that shows nothing', styles('', '', ';;;')],
    ['1 point', styles('<sz val="1"/>')],
    ['black on black', styles('<color rgb="FF000000"/>', solid('000000'))],
    ['white by the palette', styles('<color indexed="9"/>')],
  ])('that is hidden (%s) is marked', async (_, part) => {
    const { text, message } = await convert('a.xlsx', xlsx(cells, { 'xl/styles.xml': part }));

    expect(text).toBe('seen,[hidden] approved\n');
    expect(message).toContain('1 cell whose text is not shown');
  });

  it.each([
    ['white on dark', cells, styles(white, solid('1F3864'))],
    [
      'white in a table, whose style may be dark',
      `${cells}<tableParts count="1"><tablePart/></tableParts>`,
      styles(white),
    ],
    ['white under a condition', `${cells}<conditionalFormatting sqref="B1"/>`, styles(white)],
    ['automatic', cells, styles('<color auto="1"/>')],
    ['a tint', cells, styles('<color theme="0" tint="-0.5"/>')],
    ['small', cells, styles('<sz val="6"/>')],
  ])('that may be seen (%s) is not', async (_, xml, part) => {
    const { text, message } = await convert('a.xlsx', xlsx(xml, { 'xl/styles.xml': part }));

    expect(text).toBe('seen,approved\n');
    expect(message).toBeUndefined();
  });
});
