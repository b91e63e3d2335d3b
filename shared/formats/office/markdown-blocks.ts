/**
 * Paragraphs and tables as Markdown-like text. Only `|` in table cells is escaped: the reader is a
 * language model and citations quote the text, so it stays as the author wrote it.
 */

export interface MarkdownBlock {
  text: string;
  /** List items are on consecutive lines; all other blocks are separated by an empty line. */
  isListItem: boolean;
}

export interface MarkdownCell {
  blocks: MarkdownBlock[];
  /** How many columns of the grid it covers. */
  span: number;
  /** It continues the cell above (`w:vMerge`), which has the text. */
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
 * A table as blocks: a Markdown table whose first row is the header, or just the contents if the
 * "table" is a frame around a single cell.
 */
export function tableBlocks(table: MarkdownTable): MarkdownBlock[] {
  const rows = table.rows.filter((row) => row.length > 0);
  const [first] = rows;
  if (rows.length === 1 && first?.length === 1) return first[0]?.blocks ?? [];

  const widest = rows.reduce((most, row) => Math.max(most, rowWidth(row)), 0);
  // A grid wider than Word allows cannot be trusted, and filling it up would blow up the text.
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
 * A table within a cell, for which Markdown has no syntax: a line for each row, its cells separated
 * by semicolons.
 */
export function nestedTableBlocks(table: MarkdownTable): MarkdownBlock[] {
  return table.rows
    .map((row) => row.map(({ blocks }) => cellText(blocks)).filter((text) => text !== ''))
    .filter((cells) => cells.length > 0)
    .map((cells) => ({ text: cells.join('; '), isListItem: true }));
}

/** Word's limit of columns in a table. */
export const widestGrid = 63;

/** A span as the file states it, limited to `widestGrid`. */
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
