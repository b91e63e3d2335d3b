import { readFile } from 'node:fs/promises';
import { getDocumentProxy, getResolvedPDFJS } from 'unpdf';

/** What a test reads from a PDF. */
export interface Pdf {
  /** Text by page, with single spaces. */
  pages: string[];
  text: string;
  /** Width and height by page, in points. */
  sizes: [number, number][];
  /** Times a picture is painted. */
  images: number;
  outline: string[];
  isTagged: boolean;
  title: string | undefined;
}

export async function readPdf(path: string): Promise<Pdf> {
  const { OPS } = await getResolvedPDFJS();
  const pdf = await getDocumentProxy(new Uint8Array(await readFile(path)));
  const paints = new Set([
    OPS.paintImageXObject,
    OPS.paintInlineImageXObject,
    OPS.paintImageXObjectRepeat,
  ]);
  const read: Pdf = {
    pages: [],
    text: '',
    sizes: [],
    images: 0,
    outline: [],
    isTagged: false,
    title: undefined,
  };
  for (let at = 1; at <= pdf.numPages; at++) {
    const page = await pdf.getPage(at);
    const { items } = await page.getTextContent();
    const text = items.map((item) => ('str' in item ? item.str + (item.hasEOL ? ' ' : '') : ''));
    read.pages.push(text.join('').replace(/\s+/g, ' ').trim());
    const { width, height } = page.getViewport({ scale: 1 });
    read.sizes.push([Math.round(width), Math.round(height)]);
    const { fnArray } = await page.getOperatorList();
    read.images += fnArray.filter((operation) => paints.has(operation)).length;
  }
  read.outline = ((await pdf.getOutline()) ?? []).map(({ title }) => title);
  read.isTagged = (await pdf.getMarkInfo())?.Marked === true;
  const { info } = await pdf.getMetadata();
  read.title = (info as { Title?: string }).Title;
  read.text = read.pages.join('\n');
  await pdf.loadingTask.destroy();
  return read;
}
