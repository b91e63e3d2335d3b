import { readFile } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import { getDocumentProxy } from 'unpdf';

/**
 * Reads the text of PDFs in its own thread, so that a large one delays no other call and one that hangs
 * can be terminated.
 */

export interface PdfText {
  pageCount: number;
  encrypted: boolean;
  /** The pages read, in order; a sample of a long PDF. `number` counts from 1. */
  pages: { number: number; text: string }[];
}

export type PdfAnswer = { id: number } & ({ ok: PdfText } | { error: string });

/** Reading 600 pages takes seconds; a sample is enough to estimate tokens and to quote from. */
const sampled = 60;

async function read(source: string | Uint8Array): Promise<PdfText> {
  const bytes = typeof source === 'string' ? new Uint8Array(await readFile(source)) : source;
  let pdf: Awaited<ReturnType<typeof getDocumentProxy>>;
  try {
    pdf = await getDocumentProxy(bytes, { verbosity: 0 });
  } catch (error) {
    if (error instanceof Error && error.name === 'PasswordException') {
      return { pageCount: 0, encrypted: true, pages: [] };
    }
    throw error;
  }

  try {
    const { info } = (await pdf.getMetadata()) as { info: { EncryptFilterName?: string | null } };
    const encrypted = typeof info.EncryptFilterName === 'string';
    const pageCount = pdf.numPages;
    const step = Math.max(1, pageCount / sampled);
    const pages: PdfText['pages'] = [];

    for (let at = 0; at < pageCount; at += step) {
      const number = Math.floor(at) + 1;
      const page = await pdf.getPage(number);
      const { items } = await page.getTextContent();
      // Joined as in unpdf's extractText.
      const text = items
        .map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : ''))
        .join('');
      pages.push({ number, text });
      page.cleanup();
    }
    return { pageCount, encrypted, pages };
  } finally {
    await pdf.loadingTask.destroy();
  }
}

parentPort?.on('message', ({ id, source }: { id: number; source: string | Uint8Array }) => {
  read(source).then(
    (ok) => parentPort?.postMessage({ id, ok } satisfies PdfAnswer),
    (error: unknown) => parentPort?.postMessage({ id, error: String(error) } satisfies PdfAnswer),
  );
});
