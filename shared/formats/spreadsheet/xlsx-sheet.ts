import { RejectDocument } from '../../journey/errors.ts';
import { isOn, type XmlHandlers } from '../office/xml.ts';
import { unreadablePoints } from '../safety/visibility.ts';
import { type ColumnRange, columnOf, type Merge, parseRange, type RowCell } from './cells.ts';
import { MergeFiller } from './merges.ts';
import { isoDate } from './values.ts';
import { unescaped, type Workbook } from './xlsx-workbook.ts';

/** What was found in the worksheets of a workbook. */
export interface SheetFindings {
  /** Formulas without a stored result. */
  uncalculated: number;
  /** Characters of shared strings, each counted as often as a cell uses it. */
  sharedCharacters: number;
}

interface OpenCell {
  column: number;
  type: string;
  style: number;
  value: string | undefined;
  formula: string | undefined;
  inline: string;
}

/** Takes the cells of a row, and whether the row is hidden. */
type RowTaker = (cells: RowCell[], isHidden: boolean) => void;

/** In characters; Excel shows such a column as a thick line. */
const narrowestColumn = 0.25;

/** Every cell is looked up in them. */
const mostColumnRanges = 1_000;

/** The last column in Excel (XFD). */
const lastColumn = 16_383;

/**
 * Reads a worksheet part from XML events and gives its rows, one by one, with values as text. A
 * formula becomes its stored result or, without one, itself with its `=`.
 */
export class WorksheetReader implements XmlHandlers {
  /** First and last of the columns that are hidden, counted from 0; known before the first row. */
  readonly hiddenColumns: ColumnRange[] = [];
  /** External links of cells: cell and relationship id. */
  readonly links: { ref: string; id: string }[] = [];
  readonly #workbook: Workbook;
  readonly #findings: SheetFindings;
  readonly #merges: MergeFiller;
  readonly #give: RowTaker;
  readonly #isPlain: boolean;
  #row = -1;
  #cells: RowCell[] = [];
  #cell: OpenCell | undefined;
  #collecting: 'value' | 'formula' | 'inline' | undefined;
  #phonetic = 0;
  #isUnsorted = false;
  #isHiddenRow = false;

  /**
   * @param isPlain whether only the styles of the cells paint them
   * @param give called with each row in the part, including empty ones
   */
  constructor(
    workbook: Workbook,
    findings: SheetFindings,
    merges: Merge[],
    isPlain: boolean,
    give: RowTaker,
  ) {
    this.#workbook = workbook;
    this.#findings = findings;
    this.#merges = new MergeFiller(merges);
    this.#isPlain = isPlain;
    this.#give = give;
  }

  open(name: string, attributes: Record<string, string>): void {
    switch (name) {
      case 's:row':
        this.#openRow(attributes.r);
        this.#isHiddenRow = isHiddenSize(attributes, 'ht', 'customHeight', unreadablePoints);
        break;
      case 's:c':
        this.#openCell(attributes);
        break;
      case 's:col':
        this.#openColumns(attributes);
        break;
      case 's:v':
        this.#collecting = 'value';
        if (this.#cell) this.#cell.value ??= '';
        break;
      case 's:f':
        this.#collecting = 'formula';
        if (this.#cell) this.#cell.formula ??= '';
        break;
      case 's:t':
        if (this.#cell && this.#phonetic === 0) this.#collecting = 'inline';
        break;
      case 's:rPh':
        this.#phonetic += 1;
        break;
      case 's:hyperlink':
        if (attributes['r:id']) {
          this.links.push({ ref: attributes.ref ?? '', id: attributes['r:id'] });
        }
        break;
    }
  }

  close(name: string): void {
    switch (name) {
      case 's:row':
        this.#closeRow();
        break;
      case 's:c':
        this.#closeCell();
        break;
      case 's:v':
      case 's:f':
      case 's:t':
        this.#collecting = undefined;
        break;
      case 's:rPh':
        this.#phonetic -= 1;
        break;
    }
  }

  text(text: string): void {
    const cell = this.#cell;
    if (!cell || this.#collecting === undefined) return;
    if (this.#collecting === 'value') cell.value = (cell.value ?? '') + text;
    else if (this.#collecting === 'formula') cell.formula = (cell.formula ?? '') + text;
    else cell.inline += text;
  }

  #openColumns(attributes: Record<string, string>): void {
    if (!isHiddenSize(attributes, 'width', 'customWidth', narrowestColumn)) return;
    if (this.hiddenColumns.length >= mostColumnRanges) return;
    this.hiddenColumns.push([Number(attributes.min) - 1, Number(attributes.max) - 1]);
  }

  #openRow(reference: string | undefined): void {
    const stated = reference === undefined ? Number.NaN : Number(reference) - 1;
    const next = Number.isInteger(stated) && stated >= 0 ? stated : this.#row + 1;
    // Rows missing from the part are empty.
    if (next > this.#row + 1) this.#give([], false);
    this.#row = next;
    this.#cells = [];
  }

  #closeRow(): void {
    // Excel writes cells in order, and repairs files in which they are not.
    if (this.#isUnsorted) this.#cells.sort((a, b) => a.column - b.column);
    this.#isUnsorted = false;
    this.#give(this.#merges.fill(this.#row, this.#cells), this.#isHiddenRow);
  }

  #openCell(attributes: Record<string, string>): void {
    const letters = /^[A-Z]{1,3}/.exec(attributes.r ?? '')?.[0];
    const following = (this.#cells.at(-1)?.column ?? -1) + 1;
    this.#cell = {
      column: Math.min(letters === undefined ? following : columnOf(letters), lastColumn),
      type: attributes.t ?? 'n',
      style: Number(attributes.s ?? 0),
      value: undefined,
      formula: undefined,
      inline: '',
    };
  }

  #closeCell(): void {
    const cell = this.#cell;
    this.#cell = undefined;
    if (!cell) return;
    const isNumber = cell.type === 'n' && cell.value !== undefined;
    const text = this.#textOf(cell);
    const isHidden = text !== '' && this.#isHidden(cell.style);
    const entry: RowCell = { column: cell.column, text, isNumber, ...(isHidden && { isHidden }) };
    const last = this.#cells.at(-1);
    if (last && last.column >= entry.column) this.#isUnsorted = true;
    this.#cells.push(entry);
  }

  #isHidden(style: number): boolean {
    const showing = this.#workbook.showings[style];
    return showing === 'hidden' || (showing === 'on-plain' && this.#isPlain);
  }

  #shared(index: number): string {
    const text = this.#workbook.strings[index] ?? '';
    this.#findings.sharedCharacters += text.length;
    if (this.#findings.sharedCharacters > this.#workbook.maxSharedCharacters) {
      throw new RejectDocument({
        code: 'normalize.text_bomb',
        message: 'A few long texts are used in so many cells that they expand to gigabytes.',
      });
    }
    return text;
  }

  #textOf(cell: OpenCell): string {
    const { type, formula } = cell;
    // openpyxl and others write an empty value with each formula.
    const isEmpty = cell.value === '' && formula !== undefined && type !== 'str';
    const value = isEmpty ? undefined : cell.value;
    if (value === undefined) {
      if (type === 'inlineStr') return unescaped(cell.inline);
      if (formula === undefined) return '';
      this.#findings.uncalculated += 1;
      return formula === '' ? '=?' : `=${formula}`;
    }
    switch (type) {
      case 's':
        return this.#shared(Number(value));
      case 'str':
        return unescaped(value);
      case 'inlineStr':
        return unescaped(cell.inline);
      case 'b':
        return value === '1' || value === 'true' ? 'TRUE' : 'FALSE';
      case 'd':
        return isoDate(new Date(/Z$|[+-]\d\d:\d\d$/.test(value) ? value : `${value}Z`)) || value;
      case 'n': {
        const number = Number(value);
        if (value.trim() === '') return '';
        return Number.isNaN(number) ? value : this.#workbook.numberTextOf(cell.style)(number);
      }
      default:
        return value;
    }
  }
}

/** Whether a row or column is hidden, or so low or narrow that nothing of it is seen. */
function isHiddenSize(
  attributes: Record<string, string>,
  size: string,
  custom: string,
  least: number,
): boolean {
  if (isOn(attributes.hidden ?? '0')) return true;
  return isOn(attributes[custom] ?? '0') && Number(attributes[size] ?? least + 1) <= least;
}

/** Reads the merged ranges ahead of the rows, which precede them in the part. */
export function mergesIn(part: Buffer): Merge[] {
  const end = part.lastIndexOf('sheetData');
  const merges: Merge[] = [];
  if (end < 0) return merges;
  const after = part.subarray(end).toString('latin1');
  for (const [, ref = ''] of after.matchAll(/<(?:\w+:)?mergeCell\s[^>]*?ref=["']([^"']*)["']/g)) {
    const merge = parseRange(ref);
    if (merge) merges.push(merge);
  }
  return merges;
}
