import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RenderTools } from '../../shared/steps/render.ts';
import { linePdf } from '../fixtures/pdfs.ts';

/**
 * Prints as the real printer does: the PDF depends on the docx's bytes alone, so that one docx gives the same
 * bytes at whatever time and under whatever name it is printed.
 */
export const print: RenderTools['print'] = async ({ path, outDir }) => {
  const digest = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  const printed = join(outDir, 'printed.pdf');
  await writeFile(printed, await linePdf(`Printed from a docx, ${digest.slice(0, 16)}.`));
  return {
    path: printed,
    mimeType: 'application/pdf',
    pages: 1,
    imagesFound: 1,
    imagesKept: 1,
    warnings: [],
  };
};
