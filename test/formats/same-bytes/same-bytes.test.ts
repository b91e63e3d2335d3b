import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { utils, write } from '@e965/xlsx';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultLimits } from '../../../shared/formats/limits.ts';
import type { Job, JobAnswer } from '../../../shared/formats/sandbox/messages.ts';
import { servicesAgreement } from '../../fixtures/agreement.ts';
import { illustratedReport, reviewedDraft } from '../../fixtures/documents.ts';
import { maintenanceReport } from '../../fixtures/maintenance-pdf.ts';
import { rawPptx, rawXlsx } from '../../fixtures/ooxml.ts';
import {
  bookEpub,
  letterOdt,
  memoRtf,
  openDocument,
  slidesOdp,
} from '../../fixtures/opendocument.ts';
import { scannedPdf } from '../../fixtures/pdfs.ts';
import { animatedGif, chartPng, picture } from '../../fixtures/pictures.ts';
import { faultLog, meetingMinutes, quarterlySales } from '../../fixtures/plain.ts';
import { zipOf } from '../../fixtures/zip.ts';
import { mailWith } from '../../world/mail.ts';

/** Days that some places never had: Samoa left out the first, the Line Islands the second. */
const skippedDays = [40_907, 34_699] as const;

const dates = (): unknown[] =>
  [...skippedDays, 46_055.75].flatMap((value) =>
    ['dd/mm/yyyy hh:mm', 'dddd d mmmm yyyy', '[h]:mm', '"Week of "d mmm'].map((z) => ({
      t: 'n',
      v: value,
      z,
    })),
  );

function workbook(bookType: 'xls' | 'xlsb' | 'xlsx'): Buffer {
  const book = utils.book_new();
  utils.book_append_sheet(book, utils.aoa_to_sheet([dates(), ['İstanbul', 1234.5, true]]), 'Days');
  return write(book, { type: 'buffer', bookType }) as Buffer;
}

const isoCells = (...values: string[]): string =>
  `<sheetData><row r="1">${values.map((value) => `<c t="d"><v>${value}</v></c>`).join('')}</row></sheetData>`;

const dateCells = (...values: string[]): string =>
  `<table:table table:name="t"><table:table-row>${values.map((value) => `<table:table-cell office:value-type="date" office:date-value="${value}"><text:p>day</text:p></table:table-cell>`).join('')}</table:table-row></table:table>`;

const mailOf = (date: string): string => `Date: ${date}\r\n${mailWith('valves')}`;

/** A mail that holds another one, which mail programs show below it. */
const forwarded = (date: string): string =>
  [
    'From: Ada <ada@example.org>',
    'Content-Type: multipart/mixed; boundary=f',
    '',
    '--f',
    'Content-Type: text/plain',
    '',
    'See below.',
    '--f',
    'Content-Type: message/rfc822',
    '',
    mailOf(date),
    '--f--',
    '',
  ].join('\r\n');

const days = ['2011-12-30', '2026-03-29T02:30:00', '2026-03-29T02:30:00+02:00', 'soon'];

/** A file of every format, by name. */
const files: Record<string, () => Promise<Uint8Array | string> | Uint8Array | string> = {
  'agreement.docx': servicesAgreement,
  'draft.docx': reviewedDraft,
  'report.docx': illustratedReport,
  'report.pdf': maintenanceReport,
  'scan.pdf': scannedPdf,
  'chart.png': chartPng,
  'large.jpg': () => picture('jpeg', 900, 700),
  'large.webp': () => picture('webp', 900, 700),
  'moving.gif': () => animatedGif(3, 900, 40),
  'sales.csv': () => quarterlySales(),
  'sales.tsv': () => quarterlySales().replaceAll(',', '\t'),
  'latin.csv': () => Buffer.from('Größe;Straße\n1,5;Köln\n2,5;Łódź?\n', 'latin1'),
  'minutes.md': () => meetingMinutes,
  'log.txt': () => faultLog,
  'page.html': () => '<h1>İI</h1><table><tr><th>a</th><td>1</td></tr></table><p hidden>x</p>',
  'dated.eml': () => mailOf('Sun, 29 Mar 2026 02:30:00 +0200'),
  'zoneless.eml': () => mailOf('Sun, 29 Mar 2026 02:30:00'),
  'wordy.eml': () => mailOf('12 March'),
  'forwarded.eml': () => forwarded('Sun, 29 Mar 2026 02:30:00 +0200'),
  'page.mht': () => mailOf('Fri, 30 Dec 2011 10:00:00'),
  'days.xls': () => workbook('xls'),
  'days.xlsb': () => workbook('xlsb'),
  'days.xlsx': () => workbook('xlsx'),
  'iso.xlsx': () => rawXlsx([{ name: 'Tage', xml: isoCells(...days) }]),
  'days.ods': () => openDocument('spreadsheet', dateCells(...days)),
  'slides.pptx': () => rawPptx([{ title: 'One', lines: ['İI', 'b'], notes: 'Smile' }]),
  'slides.odp': slidesOdp,
  'letter.odt': letterOdt,
  'memo.rtf': () => memoRtf,
  'book.epub': bookEpub,
  'archive.zip': () => zipOf({ 'b.txt': 'b', 'İ/a.txt': 'a', 'ı/a.txt': 'c', 'I/a.txt': 'd' }),
  'broken.docx': () => zipOf({ 'word/document.xml': '<w:document' }),
};

/** Machines that agree on nothing that a conversion could notice by mistake. */
const machines = [
  { TZ: 'UTC', LC_ALL: 'C', CLOCK: '2026-03-01T11:59:00Z' },
  { TZ: 'Pacific/Apia', LC_ALL: 'tr_TR.UTF-8', CLOCK: '2027-07-01T12:01:00Z' },
  { TZ: 'Pacific/Kiritimati', LC_ALL: 'ar_EG.UTF-8', CLOCK: '2024-02-29T23:59:59Z' },
  { TZ: 'America/Sao_Paulo', LC_ALL: 'de_DE.UTF-8', CLOCK: '1999-12-31T23:59:59Z' },
];

const worker = fileURLToPath(new URL('../../../shared/convert/worker.ts', import.meta.url));
const clock = fileURLToPath(new URL('clock.ts', import.meta.url));

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dropline-same-'));
  await mkdir(join(dir, 'files'));
  for (const [name, make] of Object.entries(files)) {
    await writeFile(join(dir, 'files', name), await make());
  }
});

afterAll(() => rm(dir, { recursive: true, force: true }));

/** What became of each file in a conversion process on that machine: codes, messages, and hashes of all bytes. */
async function convertedOn(machine: (typeof machines)[number]): Promise<Record<string, unknown>> {
  const child = fork(worker, [], {
    env: machine,
    execArgv: [`--import=${clock}`],
  });
  try {
    await once(child, 'message');
    const outcomes: Record<string, unknown> = {};
    for (const name of Object.keys(files)) outcomes[name] = await outcomeIn(child, name);
    return outcomes;
  } finally {
    child.kill();
  }
}

async function outcomeIn(child: ChildProcess, name: string): Promise<unknown> {
  const path = join(dir, 'files', name);
  const outDir = await mkdtemp(join(dir, 'out-'));
  const limits = { ...defaultLimits, maxPixelsPerSide: 500 };
  const { size: sizeBytes } = await stat(path);
  const job: Job = { id: 1, input: { path, name, sizeBytes, outDir, limits } };
  child.send(job);
  const [answer] = (await once(child, 'message')) as [JobAnswer];
  if ('error' in answer) return answer.error;
  const { conversion } = answer;
  if (conversion.outcome === 'file') conversion.path = await sha256(conversion.path);
  for (const part of conversion.parts) part.path = await sha256(part.path);
  return conversion;
}

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

it('a file of every format becomes the same bytes at any time, in any zone and locale, in any process', async () => {
  const outcomes: Record<string, unknown>[] = [];
  for (const machine of machines) outcomes.push(await convertedOn(machine));

  const [first, ...others] = outcomes;
  for (const other of others) expect(other).toEqual(first);
}, 120_000);
