import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, test } from 'vitest';
import { codeOf, convertBytes } from './convert-bytes.ts';

/** The table in converted text: commas, LF, without repeated headers. */
function tableOf(text: string): string[][] {
  return Papa.parse<string[]>(text, { delimiter: ',', newline: '\n' }).data.slice(0, -1);
}

/** Ordinary text, without the control characters that a conversion leaves out with a warning. */
const cell = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.stringMatching(/^[ab,;"'\n\t|=+@-]{0,8}$/),
  fc.constantFrom('', ' ', '1,5', '12.50', '=SUM(A1)', '"', "'", 'a\r\nb', '\n', '-1', "'x'"),
);

/** A rectangular table with enough text to recognise its delimiter. */
const table = fc
  .record({ columns: fc.integer({ min: 2, max: 5 }), rows: fc.integer({ min: 1, max: 8 }) })
  .chain(({ columns, rows }) =>
    fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    }),
  )
  .filter(
    (rows) => !rows.flat().some(hasControls) && rows.flat().some((text) => text.trim() !== ''),
  );

function hasControls(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  return /[\0-\x08\x0b\x0e-\x1f\x7f\ufffd-\uffff]/.test(text) || !text.isWellFormed();
}

describe('a CSV file', () => {
  test('comes back cell for cell, whatever strings are in it', async () => {
    await fc.assert(
      fc.asyncProperty(table, fc.boolean(), fc.boolean(), async (rows, crlf, quotes) => {
        const written = Papa.unparse(rows, { quotes, newline: crlf ? '\r\n' : '\n' });

        const { text } = await convertBytes('table.csv', `${written}\n`);

        expect(tableOf(text)).toEqual(rows);
      }),
      // With a seed, because a few tables, such as `1;2,3;4`, can be read in two ways.
      { numRuns: 200, seed: 20261122 },
    );
  });

  test.each([
    ['semicolons', ';', '\r\n'],
    ['tabs', '\t', '\n'],
    ['bars', '|', '\n'],
    ['commas', ',', '\r'],
  ])('separated by %s comes back with its decimal commas', async (_, delimiter, newline) => {
    const rows = [
      ['Year', 'Revenue', 'Note'],
      ['2022', '143,15', 'two\nlines'],
      ['2023', '-814,38', 'a "quoted" word; and a semicolon'],
      ['2024', '215,32', ''],
    ];
    const name = delimiter === '\t' ? 'table.tsv' : 'table.csv';

    const { text, conversion } = await convertBytes(
      name,
      Papa.unparse(rows, { delimiter, newline }),
    );

    expect(tableOf(text)).toEqual(rows);
    expect(conversion.fidelity).toMatchObject({ rowsFound: 4, rowsKept: 4 });
  });

  test('is quoted only where needed', async () => {
    const { text } = await convertBytes('table.csv', '"a","b"\n"1","x,y"\n"2","z"\n');

    expect(text).toBe('a,b\n1,"x,y"\n2,z\n');
  });

  test('keeps ragged rows as they are, with a warning', async () => {
    const { text, warnings } = await convertBytes('table.csv', 'a,b,c\n1,2,3\n1,2\n1,2,3,4\n');

    expect(text).toBe('a,b,c\n1,2,3\n1,2\n1,2,3,4\n');
    expect(warnings).toEqual(['normalize.ragged_rows']);
  });

  test('keeps what looks like a formula as text', async () => {
    const rows = [
      ['name', 'value'],
      ['=cmd|"/c calc"!A0', '@SUM(1+1)*cmd'],
      ['+1', '-2+3'],
    ];

    const { text, warnings } = await convertBytes('table.csv', Papa.unparse(rows));

    expect(tableOf(text)).toEqual(rows);
    expect(warnings).toEqual([]);
  });

  test('with a sep= line is separated by what the line says, and the line is not a row', async () => {
    const { text, conversion } = await convertBytes('table.csv', 'sep=;\r\na;b\r\n1,5;2\r\n');

    expect(text).toBe('a,b\n"1,5",2\n');
    expect(conversion.fidelity.rowsFound).toBe(2);
  });

  test('with apostrophes as quotes throughout is read that way', async () => {
    const lines = ["'id','place'", "'1','Paris, France'", "'2','Rome'", "'3','Bonn, Germany'"];

    const { text } = await convertBytes('table.csv', lines.join('\n'));

    expect(text).toBe('id,place\n1,"Paris, France"\n2,Rome\n3,"Bonn, Germany"\n');
  });

  test('repeats its header after a blank line if it is long', async () => {
    const rows = Array.from(
      { length: 3_000 },
      (_, index) => `${index},some words for row ${index}`,
    );

    const { text, conversion } = await convertBytes('t.csv', `id,words\n${rows.join('\n')}\n`);

    const blocks = text.split('\n\n');
    expect(blocks.length).toBeGreaterThan(2);
    for (const block of blocks) expect(block).toMatch(/^id,words\n/);
    const data = blocks.flatMap((block) => block.trimEnd().split('\n').slice(1));
    expect(data).toEqual(rows);
    expect(conversion.fidelity).toMatchObject({ rowsFound: 3_001, rowsKept: 3_001 });
  });

  test('repeats nothing if its first row is not a header', async () => {
    const rows = Array.from({ length: 5_000 }, (_, index) => `${index},${index * 7},${index * 11}`);

    const { text } = await convertBytes('t.csv', rows.join('\n'));

    expect(text.trimEnd().split('\n')).toEqual(rows);
  });

  test('is cut at the limit of rows, and the rest are counted', async () => {
    const rows = Array.from({ length: 50 }, (_, index) => `row ${index},x`);

    const { text, conversion, warnings } = await convertBytes('t.csv', rows.join('\n'), {
      limits: { maxRows: 20 },
    });

    expect(text.trimEnd().split('\n')).toEqual(rows.slice(0, 20));
    expect(conversion.fidelity).toMatchObject({ rowsFound: 50, rowsKept: 20 });
    expect(warnings).toEqual(['normalize.rows_dropped']);
  });

  test('with a million columns passes', async () => {
    const row = Array.from({ length: 1_000_000 }, (_, index) => `c${index}`).join(',');

    const { text, conversion } = await convertBytes('wide.csv', `${row}\n${row}\n`);

    expect(text).toBe(`${row}\n${row}\n`);
    expect(conversion.fidelity.rowsFound).toBe(2);
  });

  test('that is one endless line is rejected', async () => {
    const code = await codeOf(
      convertBytes('line.csv', `a,b\n${'x'.repeat(50_000)}`, { limits: { maxLineChars: 10_000 } }),
    );

    expect(code).toBe('normalize.line_too_long');
  });

  test('whose text would exceed the limit of bytes is rejected', async () => {
    const code = await codeOf(
      convertBytes('big.csv', 'a,b\n'.repeat(5_000), { limits: { maxOutputBytes: 1_000 } }),
    );

    expect(code).toBe('normalize.too_large');
  });

  test('with only blank lines is empty', async () => {
    const code = await codeOf(convertBytes('blank.csv', '\n\n\r\n'));

    expect(code).toBe('normalize.empty');
  });
});
