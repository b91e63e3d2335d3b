/**
 * Paragraphs and tables as Markdown-like text. Nothing but `|` in table cells is escaped: the
 * reader is a language model and citations quote the text, so it stays as the author wrote it.
 */

export interface MarkdownBlock {
  text: string;
  /** Items of one list stand on consecutive lines, all else is parted by an empty line. */
  isListItem: boolean;
}

export interface MarkdownCell {
  blocks: MarkdownBlock[];
  /** Columns of the grid it covers. */
  span: number;
  /** It belongs to the cell above (`w:vMerge`), so its text is there. */
  continues: boolean;
}

export interface MarkdownTable {
  rows: MarkdownCell[][];
}

/** The blocks as one text, without a line break at the end. */
export function joinBlocks(blocks: MarkdownBlock[]): string {
  let text = '';
  let previous: MarkdownBlock | undefined;
  for (const block of blocks) {
    if (previous) text += previous.isListItem && block.isListItem ? '\n' : '\n\n';
    text += block.text;
    previous = block;
  }
  return text;
}

/**
 * A table as blocks: a Markdown table whose first row is the header, or the contents themselves
 * when the "table" is a frame around a single cell.
 */
export function tableBlocks(table: MarkdownTable): MarkdownBlock[] {
  const rows = table.rows.filter((row) => row.length > 0);
  const [first] = rows;
  if (rows.length === 1 && first?.length === 1) return first[0]?.blocks ?? [];

  const widest = rows.reduce((most, row) => Math.max(most, rowWidth(row)), 0);
  // Wider than Word allows: the grid cannot be trusted, and filling it up would blow up the text.
  const isSound = widest <= widestGrid;
  const columns = isSound ? widest : Math.max(1, first?.length ?? 1);
  const lines: string[] = [];
  let anything = false;
  for (const row of rows) {
    const cells: string[] = [];
    for (const cell of row) {
      const text = cell.continues ? '' : cellText(cell.blocks);
      anything ||= text !== '';
      cells.push(text);
      for (let more = 1; isSound && more < cell.span; more++) cells.push('');
    }
    while (isSound && cells.length < columns) cells.push('');
    lines.push(`| ${cells.join(' | ')} |`);
    if (lines.length === 1) lines.push(`|${' --- |'.repeat(columns)}`);
  }
  return anything ? [{ text: lines.join('\n'), isListItem: false }] : [];
}

/**
 * A table within a cell, where Markdown has no second level: a line a row, its cells parted by
 * semicolons.
 */
export function nestedTableBlocks(table: MarkdownTable): MarkdownBlock[] {
  return table.rows
    .map((row) => row.map(({ blocks }) => cellText(blocks)).filter((text) => text !== ''))
    .filter((cells) => cells.length > 0)
    .map((cells) => ({ text: cells.join('; '), isListItem: true }));
}

/** Word's own limit of columns in a table. */
export const widestGrid = 63;

/** A span as the file states it, within reason. */
export function spanOf(value: string | undefined): number {
  const span = Number(value);
  return Number.isInteger(span) && span > 1 ? Math.min(span, widestGrid) : 1;
}

function rowWidth(row: MarkdownCell[]): number {
  return row.reduce((sum, { span }) => sum + span, 0);
}

function cellText(blocks: MarkdownBlock[]): string {
  return blocks
    .map(({ text }) => text)
    .join('\n')
    .replaceAll('|', '\\|')
    .replaceAll('\t', ' ')
    .replace(/\n+/g, '<br>');
}
