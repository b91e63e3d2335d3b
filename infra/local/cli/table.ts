import { stripVTControlCharacters } from 'node:util';
import type { DocumentRecord } from '../../../shared/journey/record.ts';

/** The width of the terminal, and whether it shows colours. */
export interface TableStyle {
  columns: number;
  colour: boolean;
}

const headings = ['document', 'status', 'route', 'title', 'size', 'cost'];

/** Minimum width of the title column, and the length at which a key is cut. */
const minTitle = 16;
const maxKey = 44;

/** The records as a table, with the error and its advice below each that has one. */
export function renderTable(records: DocumentRecord[], style: TableStyle): string {
  const rows = records.map((record) => [
    cut(clean(record.key), maxKey),
    record.status,
    record.fidelity?.route ?? '',
    clean(titleOf(record)),
    extent(record),
    cost(record.usage?.costUsd),
  ]);
  const widths = headings.map((heading, column) =>
    Math.max(width(heading), ...rows.map((row) => width(row[column] ?? ''))),
  );
  const used = widths.reduce((sum, each) => sum + each + 2, 0) - (widths[3] ?? 0);
  widths[3] = Math.max(minTitle, Math.min(widths[3] ?? 0, style.columns - used));

  const line = (cells: string[]) =>
    cells
      .map((cell, column) => {
        const text = cut(cell, widths[column] ?? 0);
        const padding = ' '.repeat((widths[column] ?? 0) - width(text));
        return column >= 4 ? padding + text : text + padding;
      })
      .join('  ')
      .trimEnd();
  const out = [paint(line(headings), 'dim', style)];
  for (const [index, record] of records.entries()) {
    out.push(paintStatus(line(rows[index] ?? []), record.status, style));
    if (!record.error) continue;
    out.push(problem(record.error, style).trimEnd());
  }
  return `${out.join('\n')}\n`;
}

/** What stands for a document: the title of its summary, or how many values were found. */
function titleOf({ summary, fields }: DocumentRecord): string {
  if (summary || !fields) return summary?.title ?? '';
  const { evidence, ungrounded, location } = fields;
  const count = location === undefined ? `${evidence.length}` : 'many';
  return `fields: ${count} quotes${ungrounded > 0 ? `, ${ungrounded} not found` : ''}`;
}

/** One record on a line, for output that grows, with its error and advice below. */
export function renderLine(record: DocumentRecord, style: TableStyle): string {
  const { status, error, usage } = record;
  const name = cut(clean(record.key), maxKey);
  const details = [cut(clean(titleOf(record)), 60), cost(usage?.costUsd)].filter(Boolean);
  const rest = status === 'ready' && details.length > 0 ? `  ${details.join(' · ')}` : '';
  const line = `${paint(status.padEnd(7), colourOf(status), style)}  ${name}${rest}\n`;
  return error ? line + problem(error, style) : line;
}

/** The line for a document that resumed after it was held or had failed. */
export function renderResumed({ key }: DocumentRecord, style: TableStyle): string {
  return `${paint('resumed', 'dim', style)}  ${cut(clean(key), maxKey)}\n`;
}

/** The record whose summary best shows what Dropline does: the one with the most citations. */
export function showpiece(records: DocumentRecord[]): DocumentRecord | undefined {
  const weight = ({ summary }: DocumentRecord) =>
    (summary?.citations.length ?? 0) + (summary?.keyPoints.length ?? 0) / 100;
  return records
    .filter(({ status, summary }) => status === 'ready' && summary)
    .reduce<DocumentRecord | undefined>(
      (best, record) => (best && weight(best) >= weight(record) ? best : record),
      undefined,
    );
}

/** A ready document's summary in full, wrapped to the terminal. */
export function renderSummary(record: DocumentRecord, style: TableStyle): string {
  const { summary } = record;
  if (!summary) return '';
  const columns = Math.min(style.columns, 100);
  const citations =
    summary.citations.length > 0 ? `, ${summary.citations.length} citations` : ', no citations';
  return [
    paint(clean(summary.title), 'bold', style),
    ...wrap(clean(summary.text), columns),
    ...summary.keyPoints.flatMap((point) =>
      wrap(clean(point), columns - 2).map((text, index) => `${index === 0 ? '• ' : '  '}${text}`),
    ),
    paint(
      `${clean(record.key)} · ${summary.language} · ${summary.model}${citations} · ${record.fileId ?? ''}`,
      'dim',
      style,
    ),
    '',
  ].join('\n');
}

/** The totals in one line, such as `7 ready, 1 failed · $0.0042`. */
export function renderTotals(records: DocumentRecord[]): string {
  const counts = new Map<string, number>();
  let spent = 0;
  for (const { status, usage } of records) {
    counts.set(status, (counts.get(status) ?? 0) + 1);
    spent += usage?.costUsd ?? 0;
  }
  const parts = [...counts].map(([status, count]) => `${count} ${status}`);
  return `${parts.join(', ') || 'no documents'}${spent > 0 ? ` · ${cost(spent)}` : ''}`;
}

function extent({ fidelity, sizeBytes }: DocumentRecord): string {
  if (fidelity?.pages !== undefined) return `${fidelity.pages} p`;
  if (fidelity?.rowsFound !== undefined) return `${fidelity.rowsFound} rows`;
  return sizeBytes === undefined ? '' : bytes(sizeBytes);
}

/** A size for people, such as `2.0 KB`. */
function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const units = ['KB', 'MB', 'GB'];
  let value = count / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

function cost(usd: number | undefined): string {
  if (usd === undefined) return '';
  return usd === 0 || usd >= 0.01 ? `$${usd.toFixed(2)}` : `$${usd.toPrecision(2)}`;
}

/** Removes what could move the cursor or colour the terminal: the text comes from documents. */
function clean(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .trim();
}

const segments = new Intl.Segmenter();
const wide =
  /\p{Extended_Pictographic}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;

const graphemes = (text: string) => Array.from(segments.segment(text), ({ segment }) => segment);

/** Width of a text on a terminal in columns: two for East Asian wide characters and emoji. */
function width(text: string): number {
  return graphemes(text).reduce((sum, each) => sum + (wide.test(each) ? 2 : 1), 0);
}

function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let out = '';
  let used = 0;
  for (const each of graphemes(text)) {
    used += wide.test(each) ? 2 : 1;
    if (used > columns - 1) break;
    out += each;
  }
  return `${out}…`;
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && width(line) + 1 + width(word) > columns) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

const codes = { dim: 2, bold: 1, red: 31, green: 32, yellow: 33 } as const;

function paint(text: string, colour: keyof typeof codes, style: TableStyle): string {
  return style.colour ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text;
}

function paintStatus(line: string, status: string, style: TableStyle): string {
  return line.replace(` ${status} `, ` ${paint(status, colourOf(status), style)} `);
}

function colourOf(status: string): keyof typeof codes {
  if (status === 'ready') return 'green';
  return status === 'failed' ? 'red' : 'yellow';
}

function problem(error: NonNullable<DocumentRecord['error']>, style: TableStyle): string {
  return `  ${paint(error.code, 'red', style)}: ${clean(error.message)}\n  ${clean(error.advice)}\n`;
}
