import { spanOf, widestGrid } from './docx-blocks.ts';
import { type Piece, plain } from './docx-pieces.ts';
import { type Block, type LinkTargets, type ParagraphBlock, paragraphXml } from './docx-wml.ts';
import type { Attributes } from './ooxml-xml.ts';

interface Cell {
  blocks: Block[];
  /** Columns of the grid it covers. */
  span: number;
  /** Its part in a cell over several rows. */
  merge?: 'restart' | 'continue';
}

interface OpenTable {
  rows: Cell[][];
  row?: Cell[] | undefined;
  cell?: Cell | undefined;
  rowDeleted: boolean;
}

/** Tables while they are read, the innermost last. */
export class TableReader {
  readonly #links: LinkTargets;
  readonly #isNestedAlways: boolean;
  readonly #open: (OpenTable | undefined)[] = [];

  /** @param isNestedAlways where even the outermost table cannot stand as one: in a note */
  constructor(links: LinkTargets, isNestedAlways: boolean) {
    this.#links = links;
    this.#isNestedAlways = isNestedAlways;
  }

  get isInTable(): boolean {
    return this.#open.at(-1) !== undefined;
  }

  begin(): void {
    this.#open.push({ rows: [], rowDeleted: false });
  }

  /** What the table comes to, in the form that fits the place it stands in. */
  end(): Block[] {
    const table = this.#open.pop();
    if (!table) return [];
    const isNested = this.#isNestedAlways || this.#open.at(-1)?.cell !== undefined;
    return isNested ? nestedBlocks(table) : tableBlocks(table, this.#links);
  }

  /** A text box: tables in it are not nested in the one around it. */
  beginBox(): void {
    this.#open.push(undefined);
  }

  endBox(): void {
    this.#open.pop();
  }

  beginRow(): void {
    const table = this.#open.at(-1);
    if (!table) return;
    table.row = [];
    table.rowDeleted = false;
  }

  /** A tracked change deletes the row. */
  deleteRow(): void {
    const table = this.#open.at(-1);
    if (table) table.rowDeleted = true;
  }

  endRow(): void {
    const table = this.#open.at(-1);
    if (!table?.row) return;
    if (!table.rowDeleted) table.rows.push(table.row);
    table.row = undefined;
  }

  /** The cell, to put its blocks in. */
  beginCell(): Cell {
    const cell: Cell = { blocks: [], span: 1 };
    const table = this.#open.at(-1);
    if (table) table.cell = cell;
    return cell;
  }

  endCell(): void {
    const table = this.#open.at(-1);
    if (!table?.cell) return;
    table.row?.push(table.cell);
    table.cell = undefined;
  }

  /** An element of `w:tcPr` or `w:trPr`; false when it is none that matters. */
  property(name: string, attributes: Attributes): boolean {
    const table = this.#open.at(-1);
    const value = attributes['w:val'];
    if (!table) return false;
    if (name === 'w:gridBefore') {
      if (Number(value) > 0) table.row?.push({ blocks: [], span: spanOf(value) });
    } else if (name === 'w:gridSpan' && table.cell) table.cell.span = spanOf(value);
    else if (name === 'w:vMerge' && table.cell) {
      table.cell.merge = value === 'restart' ? 'restart' : 'continue';
    } else return false;
    return true;
  }
}

/**
 * A table for mammoth, or the contents themselves when the "table" is a frame around a single cell.
 */
function tableBlocks(table: OpenTable, links: LinkTargets): Block[] {
  const rows = table.rows.filter((row) => row.length > 0);
  const [first] = rows;
  if (rows.length === 1 && first?.length === 1) return first[0]?.blocks ?? [];
  if (rows.every((row) => row.every(isEmpty))) return [];
  const widest = rows.reduce((most, row) => Math.max(most, rowWidth(row)), 0);
  // Wider than Word allows: the grid cannot be trusted.
  const isSound = widest <= widestGrid;
  return [{ kind: 'table', rows: rows.map((row) => rowXml(row, isSound ? widest : 0, links)) }];
}

/** @param columns of the grid, to which the row is filled up; 0 when it is not to be trusted */
function rowXml(row: Cell[], columns: number, links: LinkTargets): string {
  const isSound = columns > 0;
  let xml = '<w:tr>';
  for (const { blocks, span, merge } of row) {
    const properties =
      (isSound && span > 1 ? `<w:gridSpan w:val="${span}"/>` : '') +
      (isSound && merge !== undefined ? `<w:vMerge w:val="${merge}"/>` : '');
    xml += properties === '' ? '<w:tc>' : `<w:tc><w:tcPr>${properties}</w:tcPr>`;
    // What stands in a cell that only continues the one above is not shown by Word.
    if (merge !== 'continue') {
      for (const block of blocks) if (block.kind === 'paragraph') xml += paragraphXml(block, links);
    }
    xml += '</w:tc>';
  }
  const missing = Math.max(0, columns - rowWidth(row));
  return `${xml}${'<w:tc/>'.repeat(missing)}</w:tr>`;
}

/**
 * A table within a cell, where Markdown has no second level: a paragraph a row, its cells parted by
 * semicolons.
 */
function nestedBlocks(table: OpenTable): ParagraphBlock[] {
  const blocks: ParagraphBlock[] = [];
  for (const row of table.rows) {
    const pieces: Piece[] = [];
    for (const cell of row) {
      if (cell.blocks.length === 0) continue;
      if (pieces.length > 0) pieces.push(plain('; '));
      pieces.push(...joinedPieces(cell.blocks));
    }
    if (pieces.length > 0) blocks.push({ kind: 'paragraph', pieces });
  }
  return blocks;
}

/** The paragraphs as one, a line each. */
function joinedPieces(blocks: Block[]): Piece[] {
  const pieces: Piece[] = [];
  for (const block of blocks) {
    if (block.kind !== 'paragraph') continue;
    if (pieces.length > 0) pieces.push(plain('\n'));
    if (block.label) pieces.push(plain(`${block.label} `));
    for (const piece of block.pieces) pieces.push(piece);
  }
  return pieces;
}

function isEmpty(cell: Cell): boolean {
  return cell.merge === 'continue' || cell.blocks.length === 0;
}

function rowWidth(row: Cell[]): number {
  return row.reduce((sum, { span }) => sum + span, 0);
}
