import { writeFile } from 'node:fs/promises';
import type { PDFDocumentProxy } from 'unpdf/pdfjs';

/** More text than this in a PDF is no document that anybody quotes from; it could fill the memory. */
const mostCharacters = 16_000_000;

/**
 * Writes the text of all pages to a file, a JSON list with a text for each page.
 * @returns false when it is too much, or a page cannot be read; then there is no file
 */
export async function writeTextLayer(pdf: PDFDocumentProxy, path: string): Promise<boolean> {
  const pages: string[] = [];
  let characters = 0;
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const text = await textOf(pdf, number).catch(() => undefined);
    if (text === undefined) return false;
    characters += text.length;
    if (characters > mostCharacters) return false;
    pages.push(text);
  }
  await writeFile(path, JSON.stringify(pages));
  return true;
}

async function textOf(pdf: PDFDocumentProxy, number: number): Promise<string> {
  const page = await pdf.getPage(number);
  const { items } = await page.getTextContent();
  page.cleanup();
  return items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : '')).join('');
}
