import { spanOf, widestGrid } from '../../formats/office/markdown-blocks.ts';
import type { Attributes } from '../../formats/office/xml.ts';
import { type Piece, plainPiece } from './pieces.ts';
import { type LinkTargets, type ParagraphBlock, type StoryBlock, writeParagraph } from './wml.ts';

interface Cell {
  blocks: StoryBlock[];
  /** Columns of the grid it covers. */
  span: number;
  /** Its part in a cell over several rows. */
  merge?: 'restart' | 'continue';
}

interface OpenTable {
  isNested: boolean;
  /** Rows of a nested table. */
  rows: Cell[][];
  /** Rows of any other, already as XML: as objects, a cell takes about fifty times its text. */
  written: { xml: string; width: number }[];
  /** Whether any cell has text. */
  hasText: boolean;
  row?: Cell[] | undefined;
  cell?: Cell | undefined;
  rowDeleted: boolean;
}

/** Tables while they are read, the innermost last. */
export class TableReader {
  readonly #links: LinkTargets;
  readonly #isNestedAlways: boolean;
  readonly #open: (OpenTable | undefined)[] = [];

  /** @param isNestedAlways when even the outermost table must be flattened, as in a note */
  constructor(links: LinkTargets, isNestedAlways: boolean) {
    this.#links = links;
    this.#isNestedAlways = isNestedAlways;
  }

  get isInTable(): boolean {
    return this.#open.at(-1) !== undefined;
  }

  begin(): void {
    const isNested = this.#isNestedAlways || this.#open.at(-1)?.cell !== undefined;
    this.#open.push({ isNested, rows: [], written: [], hasText: false, rowDeleted: false });
  }

  /** The finished table: as a table, or flattened when it is nested. */
  end(): StoryBlock[] {
    const table = this.#open.pop();
    if (!table) return [];
    return table.isNested ? nestedBlocks(table) : tableBlocks(table);
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
    if (!table.rowDeleted && table.row.length > 0) this.#keep(table, table.row);
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

  /** An element of `w:tcPr` or `w:trPr`; false for those that are not used. */
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

  #keep(table: OpenTable, row: Cell[]): void {
    // The first row's cells are kept until it is clear that the table is not just a frame.
    if (table.isNested || table.written.length === 0) table.rows.push(row);
    else table.rows = [];
    if (table.isNested) return;
    table.hasText ||= row.some((cell) => cell.merge !== 'continue' && cell.blocks.length > 0);
    const width = row.reduce((sum, { span }) => sum + span, 0);
    table.written.push({ xml: rowXml(row, width, this.#links), width });
  }
}

/**
 * A table for mammoth, or its content alone when the "table" is a frame around a single cell.
 */
function tableBlocks({ rows, written, hasText }: OpenTable): StoryBlock[] {
  const [first] = rows;
  if (written.length === 1 && first?.length === 1) return first[0]?.blocks ?? [];
  if (!hasText) return [];
  const widest = written.reduce((most, { width }) => Math.max(most, width), 0);
  // Rows are filled up to the grid, unless it is wider than Word allows and cannot be trusted.
  const columns = widest > widestGrid ? 0 : widest;
  const missing = (width: number) => '<w:tc/>'.repeat(Math.max(0, columns - width));
  return [
    {
      kind: 'table',
      rows: written.map(({ xml, width }) => `<w:tr>${xml}${missing(width)}</w:tr>`),
    },
  ];
}

/** The cells of a row. */
function rowXml(row: Cell[], width: number, links: LinkTargets): string {
  const isSound = width <= widestGrid;
  const xml: string[] = [];
  for (const { blocks, span, merge } of row) {
    const properties =
      (isSound && span > 1 ? `<w:gridSpan w:val="${span}"/>` : '') +
      (isSound && merge !== undefined ? `<w:vMerge w:val="${merge}"/>` : '');
    xml.push(properties === '' ? '<w:tc>' : `<w:tc><w:tcPr>${properties}</w:tcPr>`);
    // Word does not show the content of a cell that only continues the one above.
    if (merge !== 'continue') {
      for (const block of blocks) {
        if (block.kind === 'paragraph') xml.push(writeParagraph(block, links));
      }
    }
    xml.push('</w:tc>');
  }
  return xml.join('');
}

/**
 * A table within a cell, where Markdown has no second level: one paragraph per row, with its cells
 * separated by semicolons.
 */
function nestedBlocks(table: OpenTable): ParagraphBlock[] {
  const blocks: ParagraphBlock[] = [];
  for (const row of table.rows) {
    const pieces: Piece[] = [];
    for (const cell of row) {
      if (cell.blocks.length === 0) continue;
      if (pieces.length > 0) pieces.push(plainPiece('; '));
      pieces.push(...joinedPieces(cell.blocks));
    }
    if (pieces.length > 0) blocks.push({ kind: 'paragraph', pieces });
  }
  return blocks;
}

/** The paragraphs as one, one line each. */
function joinedPieces(blocks: StoryBlock[]): Piece[] {
  const pieces: Piece[] = [];
  for (const block of blocks) {
    if (block.kind !== 'paragraph') continue;
    if (pieces.length > 0) pieces.push(plainPiece('\n'));
    if (block.label) pieces.push(plainPiece(`${block.label} `));
    for (const piece of block.pieces) pieces.push(piece);
  }
  return pieces;
}
