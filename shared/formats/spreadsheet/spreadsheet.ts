import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Warning } from '../../journey/record.ts';
import type { Limits } from '../limits.ts';
import { mainPartName } from '../office/package.ts';
import { rejectProtected } from '../safety/protection.ts';
import { hiddenTextWarnings } from '../safety/visibility.ts';
import { openXmlPackage } from '../safety/xml.ts';
import { openZip } from '../safety/zip.ts';
import { counted } from '../text/wording.ts';
import type { Conversion, ConvertInput } from '../types.ts';
import { readLegacyWorkbook } from './legacy.ts';
import { readOds } from './ods.ts';
import { SpreadsheetWriter } from './writer.ts';
import { checkXlsxParts, readXlsx, type WorkbookFindings } from './xlsx.ts';

/**
 * A workbook to text, sheet by sheet in the order of its tabs: xlsx and ods by our own readers (xlsx
 * in memory that does not grow with the rows), xls and xlsb by SheetJS.
 *
 * `rowsFound` counts rows that are not empty, `rowsKept` those within `maxRows` for each sheet and
 * `maxCells` for the workbook.
 *
 * @throws RejectDocument `normalize.corrupt`, `normalize.encrypted`, `normalize.too_large` and
 *   those of `openZip`
 */
export async function convertSpreadsheet(input: ConvertInput): Promise<Conversion> {
  const target = path.join(input.outDir, 'workbook.txt');
  const file = await open(target, 'w');
  try {
    const writer = new SpreadsheetWriter(file, input.limits);
    const { pictures, warnings } = await readWorkbookOf(input, writer);
    await writer.flush(true);
    return {
      outcome: 'file',
      path: target,
      mimeType: 'text/plain',
      block: 'document',
      fidelity: {
        route: `${input.format ?? 'xlsx'}→text`,
        imagesFound: pictures,
        imagesKept: 0,
        rowsFound: writer.rowsFound,
        rowsKept: writer.rowsKept,
        warnings: [...tableWarnings(writer, pictures, input.limits), ...warnings],
      },
      parts: [],
    };
  } finally {
    await file.close();
  }
}

async function readWorkbookOf(
  input: ConvertInput,
  writer: SpreadsheetWriter,
): Promise<WorkbookFindings> {
  const { path: source, limits, format } = input;
  if (format === 'xls') {
    return { pictures: 0, warnings: await readLegacyWorkbook(source, limits, writer) };
  }
  if (format === 'ods') {
    const zip = await openXmlPackage(source, limits, { allowDoctype: true });
    try {
      await rejectProtected(zip);
      return await readOds(zip, limits, writer);
    } finally {
      zip.close();
    }
  }
  const zip = await openZip(source, limits);
  try {
    await checkXlsxParts(zip, limits);
    const mainName = await mainPartName(zip, 'xl/workbook.xml', limits);
    if (!/\.bin$/i.test(mainName)) return await readXlsx(zip, limits, writer);
    const pictures = zip.entries.filter(({ name }) => /^xl\/media\/[^/]+/i.test(name)).length;
    return { pictures, warnings: await readLegacyWorkbook(source, limits, writer) };
  } finally {
    zip.close();
  }
}

function tableWarnings(writer: SpreadsheetWriter, pictures: number, limits: Limits): Warning[] {
  const warnings: Warning[] = [];
  if (writer.rowsFound === 0) {
    warnings.push({
      code: 'normalize.no_text',
      message: 'No sheet of the workbook has any cells.',
    });
  }
  if (writer.rowsKept < writer.rowsFound) {
    warnings.push({
      code: 'normalize.rows_dropped',
      message: `Rows beyond the limits (${limits.maxRows} rows per sheet, ${limits.maxCells} cells) were left out: ${writer.rowsFound - writer.rowsKept}.`,
    });
  }
  warnings.push(...hiddenTextWarnings(writer.hiddenWords));
  if (pictures > 0) {
    warnings.push({
      code: 'normalize.image_lost',
      message: `${counted(pictures, 'picture')} on the sheets could not be kept in text.`,
    });
  }
  return warnings;
}
