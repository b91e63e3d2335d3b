import {
  type Block,
  type Cell,
  nestedTableBlocks,
  spanOf,
  type Table,
  tableBlocks,
} from './docx-blocks.ts';
import type { Attributes } from './ooxml-xml.ts';

interface OpenTable extends Table {
  row?: Cell[] | undefined;
  cell?: Cell | undefined;
  rowDeleted: boolean;
}

/** Tables while they are read, the innermost last. */
export class TableReader {
  readonly #open: (OpenTable | undefined)[] = [];

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
    const isNested = this.#open.at(-1)?.cell !== undefined;
    return isNested ? nestedTableBlocks(table) : tableBlocks(table);
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
    const cell: Cell = { blocks: [], span: 1, continues: false };
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
      if (Number(value) > 0) table.row?.push({ blocks: [], span: spanOf(value), continues: true });
    } else if (name === 'w:gridSpan' && table.cell) table.cell.span = spanOf(value);
    else if (name === 'w:vMerge' && table.cell) table.cell.continues = value !== 'restart';
    else return false;
    return true;
  }
}
