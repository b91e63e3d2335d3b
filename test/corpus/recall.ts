import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { DroplineError } from '../../shared/errors.ts';
import { convert } from '../../shared/formats/convert.ts';
import { defaultLimits } from '../../shared/formats/limits.ts';
import type { Conversion } from '../../shared/formats/types.ts';
import { recallOf, wordsOfDocx } from './word-recall.ts';

/**
 * What conversion keeps of every file below a folder, as a table:
 *
 *     node test/corpus/recall.ts [--pdf-text DIR] [--lost] FOLDER
 *
 * Word recall is that of docx files against their own XML. A docx that goes the PDF route is
 * measured when `--pdf-text` names a folder with its text, `<name>.docx.txt` (made by pdftotext).
 * `--lost` names some of the words lost.
 */
const { values, positionals } = parseArgs({
  options: { 'pdf-text': { type: 'string' }, lost: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [folder] = positionals;
if (!folder) {
  console.error('usage: node test/corpus/recall.ts [--pdf-text DIR] [--lost] FOLDER');
  process.exit(2);
}

const totals = { text: { words: 0, kept: 0 }, pdf: { words: 0, kept: 0 } };
const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
  .sort();

row(['file', 'outcome', 'recall', 'images', 'rows', 'notes']);
for (const name of names) await report(name);
for (const [route, { words, kept }] of Object.entries(totals)) {
  if (words > 0) console.log(`${route} route: ${percent(kept, words)} of ${words} words of docx`);
}

async function report(name: string): Promise<void> {
  const file = path.join(folder ?? '', name);
  const outDir = await mkdtemp(path.join(tmpdir(), 'recall-'));
  try {
    const conversion = await convert({
      path: file,
      name: path.basename(file),
      sizeBytes: 0,
      outDir,
      limits: defaultLimits,
    });
    const { fidelity } = conversion;
    const recall = await recallCell(name, file, conversion);
    row([
      name,
      `${conversion.outcome} ${fidelity.route}`,
      recall,
      share(fidelity.imagesKept, fidelity.imagesFound),
      share(fidelity.rowsKept, fidelity.rowsFound),
      fidelity.warnings.map(({ code }) => code.replace('normalize.', '')).join(' '),
    ]);
  } catch (error) {
    if (!(error instanceof DroplineError)) throw error;
    row([name, `${error.name === 'SkipDocument' ? 'skipped' : 'failed'} ${error.code}`]);
  } finally {
    await rm(outDir, { recursive: true });
  }
}

async function recallCell(name: string, file: string, conversion: Conversion): Promise<string> {
  if (!/\.doc[xm]$/.test(name)) return '';
  const text = await convertedText(name, conversion);
  if (text === undefined) return '';
  const recall = recallOf(wordsOfDocx(await readFile(file)), text);
  const total = conversion.outcome === 'render' ? totals.pdf : totals.text;
  total.words += recall.words;
  total.kept += recall.kept;
  const lost =
    values.lost && recall.lost.length > 0 ? ` (${recall.lost.slice(0, 12).join(' ')})` : '';
  return recall.words === 0 ? 'no words' : `${percent(recall.kept, recall.words)}${lost}`;
}

async function convertedText(name: string, conversion: Conversion): Promise<string | undefined> {
  if (conversion.outcome === 'file') return readFile(conversion.path, 'utf8');
  const folderOfTexts = values['pdf-text'];
  if (conversion.outcome !== 'render' || !folderOfTexts) return undefined;
  return readFile(path.join(folderOfTexts, `${path.basename(name)}.txt`), 'utf8').catch(
    () => undefined,
  );
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(2)} %`;
}

function share(kept: number | undefined, found: number | undefined): string {
  return found === undefined ? '' : `${kept ?? '?'}/${found}`;
}

function row(cells: string[]): void {
  const widths = [52, 30, 9, 7, 13];
  console.log(
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join(' ')
      .trimEnd(),
  );
}
