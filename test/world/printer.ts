import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RenderTools } from '../../shared/steps/render.ts';
import { datedPdf } from '../fixtures/pdfs.ts';

/**
 * A stand-in for the browser: makes a one-page PDF. As with the browser, no two prints have the same bytes, because
 * each contains the time at which it was made.
 */
export function printer(now: () => number): RenderTools['print'] {
  let prints = 0;
  return async ({ name, outDir }) => {
    prints += 1;
    const path = join(outDir, 'printed.pdf');
    await writeFile(
      path,
      await datedPdf(`Printed from ${name}.`, new Date(now() + prints * 1_000)),
    );
    return {
      path,
      mimeType: 'application/pdf',
      pages: 1,
      imagesFound: 1,
      imagesKept: 1,
      warnings: [],
    };
  };
}
