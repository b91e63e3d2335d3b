import Papa from 'papaparse';

/** How a delimited file is written, as found from its first rows. */
export interface CsvDialect {
  delimiter: string;
  /** Empty if the file does not use quotes. */
  quote: '"' | "'" | '';
  /** Quotes within quoted cells are written `\\"` (MySQL, Spark), not `""`. */
  hasBackslashes: boolean;
  /** Lines end in CR CR LF, as Python on Windows writes them without `newline=''`. */
  crCrLf: boolean;
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
  const crCrLf = !crOnly && text.includes('\r\r\n');
  const read = (delimiter: string, quote: CsvDialect['quote'], escapeChar?: string): Sample =>
    sampleOf(text, { delimiter, quote, escapeChar, crOnly, isWhole });

  const candidates = directive?.[1] ? [directive[1]] : delimiters;
  const scored = candidates
    .map((delimiter) => ({ delimiter, ...bestScore(read, delimiter) }))
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
  const { quote, hasBackslashes } = quotingOf(text, delimiter, read);
  const rows = read(delimiter, quote, hasBackslashes ? '\\' : undefined).rows;
  const filled = rows.filter((row) => !isBlank(row));
  const columns = usualLength(filled).columns;
  const headerRow = findHeader(filled, columns);
  return { delimiter, quote, hasBackslashes, crOnly, crCrLf, skip, columns, headerRow };
}

/** Whether the row is an empty line. */
export function isBlank(row: string[]): boolean {
  return row.length === 1 && row[0] === '';
}

function usesLoneCr(text: string): boolean {
  const outside = text.replace(/"[^"]*"/g, '');
  return /\r(?!\n)./.test(outside) && !outside.includes('\n');
}

/** The first rows of a file, read in one way. */
interface Sample {
  rows: string[][];
  /** Cells whose quotes do not fit: text after the closing one, or none that closes. */
  faults: number;
}

type Read = (delimiter: string, quote: CsvDialect['quote'], escapeChar?: string) => Sample;

function sampleOf(
  text: string,
  {
    delimiter,
    quote,
    escapeChar,
    crOnly,
    isWhole,
  }: Pick<CsvDialect, 'delimiter' | 'quote' | 'crOnly'> & {
    escapeChar: string | undefined;
    isWhole: boolean;
  },
): Sample {
  const newline = crOnly ? '\r' : '\n';
  const quoting = quote === '' ? { fastMode: true } : { quoteChar: quote };
  const parser = new Papa.Parser({
    ...{ delimiter, newline, preview: sampleRows },
    ...quoting,
    ...(escapeChar === undefined ? {} : { escapeChar }),
  });
  const { data, errors } = parser.parse(text, 0, !isWhole) as Papa.ParseResult<string[]>;
  const rows = data.map((row) => (crOnly ? row : row.map((cell) => cell.replace(/\r+$/, ''))));
  // A sample that is cut off may end within quotes.
  const faults = errors.filter(({ code }) => isWhole || code === 'InvalidQuotes').length;
  return { rows, faults };
}

/** The better of two readings: with quotes, and with quotes as ordinary characters. */
function bestScore(read: Read, delimiter: string): ReturnType<typeof score> {
  const quoted = score(read(delimiter, '"').rows, delimiter);
  if (quoted.consistency === scale) return quoted;
  const plain = score(read(delimiter, '').rows, delimiter);
  return plain.consistency === scale && plain.columns > 1 ? plain : quoted;
}

/** How the file uses quotes. */
function quotingOf(
  text: string,
  delimiter: string,
  read: Read,
): Pick<CsvDialect, 'quote' | 'hasBackslashes'> {
  if (prefersApostrophes(text, delimiter, read)) return { quote: "'", hasBackslashes: false };
  const usual = { quote: '"', hasBackslashes: false } as const;
  if (!text.includes('"')) return usual;
  const quoted = read(delimiter, '"');
  if (text.includes('\\"') && quoted.faults > 0 && read(delimiter, '"', '\\').faults === 0) {
    return { quote: '"', hasBackslashes: true };
  }
  return quotesAreText(quoted, read(delimiter, '')) ? { quote: '', hasBackslashes: false } : usual;
}

/**
 * Quotes are ordinary characters if they do not fit, or swallow line breaks, while without them every line has as many cells; and
 * if most cells that have any are not in quotes as a whole.
 */
function quotesAreText(quoted: Sample, plain: Sample): boolean {
  const lines = plain.rows.filter((row) => !isBlank(row));
  const { columns, consistency } = usualLength(lines);
  if (columns < 2 || lines.length < 3 || consistency < 1) return false;
  const swallows = quoted.rows.some((row) => row.some((cell) => cell.includes('\n')));
  if (quoted.faults === 0 && !swallows) return false;
  const withQuotes = lines.flat().filter((cell) => cell.includes('"'));
  const whole = withQuotes.filter((cell) => /^"(?:[^"]|"")*"$/.test(cell)).length;
  return withQuotes.length > 2 * whole;
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
function prefersApostrophes(text: string, delimiter: string, read: Read): boolean {
  if (!text.includes("'") || text.includes('"')) return false;
  const plain = read(delimiter, '"').rows.filter((row) => !isBlank(row));
  if (plain.length < 4) return false;
  const everyRowQuotes = plain.every(
    (row) => row.some((cell) => cell.startsWith("'")) && row.some((cell) => cell.endsWith("'")),
  );
  const quoted = read(delimiter, "'").rows.filter((row) => !isBlank(row));
  return everyRowQuotes && usualLength(quoted).consistency > usualLength(plain).consistency;
}

/**
 * The first row that fills most cells, unless it holds numbers; titles above the table fill few. A column may lack a name (an
 * index, as pandas writes it) and two may share one.
 */
function findHeader(rows: string[][], columns: number): number | undefined {
  if (columns < 2 || rows.length < 2) return undefined;
  const isFilled = (cell: string): boolean => cell.trim() !== '';
  const at = rows
    .slice(0, 5)
    .findIndex((row) => row.length === columns && row.filter(isFilled).length > columns / 2);
  const isNumber = (cell: string): boolean => /^[-+]?[\d.,:/\s%-]+$/.test(cell) && isFilled(cell);
  return at < 0 || rows[at]?.some(isNumber) ? undefined : at;
}
