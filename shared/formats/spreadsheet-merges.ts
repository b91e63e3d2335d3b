import type { RowCell } from './spreadsheet-writer.ts';

/** A merged range, counted from 0, ends included. */
export interface Merge {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** Ranges wider than this are banners across the sheet, not cells of a table. */
const widest = 100;
/** Comparisons of a row with a range, after which merged text is no longer repeated. */
const maxSteps = 5_000_000;

/**
 * Repeats the text of a merged cell where a reader of CSV would miss it: in each row it spans, and
 * in each column when the row has other cells too (a grouped heading, not a title). Numbers are
 * never repeated, so that sums stay true. Feed rows in order.
 *
 * Ranges may overlap or be as many as the file likes: only empty cells are filled, within a budget.
 */
export class MergeFiller {
  readonly #merges: Merge[];
  #next = 0;
  #active: { merge: Merge; text: string }[] = [];
  #steps = 0;

  constructor(merges: Merge[]) {
    this.#merges = merges
      .filter(
        ({ left, right, top, bottom }) => right - left < widest && right >= left && bottom >= top,
      )
      .sort((a, b) => a.top - b.top);
  }

  /** The row with texts of merged cells filled in. `cells` are in order of columns. */
  fill(row: number, cells: RowCell[]): RowCell[] {
    this.#begin(row, cells);
    if (this.#active.length === 0) return cells;
    this.#steps += this.#active.length;
    if (this.#steps > maxSteps) return cells;

    const filled = cells.filter(({ text }) => text !== '');
    const taken = new Set(filled.map(({ column }) => column));
    const own = filled.length;
    const isHead = (merge: Merge) => merge.top === row && taken.has(merge.left);
    if (own === 0) return cells;
    for (const { merge, text } of this.#active) {
      if (isHead(merge) && own === 1) continue;
      for (let column = merge.left; column <= merge.right; column++) {
        if (taken.has(column)) continue;
        taken.add(column);
        filled.push({ column, text, isNumber: false });
      }
    }
    return filled.sort((a, b) => a.column - b.column);
  }

  #begin(row: number, cells: RowCell[]): void {
    if (this.#active.some(({ merge }) => merge.bottom < row)) {
      this.#active = this.#active.filter(({ merge }) => merge.bottom >= row);
    }
    let byColumn: Map<number, RowCell> | undefined;
    for (; ; this.#next++) {
      const merge = this.#merges[this.#next];
      if (!merge || merge.top > row) return;
      if (merge.bottom < row) continue;
      byColumn ??= new Map(cells.map((cell) => [cell.column, cell]));
      const head = merge.top === row ? byColumn.get(merge.left) : undefined;
      if (head && head.text !== '' && !head.isNumber) {
        this.#active.push({ merge, text: head.text });
      }
    }
  }
}

/** A range such as `B2:D5`; undefined when it is none. */
export function parseRange(ref: string): Merge | undefined {
  const match = /^\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?$/.exec(ref);
  if (!match) return undefined;
  const [, left = '', top = '', right = left, bottom = top] = match;
  return {
    left: columnOf(left),
    right: columnOf(right),
    top: Number(top) - 1,
    bottom: Number(bottom) - 1,
  };
}

/** 0 for A, 26 for AA. */
export function columnOf(letters: string): number {
  let column = 0;
  for (let at = 0; at < letters.length; at++) column = column * 26 + letters.charCodeAt(at) - 64;
  return column - 1;
}
