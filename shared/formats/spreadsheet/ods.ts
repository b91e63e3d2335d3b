import { RejectDocument } from '../../journey/errors.ts';
import type { Limits } from '../limits.ts';
import { readPart } from '../office/package.ts';
import { type Attributes, readXml, type XmlHandlers } from '../office/xml.ts';
import type { SafeZip } from '../safety/zip.ts';
import { counted } from '../text/wording.ts';
import { type ColumnRange, columnName, type RowCell } from './cells.ts';
import { isoDate, plainNumber } from './values.ts';
import { hiddenCells, hiddenSheets, uncalculatedFormulas } from './warnings.ts';
import type { SpreadsheetWriter } from './writer.ts';
import type { WorkbookFindings } from './xlsx.ts';

/** The last column of a LibreOffice sheet. */
const lastColumn = 16_383;
/** How many equal cells side by side are written; blank ones are not limited. */
const maxRepeatedCells = 1_000;

interface OpenCell {
  attributes: Attributes;
  paragraphs: string[];
  comment: string[];
  author: string;
}

/**
 * An OpenDocument spreadsheet (ODF 1.2 part 1, 9) to rows. A row or cell that the file repeats a
 * million times is written as often as the limits allow and held in memory only once; SheetJS would
 * hold each.
 * @throws RejectDocument `normalize.corrupt`
 */
export async function readOds(
  zip: SafeZip,
  limits: Limits,
  writer: SpreadsheetWriter,
): Promise<WorkbookFindings> {
  const bytes = await readPart(zip, 'content.xml', limits);
  const reader = new OdsReader(writer);
  if (bytes) readXml(bytes, 'content.xml', reader);
  if (!reader.isSpreadsheet) {
    throw new RejectDocument({
      code: 'normalize.corrupt',
      message: 'content.xml inside the file is not a spreadsheet.',
    });
  }
  const warnings = [
    ...hiddenSheets(reader.hidden),
    ...hiddenCells(writer.hidden),
    ...uncalculatedFormulas(reader.uncalculated),
  ];
  if (reader.objects > 0) {
    warnings.push({
      code: 'normalize.chart_lost',
      message: `${counted(reader.objects, 'chart or object', 'charts or objects')} on the sheets could not be kept in text.`,
    });
  }
  return { pictures: reader.pictures, warnings };
}

class OdsReader implements XmlHandlers {
  isSpreadsheet = false;
  pictures = 0;
  objects = 0;
  uncalculated = 0;
  readonly hidden: string[] = [];
  readonly #writer: SpreadsheetWriter;
  readonly #hiddenStyles = new Set<string>();
  #style = '';
  #depth = 0;
  #rowNumber = 0;
  #rowTimes = 1;
  #isHiddenRow = false;
  #columns = 0;
  #hiddenColumns: ColumnRange[] = [];
  #column = 0;
  #cells: RowCell[] = [];
  #cell: OpenCell | undefined;
  #comments: string[] = [];
  #texts: string[] = [];
  #paragraph: string | undefined;
  #in: 'cell' | 'comment' | 'shape' = 'cell';
  #isAuthor = false;

  constructor(writer: SpreadsheetWriter) {
    this.#writer = writer;
  }

  open(name: string, attributes: Attributes): void {
    switch (name) {
      case 'office:spreadsheet':
        this.isSpreadsheet = true;
        break;
      case 'style:style':
        this.#style = attributes['style:name'] ?? '';
        break;
      case 'style:table-properties':
        if (attributes['table:display'] === 'false') this.#hiddenStyles.add(this.#style);
        break;
      case 'table:table':
        this.#openTable(attributes);
        break;
      case 'table:table-column':
        if (this.#depth === 1) this.#openColumn(attributes);
        break;
      case 'table:table-row':
        this.#rowTimes = timesOf(attributes['table:number-rows-repeated']);
        if (this.#depth === 1) this.#isHiddenRow = isCollapsed(attributes);
        this.#cells = [];
        this.#column = 0;
        break;
      case 'table:table-cell':
      case 'table:covered-table-cell':
        this.#cell = { attributes, paragraphs: [], comment: [], author: '' };
        this.#in = 'cell';
        break;
      case 'office:annotation':
        this.#in = 'comment';
        break;
      case 'dc:creator':
        this.#isAuthor = this.#in === 'comment';
        break;
      case 'draw:text-box':
      case 'draw:custom-shape':
        this.#in = 'shape';
        break;
      case 'draw:image':
        this.pictures += 1;
        break;
      case 'draw:object':
      case 'draw:object-ole':
        this.objects += 1;
        break;
      case 'text:p':
        this.#paragraph = '';
        break;
      default:
        this.#inText(name, attributes);
    }
  }

  #inText(name: string, attributes: Attributes): void {
    if (this.#paragraph === undefined) return;
    if (name === 'text:s')
      this.#paragraph += ' '.repeat(Math.min(timesOf(attributes['text:c']), 100));
    else if (name === 'text:tab') this.#paragraph += '\t';
    else if (name === 'text:line-break') this.#paragraph += '\n';
  }

  close(name: string): void {
    switch (name) {
      case 'table:table':
        this.#closeTable();
        break;
      case 'table:table-row':
        if (this.#depth === 1) this.#closeRow();
        break;
      case 'table:table-cell':
      case 'table:covered-table-cell':
        this.#closeCell();
        break;
      case 'office:annotation':
      case 'draw:text-box':
      case 'draw:custom-shape':
        this.#in = 'cell';
        break;
      case 'dc:creator':
        this.#isAuthor = false;
        break;
      case 'text:p':
        this.#closeParagraph();
        break;
    }
  }

  text(text: string): void {
    if (this.#isAuthor && this.#cell) this.#cell.author += text;
    else if (this.#paragraph !== undefined) this.#paragraph += text;
  }

  #openTable(attributes: Attributes): void {
    this.#depth += 1;
    if (this.#depth > 1) return;
    const name = attributes['table:name'] ?? '';
    const isHidden = this.#hiddenStyles.has(attributes['table:style-name'] ?? '');
    if (isHidden) this.hidden.push(name);
    this.#writer.beginSheet({ name, remark: isHidden ? 'hidden' : undefined });
    this.#rowNumber = 0;
    this.#columns = 0;
    this.#hiddenColumns = [];
    this.#comments = [];
    this.#texts = [];
  }

  #openColumn(attributes: Attributes): void {
    const first = this.#columns;
    this.#columns += timesOf(attributes['table:number-columns-repeated']);
    if (isCollapsed(attributes)) this.#hiddenColumns.push([first, this.#columns - 1]);
  }

  #closeTable(): void {
    this.#depth -= 1;
    if (this.#depth > 0) return;
    this.#writer.list('Comments', this.#comments);
    this.#writer.list('Text boxes', this.#texts);
    this.#writer.endSheet();
  }

  #closeRow(): void {
    this.#writer.row(this.#cells, {
      times: this.#rowTimes,
      isHidden: this.#isHiddenRow,
      hiddenColumns: this.#hiddenColumns,
    });
    this.#rowNumber += this.#rowTimes;
  }

  #closeParagraph(): void {
    const text = this.#paragraph ?? '';
    this.#paragraph = undefined;
    if (this.#in === 'comment') this.#cell?.comment.push(text);
    else if (this.#in === 'cell' && this.#cell) this.#cell.paragraphs.push(text);
    else if (text.trim() !== '') this.#texts.push(text.trim());
  }

  #closeCell(): void {
    const cell = this.#cell;
    this.#cell = undefined;
    if (!cell || this.#depth !== 1) return;
    const times = timesOf(cell.attributes['table:number-columns-repeated']);
    const text = this.#textOf(cell);
    if (text !== '') {
      const isNumber = /^(float|percentage|currency)$/.test(typeOf(cell.attributes));
      const shown = Math.min(times, maxRepeatedCells);
      for (let at = 0; at < shown && this.#column + at <= lastColumn; at++) {
        this.#cells.push({ column: this.#column + at, text, isNumber });
      }
    }
    if (cell.comment.length > 0) {
      const by = cell.author === '' ? '' : ` (${cell.author})`;
      const place = `${columnName(Math.min(this.#column, lastColumn))}${this.#rowNumber + 1}`;
      this.#comments.push(`${place}${by}: ${cell.comment.join(' ')}`);
    }
    this.#column += times;
  }

  #textOf({ attributes, paragraphs }: OpenCell): string {
    const shown = paragraphs.join('\n');
    const type = typeOf(attributes);
    const value = attributes['office:value'];
    const formula = attributes['table:formula'];
    if (type === '' && shown === '' && formula !== undefined) {
      this.uncalculated += 1;
      return formula.replace(/^\w+:/, '');
    }
    if (type === 'date') {
      const date = attributes['office:date-value'] ?? '';
      return isoDate(new Date(`${date.replace(/Z$/, '')}Z`)) || shown;
    }
    if (value !== undefined && type === 'percentage') return `${plainNumber(Number(value) * 100)}%`;
    // Units, currencies and leading zeros are only in what is shown.
    const isBare = type === 'float' && !/\p{L}|\p{Sc}/u.test(shown) && !/^0\d/.test(shown);
    if (value !== undefined && (isBare || shown === '')) return plainNumber(Number(value));
    return shown;
  }
}

function typeOf(attributes: Attributes): string {
  return attributes['office:value-type'] ?? '';
}

/** Hidden by hand or by a filter (ODF 1.3 part 3, 19.749). */
function isCollapsed(attributes: Attributes): boolean {
  return /^(?:collapse|filter)$/.test(attributes['table:visibility'] ?? '');
}

/** A number of repetitions: 1 if it is missing or makes no sense. */
function timesOf(value: string | undefined): number {
  const times = Number(value ?? 1);
  return Number.isInteger(times) && times > 0 ? Math.min(times, 1_048_576) : 1;
}
