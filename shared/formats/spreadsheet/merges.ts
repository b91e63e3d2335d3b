import type { Merge, RowCell } from './cells.ts';

/** Ranges wider than this are banners across the sheet, not cells of a table. */
const widest = 100;
/** Longer texts are not labels. */
const longest = 200;
/** How many characters are repeated in a sheet at most. */
const maxRepeated = 16 * 1024 * 1024;
/** Steps (ranges and columns looked at, in all rows) after which text is no longer repeated. */
const maxSteps = 5_000_000;

/**
 * Repeats the text of a merged cell where a reader of CSV would miss it: in each row that it spans,
 * and in each column if the row has other cells too (a grouped heading, not a title). Numbers are not
 * repeated, so that sums stay right, and neither are long texts. Takes rows in order.
 *
 * Ranges may overlap, and there may be any number: only empty cells are filled, within a budget.
 */
export class MergeFiller {
  readonly #merges: Merge[];
  #next = 0;
  #active: { merge: Merge; text: string }[] = [];
  #steps = 0;
  #repeated = 0;

  constructor(merges: Merge[]) {
    this.#merges = merges
      .filter(
        ({ left, right, top, bottom }) => right - left < widest && right >= left && bottom >= top,
      )
      .sort((a, b) => a.top - b.top);
  }

  /** Returns the row with the texts of merged cells filled in. `cells` are in order of columns. */
  fill(row: number, cells: RowCell[]): RowCell[] {
    this.#begin(row, cells);
    if (this.#active.length === 0) return cells;
    this.#steps += this.#active.length;
    if (this.#steps > maxSteps) {
      this.#giveUp();
      return cells;
    }
    const filled = cells.filter(({ text }) => text !== '');
    const taken = new Set(filled.map(({ column }) => column));
    const own = filled.length;
    const isHead = (merge: Merge) => merge.top === row && taken.has(merge.left);
    if (own === 0) return cells;
    for (const { merge, text } of this.#active) {
      if (isHead(merge) && own === 1) continue;
      this.#steps += merge.right - merge.left;
      for (let column = merge.left; column <= merge.right; column++) {
        if (taken.has(column)) continue;
        this.#repeated += text.length + 1;
        if (this.#repeated > maxRepeated) return cells;
        taken.add(column);
        filled.push({ column, text, isNumber: false });
      }
    }
    return filled.sort((a, b) => a.column - b.column);
  }

  #giveUp(): void {
    this.#active = [];
    this.#next = this.#merges.length;
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
      if (head && head.text !== '' && head.text.length <= longest && !head.isNumber) {
        this.#active.push({ merge, text: head.text });
      }
    }
  }
}
