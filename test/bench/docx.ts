import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import mammoth from 'mammoth';
import { defaultLimits } from '../../shared/formats/limits.ts';
import { convertDocx } from '../../shared/word/to-text/index.ts';
import { recallOf, wordsOfDocx } from '../corpus/word-recall.ts';
import { servicesAgreement } from '../fixtures/agreement.ts';
import { reviewedDraft } from '../fixtures/documents.ts';
import { longDocument } from '../fixtures/long-document.ts';

/**
 * docx to text: Dropline against bare mammoth (docx → HTML) and, if installed, pandoc (docx → Markdown), in
 * milliseconds (median of several runs, first run dropped) and in words kept.
 *
 *     npm run bench -- docx [FOLDER OF DOCX FILES]
 *
 * pandoc runs in its own process, so its time includes about 50 ms for the start.
 */
const runs = 7;
/** Base64 of pictures is not text, so mammoth need not spend time on it. */
const withoutPictures = { convertImage: mammoth.images.imgElement(async () => ({ src: '' })) };
const work = await mkdtemp(path.join(tmpdir(), 'bench-docx-'));
const hasPandoc = await promisify(execFile)('pandoc', ['--version']).then(
  () => true,
  () => false,
);

try {
  const files = process.argv[2] ? await filesIn(process.argv[2]) : await ownFiles();
  print(['file', 'KB', 'dropline ms', 'mammoth ms', 'ratio', 'pandoc ms', 'recall d/m/p %']);
  const sums = { ours: 0, theirs: 0 };
  for (const file of files) await compare(file, sums);
  print([
    'all',
    '',
    sums.ours.toFixed(1),
    sums.theirs.toFixed(1),
    (sums.ours / sums.theirs).toFixed(2),
  ]);
} finally {
  await rm(work, { recursive: true });
}

async function compare(file: string, sums: { ours: number; theirs: number }): Promise<void> {
  const docx = await readFile(file);
  const held = wordsOfDocx(docx);
  const input = {
    path: file,
    name: 'a.docx',
    sizeBytes: docx.length,
    outDir: work,
    limits: defaultLimits,
  };
  const conversion = await convertDocx(input).catch(() => undefined);
  if (!conversion || held.size === 0) return;

  const ours = await median(() => convertDocx(input));
  const theirs = await median(() => mammoth.convertToHtml({ path: file }, withoutPictures));
  sums.ours += ours;
  sums.theirs += theirs;
  const recalls = [
    conversion.outcome === 'file' ? percent(held, await readFile(conversion.path, 'utf8')) : 'pdf',
    percent(
      held,
      withoutTags((await mammoth.convertToHtml({ path: file }, withoutPictures)).value),
    ),
  ];
  let pandoc = '';
  if (hasPandoc) {
    const run = () => promisify(execFile)('pandoc', [file, '-t', 'markdown'], { maxBuffer: 1e9 });
    pandoc = (await median(run, 3)).toFixed(1);
    recalls.push(percent(held, (await run()).stdout));
  }
  print([
    path.basename(file),
    (docx.length / 1024).toFixed(0),
    ours.toFixed(1),
    theirs.toFixed(1),
    (ours / theirs).toFixed(2),
    pandoc,
    recalls.join(' / '),
  ]);
}

async function median(run: () => Promise<unknown>, times = runs): Promise<number> {
  await run();
  const taken: number[] = [];
  for (let round = 0; round < times; round++) {
    const start = performance.now();
    await run();
    taken.push(performance.now() - start);
  }
  return taken.sort((a, b) => a - b)[Math.floor(times / 2)] ?? 0;
}

function percent(held: Map<string, number>, text: string): string {
  const { kept, words } = recallOf(held, text);
  return ((100 * kept) / words).toFixed(1);
}

function withoutTags(html: string): string {
  return html
    .replace(/<\/?(p|li|td|th|tr|h\d|br|div|dt|dd)\b[^>]*>/g, ' ')
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter((name) => name.endsWith('.docx')).map((name) => path.join(folder, name));
}

async function ownFiles(): Promise<string[]> {
  const made = {
    'agreement.docx': await servicesAgreement(),
    'reviewed.docx': await reviewedDraft(),
    'long.docx': await longDocument(2_000, 2_304),
  };
  const files: string[] = [];
  for (const [name, bytes] of Object.entries(made)) {
    const file = path.join(work, name);
    await writeFile(file, bytes);
    files.push(file);
  }
  return files;
}

function print(cells: string[]): void {
  const widths = [40, 7, 12, 12, 7, 11, 22];
  console.log(
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join(' ')
      .trimEnd(),
  );
}
