import { utils, write } from '@e965/xlsx';
import { describe, expect, it } from 'vitest';
import { rawXlsx, sheetData, spreadsheetPart } from '../fixtures/ooxml.ts';
import { openDocument } from '../fixtures/opendocument.ts';
import { convertBytes } from './convert-bytes.ts';

/** The text of a workbook with one sheet of this XML, without its heading and last line break. */
async function sheetText(xml: string, extra: Record<string, string> = {}, workbookPr = '') {
  const { text } = await convertBytes('a.xlsx', rawXlsx([{ name: 'S', xml }], extra, workbookPr));
  return text.replace('# Sheet: S\n\n', '').trimEnd();
}

/** Styles with these number formats, numbered 1, 2, 3 … */
const styles = (...formats: (string | number)[]) => ({
  'xl/styles.xml': spreadsheetPart(
    'styleSheet',
    `<numFmts>${formats.map((code, at) => (typeof code === 'string' ? `<numFmt numFmtId="${200 + at}" formatCode="${code.replaceAll('"', '&quot;')}"/>` : '')).join('')}</numFmts>` +
      `<cellXfs><xf numFmtId="0"/>${formats.map((code, at) => `<xf numFmtId="${typeof code === 'string' ? 200 + at : code}"/>`).join('')}</cellXfs>`,
  ),
});
const cells = (...xml: string[]) => `<sheetData><row r="1">${xml.join('')}</row></sheetData>`;
const number = (ref: string, style: number, value: number) =>
  `<c r="${ref}" s="${style}"><v>${value}</v></c>`;

describe('what cells show', () => {
  it.each([
    ['a date in any order of day and month', 'd.m.yy', 46_055, '2026-02-02'],
    ['a built-in date', 14, 46_055, '2026-02-02'],
    ['a date with a time', 'yyyy-mm-dd hh:mm', 46_055.75, '2026-02-02 18:00'],
    ['a date whose format hides its time', 'dd/mm/yyyy', 46_055.5, '2026-02-02 12:00'],
    ['a time alone', 'h:mm:ss', 0.5 + 1 / 86_400, '12:00:01'],
    ['hours beyond a day', '[h]:mm', 1.5, '36:00'],
    ['a percentage at full precision', '0%', 0.0725, '7.25%'],
    ['a currency as Excel shows it', '#,##0.00 "€"', 1234.5, '1,234.50 €'],
    ['a unit', '0.0" kg"', 12.25, '12.3 kg'],
    ['a postal code with its zeros', '00000', 7, '00007'],
    ['an accounting number bare', '_-* #,##0.00_-', 1234.5678, '1234.5678'],
    ['a number without binary noise', 'General', 0.1 + 0.2, '0.3'],
  ])('writes %s', async (_, format, value, expected) => {
    const text = await sheetText(cells(number('A1', 1, value)), styles(format));

    expect(text.replaceAll('"', '')).toBe(expected);
  });

  it('counts days from 1904 if the workbook says so', async () => {
    const workbook = '<workbookPr date1904="1"/>';

    const text = await sheetText(cells(number('A1', 1, 44_593)), styles(14), workbook);

    expect(text).toBe('2026-02-02');
  });

  it('reads shared strings with rich text and without phonetics', async () => {
    const strings = spreadsheetPart(
      'sst',
      '<si><r><t>bold </t></r><r><t>plain</t></r><rPh><t>reading</t></rPh></si><si><t>a_x000D_&#10;b</t></si>',
    );
    const xml = cells('<c r="A1" t="s"><v>0</v></c>', '<c r="B1" t="s"><v>1</v></c>');

    expect(await sheetText(xml, { 'xl/sharedStrings.xml': strings })).toBe('bold plain,"a\nb"');
  });

  it('writes booleans, errors and results of formulas', async () => {
    const xml = cells(
      '<c r="A1" t="b"><v>1</v></c>',
      '<c r="B1" t="e"><f>1/0</f><v>#DIV/0!</v></c>',
      '<c r="C1"><f>A2*2</f><v>84</v></c>',
      '<c r="D1" t="str"><f>T()</f><v>done</v></c>',
    );

    expect(await sheetText(xml)).toBe('TRUE,#DIV/0!,84,done');
  });

  it('keeps a formula that has no stored result, and counts it', async () => {
    const xml = cells('<c r="A1"><f>SUM(B1:B9)</f></c>', '<c r="B1"><f t="shared" si="0"/></c>');

    const { text, warnings } = await convertBytes('a.xlsx', rawXlsx([{ name: 'S', xml }]));

    expect(text).toContain('=SUM(B1:B9),=?');
    expect(warnings).toEqual(['normalize.formulas_uncalculated']);
  });

  it('reads cells and rows without references in sequence', async () => {
    const xml =
      '<sheetData><row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row></sheetData>';

    expect(await sheetText(xml)).toBe('1,2\n3');
  });

  it('sorts cells that are out of order', async () => {
    expect(await sheetText(cells(number('C1', 0, 3), number('A1', 0, 1)))).toBe('1,,3');
  });
});

describe('sheets', () => {
  it('keeps the order of tabs and names hidden sheets', async () => {
    const sheets = [
      { name: 'Zebra', xml: sheetData([['z']]) },
      { name: 'Alpha & Co', xml: sheetData([['a']]), state: 'veryHidden' },
      { name: 'Empty', xml: '<sheetData/>' },
    ];

    const { text, warnings, conversion } = await convertBytes('a.xlsx', rawXlsx(sheets));

    expect(text).toBe(
      '# Sheet: Zebra\n\nz\n\n# Sheet: Alpha & Co (hidden)\n\na\n\n# Sheet: Empty\n\n(no cells)\n',
    );
    expect(warnings).toEqual(['normalize.hidden_text']);
    expect(conversion.fidelity).toMatchObject({ rowsFound: 2, rowsKept: 2 });
  });

  it('separates blocks of rows by one empty line, however many rows are empty', async () => {
    const xml =
      '<sheetData><row r="2"><c r="A2"><v>1</v></c></row><row r="9"><c r="A9"><v>2</v></c></row><row r="10"><c r="A10" t="str"><v></v></c></row></sheetData>';

    expect(await sheetText(xml)).toBe('1\n\n2');
  });

  it('repeats the header in long sheets', async () => {
    const rows = Array.from({ length: 3_000 }, (_, at) => [at, `name ${at}`, 'Hamburg']);

    const text = await sheetText(sheetData([['Report'], ['Id', 'Name', 'City'], ...rows]));

    const headers = text.split('\n').filter((line) => line === 'Id,Name,City');
    expect(headers.length).toBeGreaterThan(2);
    expect(text.split('\n').filter((line) => /^\d+,name/.test(line))).toHaveLength(3_000);
  });

  it('leaves out rows beyond the limit and counts them', async () => {
    const xml = sheetData([['a'], ['b'], ['c']]);

    const { conversion, text, warnings } = await convertBytes(
      'a.xlsx',
      rawXlsx([{ name: 'S', xml }]),
      { limits: { maxRows: 2 } },
    );

    expect(conversion.fidelity).toMatchObject({ rowsFound: 3, rowsKept: 2 });
    expect(warnings).toEqual(['normalize.rows_dropped']);
    expect(text).not.toContain('c');
  });

  it('stops at the limit of cells in all sheets together', async () => {
    const xml = sheetData([
      ['a', 'b'],
      ['c', 'd'],
    ]);

    const { conversion } = await convertBytes(
      'a.xlsx',
      rawXlsx([
        { name: 'S', xml },
        { name: 'T', xml },
      ]),
      { limits: { maxCells: 5 } },
    );

    expect(conversion.fidelity).toMatchObject({ rowsFound: 4, rowsKept: 2 });
  });

  it('lists comments (with their author once), links and text boxes', async () => {
    const links = [
      { id: 'c', type: 'comments', target: '../comments1.xml' },
      { id: 'd', type: 'drawing', target: '../drawings/drawing1.xml' },
      { id: 'l', type: 'hyperlink', target: 'https://example.org/x', external: true },
    ];
    const xml = `${sheetData([['a']])}<hyperlinks><hyperlink ref="A1" r:id="l"/></hyperlinks>`;
    const drawing =
      '<xdr:wsDr xmlns:xdr="urn:x" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="urn:r"><xdr:sp><a:p><a:r><a:t>Mind </a:t></a:r><a:r><a:t>the gap</a:t></a:r></a:p></xdr:sp><xdr:pic><a:blip r:embed="p"/></xdr:pic></xdr:wsDr>';
    const comments = spreadsheetPart(
      'comments',
      '<authors><author>Jo</author></authors><commentList><comment ref="B2" authorId="0"><text><r><t>Jo:</t></r><r><t>\nreally?</t></r></text></comment></commentList>',
    );

    const { text, warnings, conversion } = await convertBytes(
      'a.xlsx',
      rawXlsx([{ name: 'S', xml, links }], {
        'xl/comments1.xml': comments,
        'xl/drawings/drawing1.xml': drawing,
      }),
    );

    expect(text).toContain('Comments:\nB2 (Jo): really?\n');
    expect(text).toContain('Text boxes:\nMind the gap\n');
    expect(text).toContain('Links:\nA1: https://example.org/x\n');
    expect(conversion.fidelity).toMatchObject({ imagesFound: 1, imagesKept: 0 });
    expect(warnings).toEqual(['normalize.image_lost']);
  });
});

describe('merged cells', () => {
  const merges = (...refs: string[]) =>
    `<mergeCells>${refs.map((ref) => `<mergeCell ref="${ref}"/>`).join('')}</mergeCells>`;

  it('repeats a grouped heading in its columns and a group in its rows', async () => {
    const rows = sheetData([
      ['', '2025', null, '2026'],
      ['North', 1, 2, 3],
      [null, 4, 5, 6],
    ]);

    expect(await sheetText(rows + merges('B1:C1', 'A2:A3'))).toBe(
      ',2025,2025,2026\nNorth,1,2,3\nNorth,4,5,6',
    );
  });

  it('does not repeat a title across the table', async () => {
    expect(await sheetText(sheetData([['Title'], ['a', 'b']]) + merges('A1:B1'))).toBe(
      'Title\na,b',
    );
  });

  it('does not repeat numbers, which would change sums', async () => {
    expect(
      await sheetText(
        sheetData([
          [7, 'x'],
          [null, 'y'],
        ]) + merges('A1:A2'),
      ),
    ).toBe('7,x\n,y');
  });
});

describe('older formats and OpenDocument', () => {
  const book = () => {
    const sheet = utils.aoa_to_sheet([
      ['Datum', 'Zahl'],
      [null, 1234.5],
    ]);
    sheet.A2 = { t: 'n', v: 46_055, z: 'dd/mm/yyyy' };
    const workbook = utils.book_new();
    utils.book_append_sheet(workbook, sheet, 'Erste');
    utils.book_append_sheet(workbook, utils.aoa_to_sheet([['zwei']]), 'Zweite');
    return workbook;
  };

  it.each(['xls', 'xlsb', 'xlsx'] as const)('reads %s', async (bookType) => {
    const bytes = write(book(), { type: 'buffer', bookType }) as Buffer;

    const { text, conversion } = await convertBytes(`a.${bookType}`, bytes);

    expect(text).toBe(
      '# Sheet: Erste\n\nDatum,Zahl\n2026-02-02,1234.5\n\n# Sheet: Zweite\n\nzwei\n',
    );
    expect(conversion.fidelity).toMatchObject({ rowsFound: 3, rowsKept: 3 });
  });

  it('reads ods with dates, percentages, units, comments and a hidden sheet', async () => {
    const cell = (type: string, value: string, shown: string) =>
      `<table:table-cell office:value-type="${type}" office:${type === 'date' ? 'date-' : ''}value="${value}"><text:p>${shown}</text:p></table:table-cell>`;
    const comment =
      '<table:table-cell office:value-type="string"><office:annotation><dc:creator>Jo</dc:creator><text:p>check</text:p></office:annotation><text:p>a,<text:s text:c="2"/>b</text:p></table:table-cell>';
    const values =
      cell('date', '2026-02-02', '02/02/26') +
      cell('date', '2026-02-02T18:30:00', '2 Feb') +
      cell('percentage', '0.0725', '7 %') +
      cell('currency', '1234.5', '1.234,50 €') +
      cell('float', '1234.5678', '1.234,57') +
      cell('float', '7', '00007');
    const ods = openDocument(
      'spreadsheet',
      `<table:table table:name="Eins"><table:table-row>${values}</table:table-row><table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="2"/>${comment}</table:table-row><table:table-row table:number-rows-repeated="1048570"><table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table>` +
        '<table:table table:name="Zwei" table:style-name="hidden"><table:table-row><table:table-cell table:formula="of:=SUM([.A1])"/></table:table-row></table:table>',
    );

    const { text, warnings, conversion } = await convertBytes('a.ods', ods);

    expect(text).toBe(
      '# Sheet: Eins\n\n2026-02-02,2026-02-02 18:30,7.25%,"1.234,50 €",1234.5678,00007\n,,"a,  b"\n,,"a,  b"\n\nComments:\nC2 (Jo): check\n\n# Sheet: Zwei (hidden)\n\n=SUM([.A1])\n',
    );
    expect(warnings).toEqual(['normalize.hidden_text', 'normalize.formulas_uncalculated']);
    expect(conversion.fidelity).toMatchObject({ rowsFound: 4, rowsKept: 4 });
  });
});
