import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { RejectDocument } from '../errors.ts';
import { isBlank, sniffDialect } from './csv-dialect.ts';
import { CsvReader } from './csv-reader.ts';
import { createDecoder, detectEncoding, type Encoding } from './encoding.ts';
import type { Limits } from './limits.ts';
import { chunksOf, TextCleaner, textWarnings } from './text.ts';
import type { Conversion, ConvertInput, Warning } from './types.ts';

/**
 * Delimited text to compact CSV (RFC 4180, commas, quotes only where needed, LF): cell for cell,
 * from file to file in flat memory. In long files the header row is repeated, after a blank line,
 * so that a model reading the middle knows the columns.
 */

const sampleChars = 128 * 1024;
/** Characters of output after which the header is repeated; more when the header is long. */
const repeatEvery = 32 * 1024;
const headerShare = 16;

/** @throws RejectDocument `normalize.empty`, `normalize.line_too_long`, `normalize.too_large` */
export async function convertCsv(input: ConvertInput): Promise<Conversion> {
  const encoding = await detectEncoding(input.path, input.contentType);
  const path = join(input.outDir, 'table.csv');
  const file = await open(path, 'w');
  try {
    const { writer, warnings } = await convertInto(file, input, encoding);
    if (writer.rowsFound === 0) {
      throw new RejectDocument({ code: 'normalize.empty', message: 'The table has no rows.' });
    }
    return {
      outcome: 'file',
      path,
      mimeType: 'text/plain',
      block: 'document',
      fidelity: {
        route: `${input.format === 'tsv' ? 'tsv' : 'csv'}→text`,
        encoding: encoding.label,
        rowsFound: writer.rowsFound,
        rowsKept: writer.rowsKept,
        warnings,
      },
      parts: [],
    };
  } finally {
    await file.close();
  }
}

async function convertInto(
  file: FileHandle,
  input: ConvertInput,
  encoding: Encoding,
): Promise<{ writer: CsvWriter; warnings: Warning[] }> {
  const decoder = createDecoder(encoding.label);
  const cleaner = new TextCleaner();
  let sample = '';
  let pipe: { reader: CsvReader; writer: CsvWriter } | undefined;

  const feed = async (text: string, last: boolean): Promise<typeof pipe> => {
    let rows = text;
    if (!pipe) {
      sample += text;
      if (sample.length < sampleChars && !last) return undefined;
      const start = sample.slice(0, sampleChars);
      const preferred = input.format === 'tsv' ? '\t' : ',';
      const dialect = sniffDialect(start, last && start.length === sample.length, preferred);
      pipe = {
        reader: new CsvReader(dialect, input.limits.maxLineChars),
        writer: new CsvWriter(file, dialect, input.limits),
      };
      rows = sample.slice(dialect.skip);
      sample = '';
    }
    await pipe.writer.write(pipe.reader.push(rows));
    if (last) await pipe.writer.write(pipe.reader.end());
    return pipe;
  };

  for await (const chunk of chunksOf(input.path, encoding.bomBytes)) {
    await feed(cleaner.clean(decoder.push(chunk)), false);
  }
  const fed = await feed(cleaner.clean(decoder.end(), true), true);
  if (!fed) throw new Error('the last feed always begins the table');
  const warnings = [
    ...textWarnings(encoding, cleaner.cleaned),
    ...tableWarnings(fed.reader, fed.writer, input.limits),
  ];
  return { writer: fed.writer, warnings };
}

function tableWarnings(reader: CsvReader, writer: CsvWriter, limits: Limits): Warning[] {
  const warnings: Warning[] = [];
  if (reader.strayQuotes > 0) {
    warnings.push({
      code: 'normalize.stray_quotes',
      message: `${reader.strayQuotes} lines open a quote that is never closed; they were read as they stand.`,
    });
  }
  if (writer.ragged > 0) {
    warnings.push({
      code: 'normalize.ragged_rows',
      message: `${writer.ragged} of ${writer.rowsFound} rows do not have the usual ${writer.columns} cells; they are kept as they are.`,
    });
  }
  if (writer.rowsKept < writer.rowsFound) {
    warnings.push({
      code: 'normalize.rows_dropped',
      message: `${writer.rowsFound - writer.rowsKept} rows beyond the limit of ${limits.maxRows} were left out.`,
    });
  }
  return warnings;
}

/** Writes rows as CSV, counts them, repeats the header. */
class CsvWriter {
  rowsFound = 0;
  rowsKept = 0;
  ragged = 0;
  readonly columns: number;
  #bytes = 0;
  #sinceHeader = 0;
  #header: string | undefined;
  #repeatEvery = repeatEvery;
  readonly #headerRow: number | undefined;
  readonly #file: FileHandle;
  readonly #limits: Limits;

  constructor(
    file: FileHandle,
    dialect: { columns: number; headerRow: number | undefined },
    limits: Limits,
  ) {
    this.#file = file;
    this.columns = dialect.columns;
    this.#headerRow = dialect.headerRow;
    this.#limits = limits;
  }

  async write(rows: string[][]): Promise<void> {
    let out = '';
    for (const row of rows) {
      const line = this.#lineOf(row);
      if (line !== undefined) out += line;
    }
    await this.#put(out);
  }

  #lineOf(row: string[]): string | undefined {
    if (isBlank(row)) return '\n';
    const index = this.rowsFound;
    this.rowsFound += 1;
    if (row.length !== this.columns) this.ragged += 1;
    if (this.rowsKept >= this.#limits.maxRows) return undefined;
    this.rowsKept += 1;
    const line = `${formatRow(row)}\n`;
    if (index === this.#headerRow) {
      this.#header = line;
      this.#repeatEvery = Math.max(repeatEvery, line.length * headerShare);
    }
    this.#sinceHeader += line.length;
    if (this.#header === undefined || this.#sinceHeader < this.#repeatEvery) return line;
    this.#sinceHeader = line.length;
    return `\n${this.#header}${line}`;
  }

  async #put(text: string): Promise<void> {
    if (text === '') return;
    this.#bytes += (await this.#file.write(text)).bytesWritten;
    if (this.#bytes > this.#limits.maxOutputBytes) {
      throw new RejectDocument({
        code: 'normalize.too_large',
        message: `The table has more than ${this.#limits.maxOutputBytes} bytes as text.`,
      });
    }
  }
}

const needsQuotes = /[",\r\n]/;

/** One row of RFC 4180 without its line break. */
function formatRow(row: string[]): string {
  const joined = row.join(',');
  // Most rows have no cell to quote: as many commas as between cells, and no quote or line break.
  if (!needsQuotes.test(row.join(''))) return joined;
  return row
    .map((cell) => (needsQuotes.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(',');
}
