import { readFile } from 'node:fs/promises';
import { type OfficeParserAST, parseOffice } from 'officeparser';
import { RejectDocument } from '../../journey/errors.ts';
import type { Warning } from '../../journey/record.ts';
import { joinBlocks } from '../office/markdown-blocks.ts';
import { packageWarnings } from '../office/package.ts';
import { rejectProtected } from '../safety/protection.ts';
import { hiddenTextWarnings } from '../safety/visibility.ts';
import { openXmlPackage } from '../safety/xml.ts';
import { writeTextConversion } from '../text/output.ts';
import { counted, countedWere } from '../text/wording.ts';
import type { Conversion, ConvertInput } from '../types.ts';
import { officeText, type SlideAdditions } from './ast-text.ts';
import { type Hidden, rtfWithoutHiddenText, withoutHiddenText } from './hidden/index.ts';
import { readPptxExtras } from './pptx-extras.ts';
import { withSigns } from './rtf-signs.ts';

type OfficeFormat = 'pptx' | 'odt' | 'odp' | 'rtf' | 'epub';

/** officeparser needs some twenty times the size of a document; for larger ones there is advice. */
const maxRtfBytes = 64 * 1024 * 1024;

/**
 * Presentations, OpenDocument texts, RTF and EPUB to Markdown-like text by officeparser. Slides,
 * speaker notes and comments stay apart. Text that a reader does not see is left out and counted; hidden
 * slides are marked. Pictures are lost and counted; in pptx the data of charts
 * and the text of diagrams are kept.
 *
 * @throws RejectDocument `normalize.encrypted`, `normalize.corrupt`, `normalize.too_large` and those
 *   of `openXmlPackage`
 */
export async function convertOffice(input: ConvertInput): Promise<Conversion> {
  const format = formatOf(input);
  const { bytes, hidden, additions, slides, warnings } =
    format === 'rtf' ? await readRtf(input) : await readPackage(format, input);
  warnings.push(...hiddenSlideWarnings(hidden.slides), ...hiddenTextWarnings(hidden.words));

  const ast = await parse(hidden.bytes ?? bytes, format, input);
  const content = [...(ast.auxiliary?.headers ?? []), ...ast.content];
  const { blocks, images, charts } = officeText([...content, ...(ast.auxiliary?.footers ?? [])], {
    additions,
    hidden: new Set(hidden.slides),
  });
  const imagesFound = format === 'rtf' ? countRtfPictures(bytes) : images;
  if (imagesFound > 0) {
    warnings.push({
      code: 'normalize.image_lost',
      message: `${counted(imagesFound, 'picture')} could not be kept in text. Save the file as PDF to keep pictures.`,
    });
  }
  if (charts > 0 && format !== 'pptx') {
    warnings.push({
      code: 'normalize.chart_lost',
      message: `${counted(charts, 'chart')} could not be kept in text.`,
    });
  }
  if (ast.warnings.some(({ code }) => /LIMIT|NOT_READ/.test(code))) {
    warnings.push({
      code: 'normalize.content_dropped',
      message: 'Parts of the document were too large to read and were left out.',
    });
  }
  const text = joinBlocks(blocks);
  if (blocks.every(({ text: block }) => /^# Slide \d+(?: \(hidden\))?$/.test(block))) {
    warnings.push({ code: 'normalize.no_text', message: 'The document holds no text.' });
  }
  return writeTextConversion(
    input.outDir,
    text || 'This document is blank.',
    {
      route: `${format}→text`,
      imagesFound,
      imagesKept: 0,
      ...(slides === undefined ? {} : { pages: slides }),
      warnings,
    },
    input.limits,
  );
}

/** A file as it goes to the parser, and what is known of it before. */
interface Prepared {
  bytes: Buffer;
  hidden: Hidden;
  additions: SlideAdditions;
  slides?: number;
  warnings: Warning[];
}

async function readRtf(input: ConvertInput): Promise<Prepared> {
  checkRtfSize(input.sizeBytes);
  const bytes = await readFile(input.path);
  const hidden = rtfWithoutHiddenText(bytes);
  const { rtf, deletions } = withSigns((hidden.bytes ?? bytes).toString('latin1'));
  hidden.bytes = Buffer.from(rtf, 'latin1');
  const warnings: Warning[] = [];
  if (deletions > 0) {
    warnings.push({
      code: 'normalize.tracked_changes',
      message: `The document has tracked changes: ${deletions} deletions left out, insertions were accepted.`,
    });
  }
  return { bytes, hidden, additions: new Map(), warnings };
}

async function readPackage(
  format: Exclude<OfficeFormat, 'rtf'>,
  input: ConvertInput,
): Promise<Prepared> {
  const zip = await openXmlPackage(input.path, input.limits, { allowDoctype: format !== 'pptx' });
  try {
    await rejectProtected(zip);
    const hidden = await withoutHiddenText(zip, format, input.limits);
    const bytes = hidden.bytes ?? (await readFile(input.path));
    if (format !== 'pptx') return { bytes, hidden, additions: new Map(), warnings: [] };
    const extras = await readPptxExtras(zip, input.limits);
    hidden.slides = extras.hidden;
    const warnings = [...slideWarnings(extras), ...(await packageWarnings(zip, input.limits))];
    return { bytes, hidden, additions: extras.additions, slides: extras.slides, warnings };
  } finally {
    zip.close();
  }
}

function formatOf({ format }: ConvertInput): OfficeFormat {
  switch (format) {
    case 'pptx':
    case 'odt':
    case 'odp':
    case 'rtf':
    case 'epub':
      return format;
    default:
      throw new Error(`not a format for officeparser: ${format}`);
  }
}

async function parse(
  bytes: Buffer,
  format: OfficeFormat,
  { limits }: ConvertInput,
): Promise<OfficeParserAST> {
  try {
    return await parseOffice(bytes, {
      fileType: format,
      ocr: false,
      extractAttachments: false,
      ignoreSlideMasters: true,
      ignorePageGeometry: true,
      decompressionLimits: {
        maxUncompressedBytes: limits.maxUnzippedBytes,
        maxZipEntries: limits.maxZipEntries,
        maxTableCells: Math.min(limits.maxCells, 5_000_000),
      },
    });
  } catch (error) {
    throw refusal(error);
  }
}

/** The rejection that an error of the parser means; other errors are returned unchanged. */
function refusal(error: unknown): unknown {
  const code = (error as { officeIssue?: { code?: string } }).officeIssue?.code ?? '';
  const message = error instanceof Error ? error.message : '';
  if (/PASSWORD|DECRYPTION/.test(code) || /password/i.test(message)) {
    return new RejectDocument({
      code: 'normalize.encrypted',
      message: 'The document is protected by a password.',
      cause: error,
    });
  }
  if (/NESTING/.test(code) || error instanceof RangeError) {
    return new RejectDocument({
      code: 'normalize.xml_depth',
      message: 'The document is nested too deeply to be read.',
      cause: error,
    });
  }
  if (/LIMIT/.test(code)) {
    return new RejectDocument({
      code: 'normalize.too_large',
      message: 'The document is too large to be read.',
      cause: error,
    });
  }
  if (code === '') return error;
  return new RejectDocument({
    code: 'normalize.corrupt',
    message: 'The document is damaged and cannot be read.',
    cause: error,
  });
}

function hiddenSlideWarnings(slides: number[]): Warning[] {
  if (slides.length === 0) return [];
  return [
    {
      code: 'normalize.hidden_text',
      message: `Hidden slides were read too, and marked: ${slides.join(', ')}.`,
    },
  ];
}

function slideWarnings({
  charts,
  embedded,
}: Awaited<ReturnType<typeof readPptxExtras>>): Warning[] {
  const warnings: Warning[] = [];
  if (charts > 0) {
    warnings.push({
      code: 'normalize.chart_lost',
      message: `${counted(charts, 'chart')} of a newer kind could not be kept in text.`,
    });
  }
  if (embedded > 0) {
    warnings.push({
      code: 'normalize.embedded_object',
      message: `${countedWere(embedded, 'embedded file')} not read (sound, video, documents).`,
    });
  }
  return warnings;
}

function checkRtfSize(sizeBytes: number): void {
  if (sizeBytes <= maxRtfBytes) return;
  throw new RejectDocument({
    code: 'normalize.too_large',
    message: `The RTF file has ${sizeBytes} bytes; the limit is ${maxRtfBytes}.`,
    advice: 'Save it as docx or PDF and drop that.',
  });
}

/** Pictures in an RTF; Word writes most of them twice, as `\nonshppict` for old readers. */
function countRtfPictures(bytes: Buffer): number {
  const text = bytes.toString('latin1');
  const all = text.match(/\\pict(?![a-z])/g)?.length ?? 0;
  const again = text.match(/\\nonshppict(?![a-z])/g)?.length ?? 0;
  return Math.max(0, all - again);
}
