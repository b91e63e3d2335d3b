import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { renderDocx } from '../../shared/print/index.ts';
import { docxOf, image, paragraph, picture } from '../print/docx-fixture.ts';
import { readPdf } from '../print/pdf.ts';

it("prints with Debian's chromium as with the packaged one, in the fonts of the install", async () => {
  const outDir = await mkdtemp(path.join(os.tmpdir(), 'render-chromium-'));
  try {
    const input = path.join(outDir, 'in.docx');
    const body = paragraph('Plain words, 日本語, اللغة العربية') + picture('a');
    await writeFile(
      input,
      docxOf(body, {
        parts: { 'media/a.png': { type: 'image', content: await image('png') } },
      }),
    );

    const printed = await renderDocx({
      path: input,
      outDir,
      timeoutMs: 60_000,
      renderer: 'chromium',
      browserPath: '/usr/bin/chromium',
    });

    const pdf = await readPdf(printed.path);
    expect(pdf.text).toContain('Plain words, 日本語');
    expect(pdf).toMatchObject({ images: 1, isTagged: true });
    expect(printed).toMatchObject({ pages: 1, imagesFound: 1, imagesKept: 1, warnings: [] });
  } finally {
    await rm(outDir, { recursive: true, force: true });
  }
});
