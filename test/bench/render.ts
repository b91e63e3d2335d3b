import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createRenderer, type Rendered, renderDocx } from '../../shared/print/index.ts';
import { recallOf, wordsOfDocx } from '../corpus/word-recall.ts';
import { servicesAgreement } from '../fixtures/agreement.ts';
import { reviewedDraft } from '../fixtures/documents.ts';
import { longDocument } from '../fixtures/long-document.ts';
import { docxOf, type FixturePart, image, paragraph, picture } from '../print/docx-fixture.ts';

/**
 * docx to PDF: time and memory with a cold and a warm browser, against native LibreOffice if installed, and the
 * words read back by pdftotext (poppler-utils) if installed.
 *
 *     npm run bench -- render [FOLDER OF DOCX FILES]
 *
 * Cold means a new browser for the document, already unpacked. The very first start on a machine, including
 * unpacking, is measured separately. LibreOffice starts again for each document, as it does when it is the
 * renderer. Memory is the peak resident set of the browser, or of soffice.
 */
const runs = 5;
const work = await mkdtemp(path.join(tmpdir(), 'bench-render-'));
const soffice = ['/usr/bin/soffice', '/usr/bin/libreoffice'].find((file) => existsSync(file));
const hasPoppler = existsSync('/usr/bin/pdftotext');

try {
  const files = process.argv[2] ? await filesIn(process.argv[2]) : await ownFiles();
  const [first] = files;
  if (first === undefined) throw new Error('no docx files');
  console.log(`first start on a machine, including unpacking: ${await firstStart(first)} ms`);
  print([
    'file',
    'pages',
    'cold ms',
    'warm ms',
    'browser MB',
    'soffice ms',
    'soffice MB',
    'words kept %, Dropline and soffice',
    'pictures',
  ]);
  const all: Row[] = [];
  for (const file of files) {
    const row = await measure(file);
    all.push(row);
    print(cells(row));
  }
  summarize(all);
} finally {
  await rm(work, { recursive: true, force: true });
}

interface Row {
  name: string;
  pages: number;
  coldMs: number;
  warmMs: number;
  browserMb: number;
  officeMs: number | undefined;
  officeMb: number | undefined;
  words: number;
  kept: number | undefined;
  officeKept: number | undefined;
  imagesFound: number;
  imagesKept: number;
}

async function measure(file: string): Promise<Row> {
  const held = wordsOfDocx(await readFile(file));
  const input = inputOf(file);
  const [coldMs] = await timed(() => renderDocx(input));
  const renderer = createRenderer();
  try {
    await renderer.render(input);
    const times: number[] = [];
    let printed: Rendered | undefined;
    for (let run = 0; run < runs; run++) {
      const [ms, rendered] = await timed(() => renderer.render(input));
      times.push(ms);
      printed = rendered;
    }
    const browserMb = await peakMb(renderer.browserPid);
    const words = [...held.values()].reduce((sum, count) => sum + count, 0);
    const kept = printed && (await keptIn(held, printed.path));
    const office = soffice && (await convertWithOffice(soffice, file, held));
    return {
      name: path.basename(file),
      pages: printed?.pages ?? 0,
      coldMs,
      warmMs: median(times),
      browserMb,
      officeMs: office ? office.ms : undefined,
      officeMb: office ? office.mb : undefined,
      words,
      kept,
      officeKept: office ? office.kept : undefined,
      imagesFound: printed?.imagesFound ?? 0,
      imagesKept: printed?.imagesKept ?? 0,
    };
  } finally {
    await renderer.close();
  }
}

function inputOf(file: string) {
  return {
    path: file,
    name: path.basename(file),
    outDir: work,
    timeoutMs: 300_000,
    renderer: 'chromium',
  } as const;
}

async function firstStart(file: string): Promise<number> {
  const tempDir = await mkdtemp(path.join(work, 'first-'));
  const renderer = createRenderer({ tempDir });
  const [ms] = await timed(() => renderer.render(inputOf(file)));
  await renderer.close();
  return Math.round(ms);
}

/** One conversion by plain soffice, with its own profile. */
async function convertWithOffice(
  command: string,
  file: string,
  held: Map<string, number>,
): Promise<{ ms: number; mb: number; kept: number | undefined }> {
  const source = path.join(work, 'office.docx');
  await copyFile(file, source);
  const profile = `-env:UserInstallation=file://${path.join(work, 'profile')}`;
  const began = performance.now();
  const child = spawn(
    command,
    [profile, '--headless', '--convert-to', 'pdf', '--outdir', work, source],
    { stdio: 'ignore' },
  );
  let mb = 0;
  const watch = setInterval(async () => {
    mb = Math.max(mb, await officeMb());
  }, 50);
  await new Promise((resolve) => child.once('close', resolve));
  clearInterval(watch);
  const ms = performance.now() - began;
  return { ms, mb, kept: await keptIn(held, path.join(work, 'office.pdf')) };
}

/** Peak resident memory of the soffice that uses our profile, in MiB. */
async function officeMb(): Promise<number> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.includes('soffice.bin') && line.includes(work)) return peakMb(Number(pid));
  }
  return 0;
}

async function peakMb(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}

async function keptIn(held: Map<string, number>, pdf: string): Promise<number | undefined> {
  if (!hasPoppler || !existsSync(pdf)) return undefined;
  const { stdout } = await promisify(execFile)('pdftotext', ['-raw', pdf, '-'], {
    maxBuffer: 256 * 1024 * 1024,
  });
  return recallOf(held, stdout).kept;
}

async function timed<T>(task: () => Promise<T>): Promise<[number, T]> {
  const began = performance.now();
  const result = await task();
  return [performance.now() - began, result];
}

async function ownFiles(): Promise<string[]> {
  const made: [string, Buffer][] = [
    ['agreement.docx', Buffer.from(await servicesAgreement())],
    ['draft.docx', Buffer.from(await reviewedDraft())],
    ['long.docx', Buffer.from(await longDocument(2_000, 2_304))],
    ['pictures.docx', await picturesDocument()],
  ];
  return Promise.all(
    made.map(async ([name, bytes]) => {
      const file = path.join(work, name);
      await writeFile(file, bytes);
      return file;
    }),
  );
}

/** Text with forty photographs of 2 megapixels. */
async function picturesDocument(): Promise<Buffer> {
  const parts: Record<string, FixturePart> = {};
  let body = '';
  for (let at = 0; at < 40; at++) {
    const size = {
      width: 1600,
      height: 1200,
      colour: `#${(at * 400_000).toString(16).padStart(6, '0')}`,
    };
    parts[`media/photo${at}.jpg`] = { type: 'image', content: await image('jpeg', size) };
    body += paragraph(`Photograph ${at} of the site visit.`) + picture(`photo${at}`);
  }
  return docxOf(body, { parts });
}

async function filesIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.docx')).sort();
  return names.map((name) => path.join(folder, name));
}

function cells(row: Row): string[] {
  const share = (kept: number | undefined) =>
    kept === undefined ? '' : ((100 * kept) / Math.max(row.words, 1)).toFixed(1);
  return [
    row.name,
    String(row.pages),
    row.coldMs.toFixed(0),
    row.warmMs.toFixed(0),
    String(row.browserMb),
    row.officeMs?.toFixed(0) ?? '',
    row.officeMb === undefined ? '' : String(row.officeMb),
    `${share(row.kept)} ${share(row.officeKept)}`,
    `${row.imagesKept}/${row.imagesFound}`,
  ];
}

function summarize(rows: Row[]): void {
  const of = (pick: (row: Row) => number | undefined) =>
    rows.map(pick).filter((value) => value !== undefined);
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const words = sum(of(({ words }) => words));
  const share = (kept: number[]) =>
    kept.length === 0 ? '' : ((100 * sum(kept)) / words).toFixed(2);
  print([
    'median (memory: largest)',
    '',
    median(of(({ coldMs }) => coldMs)).toFixed(0),
    median(of(({ warmMs }) => warmMs)).toFixed(0),
    String(Math.max(...of(({ browserMb }) => browserMb))),
    median(of(({ officeMs }) => officeMs)).toFixed(0),
    String(Math.max(0, ...of(({ officeMb }) => officeMb))),
    `${share(of(({ kept }) => kept))} ${share(of(({ officeKept }) => officeKept))}`,
    `${sum(of(({ imagesKept }) => imagesKept))}/${sum(of(({ imagesFound }) => imagesFound))}`,
  ]);
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function print(columns: string[]): void {
  console.log(columns.join('\t'));
}
