import Papa from 'papaparse';

/** How a delimited file is written, as found from its first rows. */
export interface CsvDialect {
  delimiter: string;
  /** Empty if the file does not use quotes. */
  quote: '"' | "'" | '';
  /** Lines end in a lone CR, as in classic Mac OS. */
  crOnly: boolean;
  /** Characters of a leading `sep=;` line (Excel's directive) to skip. */
  skip: number;
  /** The usual number of cells in a row. */
  columns: number;
  /** The row that names the columns, counted from 0; undefined if there seems to be none. */
  headerRow: number | undefined;
}

const delimiters = [',', ';', '\t', '|'] as const;
const sampleRows = 200;
/** Shares are compared in steps of a twentieth. */
const scale = 20;

/**
 * @param sample the decoded start of the file; its last line may be cut off
 * @param isWhole whether the sample is the whole file
 * @param preferred delimiter that the extension promises, used if the rows do not decide
 */
export function sniffDialect(sample: string, isWhole: boolean, preferred: string): CsvDialect {
  const directive = /^sep=(.)(?:\r\n|\n|\r)/i.exec(sample);
  const skip = directive?.[0].length ?? 0;
  const text = sample.slice(skip);
  const crOnly = usesLoneCr(text);
  const read = (delimiter: string, quote: '"' | "'"): string[][] =>
    sampleOf(text, delimiter, quote, crOnly, isWhole);

  const candidates = directive?.[1] ? [directive[1]] : delimiters;
  const scored = candidates
    .map((delimiter) => ({ delimiter, ...score(read(delimiter, '"'), delimiter) }))
    .filter((candidate) => candidate.columns > 1)
    .sort(
      (a, b) =>
        b.consistency - a.consistency ||
        Number(b.purity === scale) - Number(a.purity === scale) ||
        Number(b.delimiter === preferred) - Number(a.delimiter === preferred) ||
        b.purity - a.purity ||
        b.columns - a.columns,
    );
  const delimiter = directive?.[1] ?? scored[0]?.delimiter ?? preferred;
  const quote = prefersApostrophes(text, delimiter, read) ? "'" : '"';
  const rows = read(delimiter, quote).filter((row) => !isBlank(row));
  const columns = usualLength(rows).columns;
  return { delimiter, quote, crOnly, skip, columns, headerRow: findHeader(rows, columns) };
}

/** Whether the row is an empty line. */
export function isBlank(row: string[]): boolean {
  return row.length === 1 && row[0] === '';
}

function usesLoneCr(text: string): boolean {
  const outside = text.replace(/"[^"]*"/g, '');
  return /\r(?!\n)./.test(outside) && !outside.includes('\n');
}

function sampleOf(
  text: string,
  delimiter: string,
  quote: '"' | "'",
  crOnly: boolean,
  isWhole: boolean,
): string[][] {
  const newline = crOnly ? '\r' : '\n';
  const parser = new Papa.Parser({ delimiter, newline, quoteChar: quote, preview: sampleRows });
  const { data } = parser.parse(text, 0, !isWhole) as { data: string[][] };
  return data.map((row) => (crOnly ? row : row.map((cell) => cell.replace(/\r$/, ''))));
}

function usualLength(rows: string[][]): { columns: number; consistency: number } {
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(row.length, (counts.get(row.length) ?? 0) + 1);
  const [columns, times] = [...counts].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0] ?? [1, 0];
  return { columns, consistency: rows.length === 0 ? 0 : times / rows.length };
}

/**
 * Purity is the share of cells that hold no other candidate delimiter, decimal commas aside: in
 * `1,5;2,3` both delimiters may split every row alike, but only one leaves whole values.
 */
function score(
  all: string[][],
  delimiter: string,
): { columns: number; consistency: number; purity: number } {
  const rows = all.filter((row) => !isBlank(row));
  const others = delimiters.filter((other) => other !== delimiter);
  const cells = rows.flat();
  const pure = cells.filter(
    (cell) => /^[-+]?[\d.,\s]*$/.test(cell) || !others.some((other) => cell.includes(other)),
  ).length;
  const { columns, consistency } = usualLength(rows);
  return {
    columns,
    consistency: Math.round(consistency * scale),
    purity: cells.length === 0 ? 0 : Math.floor((pure / cells.length) * scale),
  };
}

/**
 * Apostrophes are quotes only if every row has a quoted cell and reading them as quotes makes ragged
 * rows even; a cell like 'tis must not open a quote.
 */
function prefersApostrophes(
  text: string,
  delimiter: string,
  read: (delimiter: string, quote: '"' | "'") => string[][],
): boolean {
  if (!text.includes("'") || text.includes('"')) return false;
  const plain = read(delimiter, '"').filter((row) => !isBlank(row));
  if (plain.length < 4) return false;
  const everyRowQuotes = plain.every(
    (row) => row.some((cell) => cell.startsWith("'")) && row.some((cell) => cell.endsWith("'")),
  );
  const quoted = read(delimiter, "'").filter((row) => !isBlank(row));
  return everyRowQuotes && usualLength(quoted).consistency > usualLength(plain).consistency;
}

/** The first row whose cells are filled, distinct and not numbers; titles above the table are not. */
function findHeader(rows: string[][], columns: number): number | undefined {
  if (columns < 2 || rows.length < 2) return undefined;
  const at = rows
    .slice(0, 5)
    .findIndex(
      (row) =>
        row.length === columns &&
        new Set(row).size === row.length &&
        row.every((cell) => cell.trim() !== '' && !/^[-+]?[\d.,:/\s%-]+$/.test(cell)),
    );
  return at < 0 ? undefined : at;
}
