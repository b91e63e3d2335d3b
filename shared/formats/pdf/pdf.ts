import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { getResolvedPDFJS } from 'unpdf';
import type { PDFDocumentProxy } from 'unpdf/pdfjs';
import { RejectDocument } from '../../journey/errors.ts';
import type { Warning } from '../../journey/record.ts';
import { countedWere } from '../text/wording.ts';
import type { Conversion, ConvertInput } from '../types.ts';
import { readTail, scanTokens } from './pdf-bytes.ts';
import { writeTextLayer } from './text-layer.ts';

/** Pages that are searched for text, to recognise a scan; more would take seconds in long files. */
const sampledPages = 5;

/** With so many characters a page has a text layer; a stamp or page number on a scan has fewer. */
const textPageCharacters = 25;

/**
 * Checks a PDF, which is uploaded as it is: pages, encryption, damage, text layer, active content.
 * Reads only the parts of the file that it needs, so memory does not grow with the file.
 * @throws RejectDocument `normalize.encrypted`, `normalize.corrupt`, `normalize.too_many_pages`
 */
export async function convertPdf(input: ConvertInput): Promise<Conversion> {
  const file = await open(input.path);
  try {
    const { size } = await file.stat();
    const tail = await readTail(file, size);
    if (!tail.isComplete) {
      throw corrupt('Its end is missing; the file was probably cut off.');
    }
    const warnings: Warning[] = [];
    if (!tail.hasSoundIndex) {
      warnings.push({
        code: 'normalize.damaged',
        message: 'The index of the PDF is damaged; the file was searched instead.',
      });
    }
    const wanted = input.wantsText ? join(input.outDir, 'text-layer.json') : undefined;
    const { pages, textLayer } = await inspect(file, size, input.limits.maxPages, warnings, wanted);
    await warnOfActiveContent(file, warnings);
    return {
      outcome: 'pass',
      mimeType: 'application/pdf',
      block: 'document',
      ...(textLayer === undefined ? {} : { textLayer }),
      fidelity: { route: 'pdf', pages, warnings },
      parts: [],
    };
  } finally {
    await file.close();
  }
}

/**
 * Opens the PDF with pdf.js, adds to `warnings` and returns the number of pages.
 * @param textLayer path that the text is written to, where it is wanted
 */
async function inspect(
  file: FileHandle,
  size: number,
  maxPages: number,
  warnings: Warning[],
  textLayer: string | undefined,
): Promise<{ pages: number; textLayer?: string }> {
  const { getDocument, PDFDataRangeTransport, VerbosityLevel } = await getResolvedPDFJS();

  let readFailed: unknown;
  class FileRanges extends PDFDataRangeTransport {
    override requestDataRange(begin: number, end: number): void {
      const bytes = new Uint8Array(end - begin);
      file.read(bytes, 0, bytes.length, begin).then(
        ({ bytesRead }) => this.onDataRange(begin, bytes.subarray(0, bytesRead)),
        (error: unknown) => {
          readFailed = error;
          task.destroy();
        },
      );
    }
  }
  const task = getDocument({
    range: new FileRanges(size, null),
    rangeChunkSize: 256 * 1024,
    disableAutoFetch: true,
    disableStream: true,
    disableFontFace: true,
    useSystemFonts: false,
    verbosity: VerbosityLevel.ERRORS,
  });
  task.onPassword = () => {
    throw encrypted();
  };
  try {
    const pdf = await task.promise;
    // Files with only an owner password open without it, but the API rejects all encrypted files.
    const { info } = await pdf.getMetadata();
    if ((info as { EncryptFilterName?: string | null }).EncryptFilterName) throw encrypted();
    if (pdf.numPages === 0) throw corrupt('It has no pages.');
    if (pdf.numPages > maxPages) {
      throw new RejectDocument({
        code: 'normalize.too_many_pages',
        message: `The PDF has ${pdf.numPages} pages; the limit is ${maxPages}.`,
      });
    }
    await warnOfScan(pdf, warnings);
    await warnOfScripts(pdf, warnings);
    const isWritten = textLayer !== undefined && (await writeTextLayer(pdf, textLayer));
    return { pages: pdf.numPages, ...(isWritten ? { textLayer } : {}) };
  } catch (error) {
    if (readFailed) throw readFailed;
    if (error instanceof RejectDocument) throw error;
    if (error instanceof Error && error.name === 'PasswordException') throw encrypted(error);
    throw corrupt('It cannot be read as a PDF.', error);
  } finally {
    await task.destroy();
  }
}

async function warnOfScan(pdf: PDFDocumentProxy, warnings: Warning[]): Promise<void> {
  const numbers = samplePages(pdf.numPages);
  let withText = 0;
  for (const number of numbers) {
    const page = await pdf.getPage(number);
    const content = await page.getTextContent();
    let characters = 0;
    for (const item of content.items) if ('str' in item) characters += item.str.trim().length;
    if (characters >= textPageCharacters) withText += 1;
    page.cleanup();
  }
  if (withText > 0) return;
  warnings.push({
    code: 'normalize.scan',
    message:
      numbers.length === pdf.numPages
        ? 'No page has a text layer (a scan or a drawing): Claude reads the pages as pictures and cannot cite exact text.'
        : `None of the ${numbers.length} pages checked has a text layer (a scan or a drawing): Claude reads the pages as pictures and cannot cite exact text.`,
  });
}

/** The first, the last and evenly spaced pages between, counted from 1. */
function samplePages(pages: number): number[] {
  if (pages <= sampledPages) return Array.from({ length: pages }, (_, index) => index + 1);
  const step = (pages - 1) / (sampledPages - 1);
  return Array.from({ length: sampledPages }, (_, index) => 1 + Math.round(index * step));
}

async function warnOfScripts(pdf: PDFDocumentProxy, warnings: Warning[]): Promise<void> {
  if (await pdf.getJSActions()) warnings.push(activeContent('JavaScript'));
  const count = (await pdf.getAttachments())?.size ?? 0;
  if (count > 0) {
    warnings.push({
      code: 'normalize.embedded_object',
      message: `${countedWere(count, 'attached file')} not read.`,
    });
  }
}

/** Finds actions that pdf.js does not report by their names, where these are not compressed. */
async function warnOfActiveContent(file: FileHandle, warnings: Warning[]): Promise<void> {
  const found = await scanTokens(file, ['/JavaScript', '/Launch']);
  const known = warnings.some(({ code }) => code === 'normalize.active_content');
  if (found.has('/JavaScript') && !known) warnings.push(activeContent('JavaScript'));
  if (found.has('/Launch')) warnings.push(activeContent('an action that starts a program'));
}

function activeContent(what: string): Warning {
  return {
    code: 'normalize.active_content',
    message: `The PDF holds ${what}, which was not run.`,
  };
}

function encrypted(cause?: unknown): RejectDocument {
  return new RejectDocument({
    code: 'normalize.encrypted',
    message: 'The PDF is encrypted.',
    cause,
  });
}

function corrupt(why: string, cause?: unknown): RejectDocument {
  return new RejectDocument({
    code: 'normalize.corrupt',
    message: `The PDF is damaged. ${why}`,
    cause,
  });
}
