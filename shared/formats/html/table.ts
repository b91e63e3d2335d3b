/** An HTML table while it is read: each row becomes a Markdown row when it ends. */

const maxSpan = 1_000;
/** Spans do not widen a row beyond this many cells, so that they cannot blow up a small page. */
const maxStretch = 4_000;
const maxPadding = 60;

interface Line {
  text: string;
  /** A row of the table; otherwise a block of its own. */
  isRow: boolean;
}

export class HtmlTable {
  hasRows = false;
  inCell = false;
  cellLength = 0;
  #cells: string[] = [];
  #blocks: string[] = [];
  #span = 1;
  /** The current row turned out to be layout; its cells are no longer collected. */
  #dissolved = false;
  #columns = 0;
  /** How many more rows a cell above covers, by column. */
  #covered: number[] = [];
  readonly #isAsWritten: boolean;
  readonly #isPlain: boolean;

  /**
   * @param isAsWritten it is known not to be layout, and empty rows are part of it
   * @param isPlain rows become their cells separated by semicolons, and not Markdown
   */
  constructor({ isAsWritten, isPlain }: { isAsWritten: boolean; isPlain: boolean }) {
    this.#isAsWritten = isAsWritten;
    this.#isPlain = isPlain;
  }

  beginRow(): void {
    this.#cells = [];
    this.#dissolved = false;
    this.inCell = false;
  }

  beginCell(colspan: string | undefined, rowspan: string | undefined): void {
    if (this.inCell) this.endCell();
    if (this.#dissolved) return;
    this.#skipCovered();
    this.inCell = true;
    this.cellLength = 0;
    this.#blocks = [];
    this.#span = spanOf(colspan);
    const rows = spanOf(rowspan) - 1;
    if (rows > 0 && this.#cells.length < maxStretch) {
      for (let more = 0; more < this.#span; more += 1) {
        this.#covered[this.#cells.length + more] = rows;
      }
    }
  }

  add(block: string): void {
    this.#blocks.push(block);
    this.cellLength += block.length;
  }

  endCell(): void {
    if (!this.inCell) return;
    this.inCell = false;
    this.#cells.push(this.#blocks.join('\n'));
    const span = this.#cells.length < maxStretch ? this.#span : 1;
    for (let more = 1; more < span; more += 1) this.#cells.push('');
  }

  /** Returns the row's contents so far as blocks; the row is no longer a table row. */
  dissolveRow(): string[] {
    if (this.#dissolved) return [];
    const blocks = [...this.#cells.filter((cell) => cell !== ''), ...this.#blocks];
    const wasOpen = this.inCell || this.#cells.length > 0;
    this.#dissolved = wasOpen;
    this.#cells = [];
    this.#blocks = [];
    this.inCell = false;
    return blocks;
  }

  endRow(): Line[] {
    this.endCell();
    const cells = this.#cells;
    this.#cells = [];
    if (this.#dissolved || cells.length === 0) return [];
    this.#skipCovered(cells);
    if (!this.#isAsWritten && cells.every((cell) => cell === '')) return [];
    if (this.#isPlain) {
      this.hasRows = true;
      const filled = cells.filter((cell) => cell !== '').map((cell) => cell.replace(/\n+/g, ' '));
      return [{ text: filled.join('; '), isRow: true }];
    }
    const [only] = cells;
    const isLayout = !this.#isAsWritten && this.#columns <= 1;
    if (cells.length === 1 && only !== undefined && isLayout) {
      return [{ text: only, isRow: false }];
    }
    while (cells.length < Math.min(maxPadding, this.#columns)) cells.push('');
    this.#columns = Math.max(this.#columns, cells.length);
    const row = `| ${cells.map(escapeCell).join(' | ')} |`;
    const rule = this.hasRows ? '' : `\n|${' --- |'.repeat(cells.length)}`;
    this.hasRows = true;
    return [{ text: row + rule, isRow: true }];
  }

  /** Adds empty cells where a cell of a row above reaches down. */
  #skipCovered(cells = this.#cells): void {
    for (let rows = this.#covered[cells.length]; rows; rows = this.#covered[cells.length]) {
      this.#covered[cells.length] = rows - 1;
      cells.push('');
    }
  }
}

function spanOf(value: string | undefined): number {
  const span = Number(value);
  return Number.isInteger(span) && span > 1 ? Math.min(span, maxSpan) : 1;
}

function escapeCell(cell: string): string {
  return cell.replaceAll('|', '\\|').replaceAll('\t', ' ').replace(/\n+/g, '<br>');
}
