import type { Warning } from '../../journey/record.ts';
import type { Limits } from '../limits.ts';
import { packageWarnings } from '../office/package.ts';
import { readXmlStream } from '../office/xml.ts';
import { checkXml } from '../safety/xml.ts';
import type { SafeZip, ZipEntry } from '../safety/zip.ts';
import { counted, countedWere } from '../text/wording.ts';
import type { Merge } from './cells.ts';
import { hiddenCells, hiddenSheets, uncalculatedFormulas } from './warnings.ts';
import type { SpreadsheetWriter } from './writer.ts';
import { readExtras } from './xlsx-extras.ts';
import { isPlainSheet } from './xlsx-looks.ts';
import { mergesIn, type SheetFindings, WorksheetReader } from './xlsx-sheet.ts';
import { readWorkbook, type SheetEntry, streamOf, type Workbook } from './xlsx-workbook.ts';

/** Worksheets up to this many bytes are held in memory, to know their merged cells before the rows. */
const heldBytes = 16 * 1024 * 1024;

/** What was found in a workbook besides its rows. */
export interface WorkbookFindings {
  pictures: number;
  warnings: Warning[];
}

/** Parts that grow with the rows. They are read as streams, so their size is not limited. */
const growing = /(^|\/)(worksheets\/[^/]+|sharedStrings)\.xml$/i;

/**
 * Checks the parts that are not read as streams: XML for what attacks hide in it, all others for
 * their checksum.
 * @throws RejectDocument like `checkXml` and `SafeZip.verify`
 */
export async function checkXlsxParts(zip: SafeZip, limits: Limits): Promise<void> {
  const isXml = ({ name }: ZipEntry) => /\.(xml|rels|vml|xsd)$/i.test(name);
  for (const entry of zip.entries) {
    if (!isXml(entry) || growing.test(entry.name)) continue;
    checkXml(await zip.read(entry, limits.maxXmlBytes), limits);
  }
  await zip.verify((entry) => !isXml(entry));
}

/** Reads an opened and checked xlsx into `writer`. @throws RejectDocument `normalize.corrupt` */
export async function readXlsx(
  zip: SafeZip,
  limits: Limits,
  writer: SpreadsheetWriter,
): Promise<WorkbookFindings> {
  const workbook = await readWorkbook(zip, limits);
  const found: SheetFindings = { uncalculated: 0, sharedCharacters: 0 };
  let pictures = 0;
  let charts = 0;
  const unread: string[] = [];

  for (const sheet of workbook.sheets) {
    writer.beginSheet({ name: sheet.name, remark: remarkOf(sheet) });
    const entry = zip.find(sheet.partName);
    if (sheet.type === 'worksheet' && entry) {
      const links = await readSheet(zip, entry, workbook, found, limits, writer);
      const extras = await readExtras(zip, sheet.partName, limits);
      pictures += extras.pictures;
      charts += extras.charts;
      writer.list('Comments', extras.comments);
      writer.list('Text boxes', extras.texts);
      writer.list(
        'Links',
        links.flatMap(({ ref, id }) => {
          const target = extras.linkTargets.get(id);
          return target ? [`${ref}: ${target}`] : [];
        }),
      );
      writer.endSheet();
    } else {
      if (entry) charts += (await readExtras(zip, sheet.partName, limits)).charts;
      unread.push(sheet.name);
      writer.unreadSheet();
    }
    await writer.flush();
  }

  const hidden = workbook.sheets.filter(({ state }) => state !== 'visible');
  const warnings = [
    ...hiddenSheets(hidden.map(({ name }) => name)),
    ...hiddenCells(writer.hidden),
    ...unreadSheets(unread),
    ...uncalculatedFormulas(found.uncalculated),
    ...lostCharts(charts),
    ...embeddedFiles(zip),
    ...(await packageWarnings(zip, limits)),
  ];
  return { pictures, warnings };
}

/** Files inside the workbook: documents, presentations, packages of other programs. */
function embeddedFiles(zip: SafeZip): Warning[] {
  const count = zip.entries.filter(({ name }) => /^xl\/embeddings\/[^/]+$/i.test(name)).length;
  if (count === 0) return [];
  return [
    {
      code: 'normalize.embedded_object',
      message: `${countedWere(count, 'embedded file')} not read. Save each as a file of its own and drop that.`,
    },
  ];
}

function unreadSheets(names: string[]): Warning[] {
  if (names.length === 0) return [];
  return [
    {
      code: 'normalize.sheet_unread',
      message: `Sheets without cells (charts, dialogs, macros) were not read: ${names.join(', ')}.`,
    },
  ];
}

function lostCharts(count: number): Warning[] {
  if (count === 0) return [];
  return [
    {
      code: 'normalize.chart_lost',
      message: `${counted(count, 'chart')} could not be kept in text; the cells they show were.`,
    },
  ];
}

function remarkOf({ state, type }: SheetEntry): string | undefined {
  const remarks: string[] = [];
  if (state !== 'visible') remarks.push('hidden');
  if (type !== 'worksheet') remarks.push(type === 'chartsheet' ? 'chart' : 'not a worksheet');
  return remarks.length > 0 ? remarks.join(', ') : undefined;
}

async function readSheet(
  zip: SafeZip,
  entry: ZipEntry,
  workbook: Workbook,
  found: SheetFindings,
  limits: Limits,
  writer: SpreadsheetWriter,
): Promise<WorksheetReader['links']> {
  let merges: Merge[] = [];
  let isPlain = false;
  let chunks: AsyncIterable<Buffer> = streamOf(zip, entry);
  if (entry.uncompressedSize <= heldBytes) {
    const held = await zip.read(entry, heldBytes);
    merges = mergesIn(held);
    isPlain = isPlainSheet(held);
    chunks = slices(held);
  }
  const reader = new WorksheetReader(workbook, found, merges, isPlain, (cells, isHidden) => {
    writer.row(cells, { isHidden, hiddenColumns: reader.hiddenColumns });
  });
  await readXmlStream(chunks, entry.name, reader, limits.maxXmlDepth, () => writer.flush());
  return reader.links;
}

async function* slices(held: Buffer): AsyncGenerator<Buffer> {
  const size = 256 * 1024;
  for (let at = 0; at < held.length; at += size) yield held.subarray(at, at + size);
}
