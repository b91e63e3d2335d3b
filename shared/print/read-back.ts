import { readFile } from 'node:fs/promises';
import { getDocumentProxy } from 'unpdf';

/** Pages that are read; of longer documents, as many evenly spread ones. */
const mostPagesRead = 24;

/** What another program finds in a PDF. */
export interface ReadBack {
  pages: number;
  /** Letters and digits on all pages, estimated when not all were read. */
  characters: number;
}

/**
 * Reads a printed PDF back. Without usable fonts a browser prints the right number of pages without any
 * text.
 * @throws Error when the file is not a PDF
 */
export async function readBack(path: string): Promise<ReadBack> {
  const pdf = await getDocumentProxy(new Uint8Array(await readFile(path)));
  try {
    const pages = pdf.numPages;
    const count = Math.min(pages, mostPagesRead);
    let characters = 0;
    for (let at = 0; at < count; at++) {
      const page = await pdf.getPage(1 + Math.floor((at * pages) / count));
      const content = await page.getTextContent();
      for (const item of content.items) if ('str' in item) characters += countCharacters(item.str);
      page.cleanup();
    }
    return { pages, characters: Math.round((characters * pages) / Math.max(count, 1)) };
  } finally {
    await pdf.loadingTask.destroy();
  }
}

/** The text of each page of a printed PDF. */
export async function pageTexts(path: string): Promise<string[]> {
  const pdf = await getDocumentProxy(new Uint8Array(await readFile(path)));
  try {
    const texts: string[] = [];
    for (let number = 1; number <= pdf.numPages; number += 1) {
      const page = await pdf.getPage(number);
      const { items } = await page.getTextContent();
      const text = items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : ''));
      texts.push(text.join(''));
      page.cleanup();
    }
    return texts;
  } finally {
    await pdf.loadingTask.destroy();
  }
}

/** Counts letters and digits only: layout changes spacing and punctuation. */
export function countCharacters(text: string): number {
  return text.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
}
