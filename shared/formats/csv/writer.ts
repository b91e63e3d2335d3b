import { type CsvDialect, isBlank } from './dialect.ts';
import type { Rows } from './reader.ts';
import type { StrictRows } from './strict.ts';

/** Characters of output after which the header is repeated; more if the header is long. */
const repeatEvery = 32 * 1024;
const headerShare = 16;

const comma = 0x2c;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x22;

/** Formats rows as CSV, counts them and repeats the header. */
export class CsvWriter {
  rowsFound = 0;
  rowsKept = 0;
  /** Rows that do not have the usual number of cells. */
  ragged = 0;
  /** The usual number of cells. */
  readonly columns: number;
  #sinceHeader = 0;
  #header: string | undefined;
  #repeatEvery = repeatEvery;
  readonly #headerRow: number | undefined;
  readonly #maxRows: number;

  constructor({ columns, headerRow }: Pick<CsvDialect, 'columns' | 'headerRow'>, maxRows: number) {
    this.columns = columns;
    this.#headerRow = headerRow;
    this.#maxRows = maxRows;
  }

  /** The rows as text, each ending in a line feed. */
  format(rows: Rows[]): string {
    return rows
      .map((some) => ('cells' in some ? this.#formatCells(some.cells) : this.#formatStrict(some)))
      .join('');
  }

  #formatCells(rows: string[][]): string {
    let out = '';
    for (const row of rows) {
      if (isBlank(row)) {
        out += '\n';
        continue;
      }
      const line = `${formatRow(row)}\n`;
      if (!this.#count(row.length, line.length)) continue;
      this.#noteHeader(line);
      out += this.#repeatDue(line.length) ? `\n${this.#header}${line}` : line;
    }
    return out;
  }

  /** Like `formatCells`, for rows that need no change: only headers are put between them. */
  #formatStrict({ text, ends, counts }: StrictRows): string {
    let out = '';
    /** Start of the run of rows to copy. */
    let from = 0;
    let start = 0;
    for (const [index, end] of ends.entries()) {
      const isBlankLine = end === start + 1;
      if (!isBlankLine && !this.#count(counts[index] ?? 1, end - start)) {
        out += text.slice(from, start);
        from = end;
      } else if (!isBlankLine) {
        if (this.rowsFound - 1 === this.#headerRow) this.#noteHeader(text.slice(start, end));
        if (this.#repeatDue(end - start)) {
          out += `${text.slice(from, start)}\n${this.#header}`;
          from = start;
        }
      }
      start = end;
    }
    return out + text.slice(from, start);
  }

  /** Counts a row; false if it is beyond the limit. */
  #count(cells: number, length: number): boolean {
    this.rowsFound += 1;
    if (cells !== this.columns) this.ragged += 1;
    if (this.rowsKept >= this.#maxRows) return false;
    this.rowsKept += 1;
    this.#sinceHeader += length;
    return true;
  }

  #noteHeader(line: string): void {
    if (this.rowsFound - 1 !== this.#headerRow) return;
    this.#header = line;
    this.#repeatEvery = Math.max(repeatEvery, line.length * headerShare);
  }

  /** Whether to repeat the header before the row just counted, which has that length. */
  #repeatDue(length: number): boolean {
    if (this.#header === undefined || this.#sinceHeader < this.#repeatEvery) return false;
    this.#sinceHeader = length;
    return true;
  }
}

/** One row by RFC 4180, without its line break. */
function formatRow(row: string[]): string {
  const joined = row.join(',');
  if (!needsQuotes(joined, row.length)) return joined;
  return row
    .map((cell) => (needsQuotes(cell, 1) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(',');
}

/** Whether it holds a quote, a line break, or more commas than there are between its cells. */
function needsQuotes(text: string, cells: number): boolean {
  let commas = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === comma) commas += 1;
    else if (code === quote || code === lineFeed || code === carriageReturn) return true;
  }
  return commas >= cells;
}
