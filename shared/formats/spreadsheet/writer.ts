import type { FileHandle } from 'node:fs/promises';
import { RejectDocument } from '../../journey/errors.ts';
import type { Limits } from '../limits.ts';
import { HiddenWords, withoutTags } from '../safety/visibility.ts';
import { type ColumnRange, columnName, type RowCell } from './cells.ts';
import type { HiddenCells } from './warnings.ts';

/**
 * A workbook as one text: for each sheet a heading, its rows as CSV, then comments and links of its
 * cells. CSV, because Markdown tables take a third more tokens for the same cells; as in converted CSV
 * files, long sheets repeat the header row.
 */

/** Characters of rows after which the header is repeated. */
const repeatEvery = 32 * 1024;
const headerShare = 16;
/** Up to so many empty columns between two cells are written as commas. */
const widestGap = 256;
/** The header is searched for among so many first rows. */
const headerWithin = 10;

export interface SheetHeading {
  name: string;
  /** Shown after the name: `hidden`, `chart`. */
  remark?: string | undefined;
}

export class SpreadsheetWriter {
  rowsFound = 0;
  rowsKept = 0;
  cellsKept = 0;
  sheets = 0;
  /** What is marked as hidden. */
  readonly hidden: HiddenCells = { rows: 0, columns: 0, cells: 0 };
  readonly #file: FileHandle;
  readonly #limits: Limits;
  readonly #words = new HiddenWords();
  #pending = '';
  #bytes = 0;
  #sheet = freshSheet();

  constructor(file: FileHandle, limits: Limits) {
    this.#file = file;
    this.#limits = limits;
  }

  /** Words in characters that show nothing, which were left out; final after the last `flush`. */
  get hiddenWords(): number {
    return this.#words.count;
  }

  beginSheet({ name, remark }: SheetHeading): void {
    const gap = this.sheets === 0 ? '' : '\n';
    this.sheets += 1;
    this.#pending += `${gap}# Sheet: ${name}${remark ? ` (${remark})` : ''}\n\n`;
    this.#sheet = freshSheet();
  }

  /**
   * Writes a row, its cells in order of columns; empty ones may be left out.
   * @param times how often the row is repeated, for formats that store it once
   * @param isHidden whether the row is hidden: it is kept and marked
   * @param hiddenColumns their first cells with text are marked
   */
  row(
    written: RowCell[],
    { times = 1, isHidden = false, hiddenColumns = [] }: RowOptions = {},
  ): void {
    const sheet = this.#sheet;
    const hasHidden = hiddenColumns.length > 0 || written.some((cell) => cell.isHidden);
    const cells = hasHidden ? written.map((cell) => this.#marked(cell, hiddenColumns)) : written;
    if (cells.every(({ text }) => text === '')) {
      sheet.gap = sheet.rows > 0;
      return;
    }
    this.rowsFound += times;
    if (isHidden) this.hidden.rows += times;
    this.#markRows(isHidden);
    const line = csvLine(cells);
    for (let at = 0; at < times; at++) {
      sheet.rows += 1;
      const isOver =
        sheet.rows > this.#limits.maxRows || this.cellsKept + cells.length > this.#limits.maxCells;
      if (isOver) return;
      this.#keep(cells, line);
    }
  }

  /** A cell that is not shown, or is the first in a hidden column, says so. */
  #marked(cell: RowCell, hiddenColumns: ColumnRange[]): RowCell {
    const { text, column } = cell;
    if (text === '') return cell;
    const marks: string[] = [];
    const isIn = ([first, last]: ColumnRange) => first <= column && column <= last;
    const marked = this.#sheet.markedColumns;
    if (!marked.has(column) && hiddenColumns.some(isIn)) {
      marked.add(column);
      this.hidden.columns += 1;
      marks.push('[hidden column] ');
    }
    if (cell.isHidden) {
      this.hidden.cells += 1;
      marks.push('[hidden] ');
    }
    return marks.length > 0 ? { ...cell, text: marks.join('') + text } : cell;
  }

  /** Lines around hidden rows. */
  #markRows(isHidden: boolean): void {
    const sheet = this.#sheet;
    if (sheet.isHidden === isHidden) return;
    sheet.isHidden = isHidden;
    this.#pending += isHidden ? '[hidden rows:]\n' : '[end of hidden rows]\n';
  }

  #keep(cells: RowCell[], line: string): void {
    const sheet = this.#sheet;
    this.rowsKept += 1;
    this.cellsKept += cells.length;
    if (sheet.firstRows.length < headerWithin) sheet.firstRows.push({ cells, line });
    if (sheet.sinceHeader > repeatEvery) this.#repeatHeader();
    if (sheet.gap) this.#pending += '\n';
    sheet.gap = false;
    sheet.sinceHeader += line.length;
    this.#pending += line;
    if (this.#bytes + this.#pending.length > this.#limits.maxOutputBytes) this.#refuse();
  }

  #repeatHeader(): void {
    const sheet = this.#sheet;
    sheet.header ??= findHeader(sheet.firstRows);
    if (sheet.header.length * headerShare > sheet.sinceHeader) return;
    sheet.sinceHeader = 0;
    if (sheet.header !== '') this.#pending += `\n${sheet.header}`;
    sheet.gap = false;
  }

  /** Writes lines under a title, below the sheet's rows: comments, links. */
  list(title: string, lines: string[]): void {
    if (lines.length > 0) this.#pending += `\n${title}:\n${lines.join('\n')}\n`;
  }

  /** Ends the rows of a worksheet. */
  endSheet(): void {
    if (this.#sheet.rows === 0) this.#pending += '(no cells)\n';
    this.#markRows(false);
  }

  /** Called instead of writing rows, for a sheet that has none to read. */
  unreadSheet(): void {
    this.#pending += '(not read)\n';
  }

  /**
   * Writes the pending text to the file if there is enough of it; await it regularly.
   * @throws RejectDocument `normalize.too_large` beyond `maxOutputBytes`
   */
  async flush(isLast = false): Promise<void> {
    if (this.#pending.length < 256 * 1024 && !isLast) return;
    const text = withoutTags(this.#pending, (spelt) => this.#words.add(spelt));
    this.#pending = '';
    const { bytesWritten } = await this.#file.write(text);
    this.#bytes += bytesWritten;
    if (this.#bytes > this.#limits.maxOutputBytes) this.#refuse();
  }

  #refuse(): never {
    throw new RejectDocument({
      code: 'normalize.too_large',
      message: `The text of the workbook has more than ${this.#limits.maxOutputBytes} bytes.`,
    });
  }
}

interface RowOptions {
  times?: number;
  isHidden?: boolean;
  hiddenColumns?: ColumnRange[];
}

interface Sheet {
  rows: number;
  /** There is an empty row between the last row and the next. */
  gap: boolean;
  sinceHeader: number;
  header: string | undefined;
  firstRows: { cells: RowCell[]; line: string }[];
  /** Whether the last row was hidden. */
  isHidden: boolean;
  /** Hidden columns whose mark has been written. */
  markedColumns: Set<number>;
}

function freshSheet(): Sheet {
  return {
    rows: 0,
    gap: false,
    sinceHeader: 0,
    header: undefined,
    firstRows: [],
    isHidden: false,
    markedColumns: new Set(),
  };
}

/** The first row of text that is about as wide as the rows around it; '' if there is none. */
function findHeader(rows: { cells: RowCell[]; line: string }[]): string {
  const widths = rows.map(({ cells }) => cells.filter(({ text }) => text !== '').length);
  const widest = Math.max(0, ...widths);
  const header = rows.find(({ cells }, index) => {
    const width = widths[index] ?? 0;
    const isText = cells.every(({ text, isNumber }) => text === '' || !isNumber);
    return width >= 2 && width >= widest * 0.6 && isText;
  });
  return header?.line ?? '';
}

function csvLine(cells: RowCell[]): string {
  let line = '';
  let column = 0;
  // Commas are written before a cell, so rows do not end in commas.
  for (const cell of cells) {
    if (cell.text === '') continue;
    const gap = cell.column - column;
    if (gap > widestGap) line += `,[column ${columnName(cell.column)}] `;
    else if (gap > 0) line += ','.repeat(gap);
    // A file with the same cell twice is faulty; both texts are kept.
    else if (line !== '') line += ' ';
    column = cell.column;
    line += quoted(cell.text);
  }
  return `${line}\n`;
}

function quoted(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
