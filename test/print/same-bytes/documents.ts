import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { RenderInput } from '../../../shared/print/index.ts';
import { servicesAgreement } from '../../fixtures/agreement.ts';
import { illustratedReport, reviewedDraft } from '../../fixtures/documents.ts';
import { docxOf, image, paragraph, picture } from '../docx-fixture.ts';

const scripts = [
  '中华人民共和国 日本語の文章です 대한민국',
  'اللغة العربية שלום עולם',
  'ภาษาไทย नमक और आम বাংলা தமிழ் ქართული',
  '😀🚀 → ✓ ☐ ∑',
];

/** Documents with what a printer has: pictures, many scripts, tables, notes, links, equations. */
const documents: Record<string, () => Promise<Buffer>> = {
  'agreement.docx': servicesAgreement,
  'draft.docx': reviewedDraft,
  'report.docx': illustratedReport,
  'scripts.docx': async () => docxOf(scripts.map((text) => paragraph(text)).join('')),
  'pictures.docx': async () =>
    docxOf(paragraph('three') + picture('a') + picture('b') + picture('a'), {
      parts: {
        'media/a.png': { type: 'image', content: await image('png') },
        'media/b.jpg': { type: 'image', content: await image('jpeg', { colour: '#123456' }) },
      },
    }),
};

/** Writes them below `dir` and returns their paths. */
export async function writeDocuments(dir: string): Promise<string[]> {
  const folder = path.join(dir, 'documents');
  await mkdir(folder);
  for (const [name, make] of Object.entries(documents)) {
    await writeFile(path.join(folder, name), await make());
  }
  return (await readdir(folder)).map((name) => path.join(folder, name));
}

/**
 * The different hashes of each docx's PDFs by its name, printed in this order by a process with this
 * environment.
 */
export async function printedIn(
  env: Record<string, string>,
  renderer: RenderInput['renderer'],
  files: string[],
  dir: string,
): Promise<Record<string, string[]>> {
  const outDir = await mkdtemp(path.join(dir, 'prints-'));
  const script = fileURLToPath(new URL('print-all.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [script, renderer, outDir, ...files],
    { env },
  );
  return JSON.parse(stdout) as Record<string, string[]>;
}
