import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { FileNormalizer, type FileReport } from '../../infra/local/normalize/file-normalizer.ts';
import { defaultLimits } from '../../shared/formats/limits.ts';
import { ConversionSandbox } from '../../shared/formats/sandbox/sandbox.ts';
import { type Recall, recallOf, wordsOfDocx } from './word-recall.ts';

/**
 * Prints what normalizing keeps of every file below a folder, as a table:
 *
 *     npm run recall -- [--lost] [--renderer chromium|libreoffice] FOLDER
 *
 * Word recall compares docx files with their own XML. On the PDF route, the text is read back with
 * pdftotext (Debian's poppler-utils), if it is installed. `--lost` names some of the lost words.
 */
const { values, positionals } = parseArgs({
  options: {
    lost: { type: 'boolean', default: false },
    renderer: { type: 'string', default: 'chromium' },
    help: { type: 'boolean', short: 'h', default: false },
  },
  allowPositionals: true,
});
const { renderer } = values;
const [folder] = positionals;
const usage = 'Usage: npm run recall -- [--lost] [--renderer chromium|libreoffice] FOLDER';
if (values.help) {
  console.log(
    `${usage}\n\nNormalizes every file below FOLDER and prints how many of its words are kept.`,
  );
  process.exit(0);
}
if (!folder || (renderer !== 'chromium' && renderer !== 'libreoffice')) {
  console.error(usage);
  process.exit(2);
}

const totals = new Map<string, Recall & { files: number }>();
const out = await mkdtemp(path.join(tmpdir(), 'recall-'));
const entry = fileURLToPath(new URL('../../shared/convert/worker.ts', import.meta.url));
const normalizer = new FileNormalizer(new ConversionSandbox({ entry }), {
  limits: defaultLimits,
  out,
  renderer,
  cwd: process.cwd(),
});
try {
  print(['file', 'route or code', 'recall', 'images', 'rows', 'ms', 'warnings']);
  for (const file of await filesIn(folder)) await report(folder, file);
  for (const [route, { words, kept, files }] of totals) {
    console.log(`${route}: ${percent(kept, words)} of ${words} words in ${files} files`);
  }
} finally {
  await normalizer.close();
  await rm(out, { recursive: true });
}

async function filesIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((each) => each.isFile())
    .map((each) => path.join(each.parentPath, each.name))
    .sort();
}

async function report(root: string, file: string): Promise<void> {
  const result = await normalizer.normalize(file);
  const { fidelity } = result;
  print([
    path.relative(root, file),
    result.route ?? result.error?.code ?? '',
    await recallCell(file, result),
    share(fidelity?.imagesKept, fidelity?.imagesFound),
    share(fidelity?.rowsKept, fidelity?.rowsFound),
    result.ms.toFixed(0),
    (fidelity?.warnings ?? []).map(({ code }) => code.replace('normalize.', '')).join(' '),
  ]);
}

async function recallCell(file: string, result: FileReport): Promise<string> {
  const [output] = result.outputs;
  if (!/\.doc[xm]$/i.test(file) || result.status !== 'normalized' || !output) return '';
  const text = await textOf(output);
  if (text === undefined) return 'no pdftotext';
  const recall = recallOf(wordsOfDocx(await readFile(file)), text);
  if (recall.words === 0) return 'no words';
  const route = result.route ?? '';
  const total = totals.get(route) ?? { words: 0, kept: 0, lost: [], files: 0 };
  total.words += recall.words;
  total.kept += recall.kept;
  total.files += 1;
  totals.set(route, total);
  const lost =
    values.lost && recall.lost.length > 0 ? ` (${recall.lost.slice(0, 12).join(' ')})` : '';
  return `${percent(recall.kept, recall.words)}${lost}`;
}

async function textOf(output: string): Promise<string | undefined> {
  if (!output.endsWith('.pdf')) return readFile(output, 'utf8');
  try {
    const run = promisify(execFile);
    return (await run('pdftotext', ['-layout', output, '-'], { maxBuffer: 1e9 })).stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(2)} %`;
}

function share(kept: number | undefined, found: number | undefined): string {
  return found === undefined ? '' : `${kept ?? '?'}/${found}`;
}

function print(cells: string[]): void {
  const widths = [54, 26, 9, 7, 13, 6];
  console.log(
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join(' ')
      .trimEnd(),
  );
}
