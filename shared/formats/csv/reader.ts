import Papa from 'papaparse';
import { RejectDocument } from '../../journey/errors.ts';
import type { CsvDialect } from './dialect.ts';
import { type StrictRows, scanStrictRows } from './strict.ts';

/** After so many stray quotes, quotes are ordinary characters for the rest of the file. */
const maxStrayQuotes = 10;

/** What a reader has to know; what is left out is not so. */
type ReadDialect = Pick<CsvDialect, 'delimiter' | 'quote' | 'crOnly'> &
  Partial<Pick<CsvDialect, 'hasBackslashes' | 'crCrLf'>>;

/** Complete rows: as cells, or as text that is already in the form to write. */
export type Rows = { cells: string[][] } | StrictRows;

/** If more than this share of cells is quoted needlessly, the rows are rewritten without the quotes. */
const needlessShare = 0.1;

/**
 * Rows of a delimited text that comes in chunks, in the memory of a chunk and the longest row.
 * Papa's own chunking re-reads an unfinished row with every chunk, and after a stray quote it puts
 * the rest of the file into one cell; so only its row parser is used.
 */
export class CsvReader {
  /** Lines with an opening quote and no closing one; their quotes are ordinary characters. */
  strayQuotes = 0;
  /** The file uses no quotes, and has some. */
  readsQuotesAsText = false;
  #rest = '';
  /** Length at which parsing is tried again, so that a long row is not re-read with every chunk. */
  #retryAt = 0;
  #quoted: boolean;
  readonly #dialect: ReadDialect;
  readonly #maxRowChars: number;

  /** @param maxRowChars longest row in characters */
  constructor(dialect: ReadDialect, maxRowChars: number) {
    this.#dialect = dialect;
    this.#maxRowChars = maxRowChars;
    this.#quoted = dialect.quote !== '';
  }

  /**
   * @returns the rows that `chunk` completes
   * @throws RejectDocument `normalize.line_too_long`
   */
  push(chunk: string): Rows[] {
    this.#rest += chunk;
    if (this.#dialect.quote === '') this.readsQuotesAsText ||= chunk.includes('"');
    if (this.#dialect.crCrLf) this.#rest = this.#rest.replaceAll('\r\r\n', '\r\n');
    if (this.#rest.length < this.#retryAt) return [];
    const { rows, isStopped } = this.#takeStrict();
    if (isStopped || this.#rest.length > this.#maxRowChars) rows.push({ cells: this.#takeCells() });
    const hasRows = rows.some((some) => ('cells' in some ? some.cells : some.ends).length > 0);
    this.#retryAt = hasRows ? 0 : this.#rest.length * 2;
    return rows;
  }

  /** Takes those rows off the front that need hardly any change. */
  #takeStrict(): { rows: Rows[]; isStopped: boolean } {
    const { delimiter, quote, crOnly } = this.#dialect;
    const none = { rows: [], isStopped: true };
    const original = this.#rest;
    const hasQuotes = original.includes('"');
    if (crOnly || !this.#quoted || (quote !== '"' && original.includes(quote))) return none;
    if (hasQuotes && (delimiter !== ',' || this.#dialect.hasBackslashes)) return none;
    const last = original.lastIndexOf('\n');
    if (last < 0) return { rows: [], isStopped: false };
    // What follows the last line break is not a complete row, and may end in half a line break.
    const lines = original.slice(0, last + 1);
    const text = lines.includes('\r') ? lines.replaceAll('\r\n', '\n') : lines;
    if (text.includes('\r')) return none;
    const scan = scanStrictRows(delimiter === ',' ? text : withCommas(text, delimiter));
    // Line feeds within cells may have been CRLF, and cells must not change.
    if (scan.hasLineFeeds && text !== lines) return none;
    if (scan.needless > needlessShare * scan.counts.length) return none;
    const end = scan.ends.at(-1) ?? 0;
    if (end > 0) this.#rest = original.slice(sameLine(lines, scan.text, end));
    return { rows: end > 0 ? [scan] : [], isStopped: scan.isStopped };
  }

  #takeCells(): string[][] {
    // A CR at the end may be half a line break.
    const cut = this.#rest.endsWith('\r') ? 1 : 0;
    const rows = this.#read(cut);
    while (this.#rest.length > this.#maxRowChars) {
      const line = this.#takeStrayQuote();
      if (!line) {
        throw new RejectDocument({
          code: 'normalize.line_too_long',
          message: `A row has more than ${this.#maxRowChars} characters.`,
        });
      }
      for (const row of [line, ...this.#read(cut)]) rows.push(row);
    }
    return rows;
  }

  /** @returns the rows that end with the text */
  end(): Rows[] {
    const rows = this.#read(0);
    while (this.#rest !== '') {
      const last = this.#parse(this.#rest, false);
      if (!last.unterminated) {
        this.#rest = '';
        for (const row of last.rows) rows.push(row);
        break;
      }
      const line = this.#takeStrayQuote();
      if (!line) break;
      for (const row of [line, ...this.#read(0)]) rows.push(row);
    }
    return [{ cells: rows }];
  }

  /** Takes the complete rows off the front, ignoring the last `cut` characters. */
  #read(cut: number): string[][] {
    const input = cut > 0 ? this.#rest.slice(0, -cut) : this.#rest;
    const { rows, cursor } = this.#parse(input, true);
    this.#rest = this.#rest.slice(cursor);
    return rows;
  }

  /** Takes the first line, read without quoting, if it opens a quote. */
  #takeStrayQuote(): string[] | undefined {
    const { delimiter, quote, crOnly } = this.#dialect;
    if (!this.#quoted) return undefined;
    const end = this.#rest.indexOf(crOnly ? '\r' : '\n');
    const line = end < 0 ? this.#rest : this.#rest.slice(0, end);
    if (!line.includes(quote) || line.length > this.#maxRowChars) return undefined;
    this.strayQuotes += 1;
    if (this.strayQuotes >= maxStrayQuotes) this.#quoted = false;
    this.#rest = end < 0 ? '' : this.#rest.slice(end + 1);
    return (crOnly ? line : line.replace(/\r$/, '')).split(delimiter);
  }

  #parse(
    input: string,
    ignoreLast: boolean,
  ): { rows: string[][]; cursor: number; unterminated: boolean } {
    const { delimiter, quote, crOnly, hasBackslashes } = this.#dialect;
    const mixed = !crOnly && input.includes('\r') && (!ignoreLast || /(?:^|[^\r])\n/.test(input));
    const newline = crOnly ? '\r' : input.includes('\r') && !mixed ? '\r\n' : '\n';
    const escaping = hasBackslashes ? { escapeChar: '\\' } : {};
    const config = this.#quoted ? { quoteChar: quote, ...escaping } : { fastMode: true };
    const rows: string[][] = [];
    const parser: Papa.Parser = new Papa.Parser({
      delimiter,
      newline,
      ...config,
      ...(mixed && {
        step: (result: Papa.ParseStepResult<string[][]>) => {
          const row = result.data[0];
          if (!row) return;
          this.#dropReturn(row, input, parser.getCharIndex());
          rows.push(row);
        },
      }),
    });
    const result = parser.parse(input, 0, ignoreLast) as Papa.ParseResult<string[]>;
    return {
      rows: mixed ? rows : result.data,
      cursor: result.meta.cursor,
      unterminated: result.errors.some((error) => error.code === 'MissingQuotes'),
    };
  }

  /**
   * In files with LF and CRLF, rows are cut at LF, and this drops a CR left at the end of the last
   * cell, except a CR within its quotes.
   * @param end index after the row's LF
   */
  #dropReturn(row: string[], input: string, end: number): void {
    const last = row[row.length - 1] ?? '';
    if (!last.endsWith('\r')) return;
    const { quote } = this.#dialect;
    const lineEnd = input[end - 1] === '\n' ? end - 1 : end;
    const isQuoted = quote !== '' && input[lineEnd - 2] === quote && !last.endsWith(`${quote}\r`);
    const isOwn = input[lineEnd - 1] !== '\r' || isQuoted;
    if (!isOwn) row[row.length - 1] = last.slice(0, -1);
  }
}

/** Turns lines without quotes into comma-separated ones: cells that hold commas are quoted. */
function withCommas(lines: string, delimiter: string): string {
  const delimiterCode = delimiter.charCodeAt(0);
  const isBound = (at: number): boolean => {
    const code = lines.charCodeAt(at);
    return code === delimiterCode || code === 0x0a;
  };
  const pieces: string[] = [];
  let from = 0;
  for (let at = lines.indexOf(','); at >= 0; at = lines.indexOf(',', from)) {
    let start = at;
    while (start > from && !isBound(start - 1)) start -= 1;
    let end = at + 1;
    while (end < lines.length && !isBound(end)) end += 1;
    pieces.push(lines.slice(from, start), lines.slice(start, end));
    from = end;
  }
  pieces.push(lines.slice(from));
  // The pieces are cut where quotes go.
  return pieces.join('"').replaceAll(delimiter, ',');
}

/**
 * The offset in `original` of the line that begins at `at` in `text`, which differs in its line
 * breaks. Searched from the end, which is near: only an incomplete row follows.
 */
function sameLine(original: string, text: string, at: number): number {
  let offset = original.length;
  for (let from = text.length; from >= at && offset > 0; ) {
    offset = original.lastIndexOf('\n', offset - 1);
    from = text.lastIndexOf('\n', from - 1);
  }
  return offset + 1;
}
