import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, test } from 'vitest';
import type { CsvDialect } from '../../shared/formats/csv/dialect.ts';
import { CsvReader, type Rows } from '../../shared/formats/csv/reader.ts';

type ReaderDialect = Pick<CsvDialect, 'delimiter' | 'quote' | 'crOnly'>;
const dialect: ReaderDialect = { delimiter: ',', quote: '"', crOnly: false };

/** Papa's rows of the whole text, without the empty row after a last line break. */
function parse(text: string): string[][] {
  const rows = Papa.parse<string[]>(text, { delimiter: ',', newline: '\n' }).data;
  return text === '' || text.endsWith('\n') ? rows.slice(0, -1) : rows;
}

function cellsOf(rows: Rows[]): string[][] {
  return rows.flatMap((some) =>
    'cells' in some ? some.cells : parse(some.text.slice(0, some.ends.at(-1) ?? 0)),
  );
}

function read(pieces: string[], options: Partial<ReaderDialect> = {}): string[][] {
  const reader = new CsvReader({ ...dialect, ...options }, 1_000_000);
  return [...pieces.flatMap((piece) => cellsOf(reader.push(piece))), ...cellsOf(reader.end())];
}

const messy = fc
  .array(fc.constantFrom('a', 'b ', ',', ',', '"', '""', '\n', '\n', "'", ';', ' '), {
    maxLength: 40,
  })
  .map((tokens) => tokens.join(''));

function piecesOf(text: string, cuts: number[]): string[] {
  const offsets = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  return [...offsets, text.length].map((end, index) => text.slice(offsets[index - 1] ?? 0, end));
}

describe('rows of a delimited text', () => {
  test('are those that papaparse reads, however messy the text, as long as quotes are closed', () => {
    const isClosed = (text: string) =>
      Papa.parse(text, { delimiter: ',', newline: '\n' }).errors.every(
        ({ code }) => code !== 'MissingQuotes',
      );

    fc.assert(
      fc.property(messy.filter(isClosed), (text) => {
        expect(read([text])).toEqual(parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  test('are the same with another delimiter', () => {
    const isClosed = (text: string) =>
      Papa.parse(text, { delimiter: ';', newline: '\n' }).errors.every(
        ({ code }) => code !== 'MissingQuotes',
      );

    fc.assert(
      fc.property(messy.filter(isClosed), (text) => {
        const rows = Papa.parse<string[]>(text, { delimiter: ';', newline: '\n' }).data;
        const expected = text === '' || text.endsWith('\n') ? rows.slice(0, -1) : rows;

        expect(read([text], { delimiter: ';' })).toEqual(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test('do not depend on where the chunks are cut', () => {
    const withReturns = messy.map((text) => text.replaceAll('\n', '\r\n'));
    const cuts = fc.array(fc.nat(), { maxLength: 5 });

    fc.assert(
      fc.property(fc.oneof(messy, withReturns), cuts, (text, at) => {
        expect(read(piecesOf(text, at))).toEqual(read([text]));
      }),
      { numRuns: 2_000 },
    );
  });

  test('keep line breaks within quotes as they were, however rows end', () => {
    const rows = read(['a,"x\r\ny"\nb,"x\ny"\r\nc,"z\r"\r\n']);

    expect(rows).toEqual([
      ['a', 'x\r\ny'],
      ['b', 'x\ny'],
      ['c', 'z\r'],
    ]);
  });

  test('end in a lone CR if the dialect says so', () => {
    const rows = read(['a,b\rc,', '"d\re"\r'], { crOnly: true });

    expect(rows).toEqual([
      ['a', 'b'],
      ['c', 'd\re'],
    ]);
  });

  test('continue after a quote that is never closed', () => {
    const reader = new CsvReader(dialect, 1_000_000);

    const rows = [...cellsOf(reader.push('a,b\n"5 inch,c\nd,e\nf,g\n')), ...cellsOf(reader.end())];

    expect(rows).toEqual([
      ['a', 'b'],
      ['"5 inch', 'c'],
      ['d', 'e'],
      ['f', 'g'],
    ]);
    expect(reader.strayQuotes).toBe(1);
  });

  test('are re-read for stray quotes only a limited number of times', () => {
    const reader = new CsvReader(dialect, 1_000_000);
    const lines = Array.from({ length: 500 }, (_, index) => `"${index},x`);

    const rows = [...cellsOf(reader.push(lines.join('\n'))), ...cellsOf(reader.end())];

    expect(rows).toHaveLength(500);
    expect(reader.strayQuotes).toBe(10);
  });

  test('are rejected if one is longer than the limit', () => {
    const reader = new CsvReader(dialect, 1_000);

    const push = () => reader.push('x'.repeat(2_000));

    expect(push).toThrow(expect.objectContaining({ code: 'normalize.line_too_long' }));
  });
});
