import { join } from 'node:path';
import { RejectDocument } from '../../journey/errors.ts';
import type { Warning } from '../../journey/record.ts';
import type { Limits } from '../limits.ts';
import { chunksOf } from '../text/chunks.ts';
import { createDecoder, detectEncoding, type Encoding } from '../text/encoding.ts';
import { TextSink } from '../text/sink.ts';
import { TextCleaner, textWarnings } from '../text/text.ts';
import { counted } from '../text/wording.ts';
import type { Conversion, ConvertInput } from '../types.ts';
import { sniffDialect } from './dialect.ts';
import { CsvReader } from './reader.ts';
import { CsvWriter } from './writer.ts';

/**
 * Delimited text to compact CSV (RFC 4180: commas, quotes only where needed, LF), cell for cell, with
 * constant memory. In long files the header row is repeated after a blank line, so that a model that
 * reads the middle knows the columns.
 */

const sampleChars = 128 * 1024;

/** @throws RejectDocument `normalize.empty`, `normalize.line_too_long`, `normalize.too_large` */
export async function convertCsv(input: ConvertInput): Promise<Conversion> {
  const encoding = await detectEncoding(input.path, input.contentType);
  const path = join(input.outDir, 'table.csv');
  const sink = await TextSink.open(path, input.limits.maxOutputBytes);
  try {
    const { writer, warnings } = await convertInto(sink, input, encoding);
    await sink.flush();
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
    await sink.close();
  }
}

async function convertInto(
  sink: TextSink,
  input: ConvertInput,
  encoding: Encoding,
): Promise<{ writer: CsvWriter; warnings: Warning[] }> {
  const decoder = createDecoder(encoding.label);
  const cleaner = new TextCleaner(encoding.isClean);
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
        writer: new CsvWriter(dialect, input.limits.maxRows),
      };
      rows = sample.slice(dialect.skip);
      sample = '';
    }
    await sink.write(pipe.writer.format(pipe.reader.push(rows)));
    if (last) await sink.write(pipe.writer.format(pipe.reader.end()));
    return pipe;
  };

  for await (const chunk of chunksOf(input.path, encoding.bomBytes)) {
    await feed(cleaner.clean(decoder.push(chunk)), false);
  }
  const fed = await feed(cleaner.clean(decoder.end(), true), true);
  if (!fed) throw new Error('the last chunk always starts the table');
  const warnings = [
    ...textWarnings(encoding, cleaner.cleaned),
    ...tableWarnings(fed.reader, fed.writer, input.limits),
  ];
  return { writer: fed.writer, warnings };
}

function tableWarnings(reader: CsvReader, writer: CsvWriter, limits: Limits): Warning[] {
  const warnings: Warning[] = [];
  if (reader.readsQuotesAsText) {
    warnings.push({
      code: 'normalize.stray_quotes',
      message: 'Quotes do not enclose cells in this table; they were read as ordinary characters.',
    });
  }
  if (reader.strayQuotes > 0) {
    warnings.push({
      code: 'normalize.stray_quotes',
      message: `Quotes are opened and never closed in ${counted(reader.strayQuotes, 'line')}; they were read as ordinary characters.`,
    });
  }
  if (writer.ragged > 0) {
    warnings.push({
      code: 'normalize.ragged_rows',
      message: `${writer.ragged} of ${writer.rowsFound} rows have more or fewer cells than usual (${writer.columns}); all cells were kept.`,
    });
  }
  if (writer.rowsKept < writer.rowsFound) {
    warnings.push({
      code: 'normalize.rows_dropped',
      message: `Rows beyond the limit of ${limits.maxRows} were left out: ${writer.rowsFound - writer.rowsKept}.`,
    });
  }
  return warnings;
}
