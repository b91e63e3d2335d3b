import { readFile, writeFile } from 'node:fs/promises';
import type { RejectDocument } from '../journey/errors.ts';
import { unavailable } from './find-browser.ts';

/**
 * What a PDF says about how, when and by what it was made: the information dictionary (14.3.3 of
 * ISO 32000-1), the XMP metadata of the document (14.3.2), the file identifier (14.4) and what
 * LibreOffice adds to the trailer. Nothing of it is on a page.
 *
 * Chromium and LibreOffice write the time and their own version there, so that no two prints of a document
 * have the same bytes, and each would be uploaded and paid for again.
 */

/**
 * Rewrites the printed PDF at `path` so that it says nothing about its making but `title`.
 * @throws RejectDocument `render.unavailable` for a layout that neither Chromium nor LibreOffice writes
 */
export async function stripMetadataOf(path: string, title: string | undefined): Promise<void> {
  await writeFile(path, stripMetadata(await readFile(path), title));
}

/**
 * The PDF, in pieces, without what it says about its making. Apart from that every byte stays as it is; the
 * table and the trailer are written to match. The same pages give the same bytes.
 * @param pdf as a printer writes it: one cross-reference table, no encryption, no later updates
 * @param title of the document
 * @throws RejectDocument `render.unavailable` for a layout that neither Chromium nor LibreOffice writes
 * @example
 * Buffer.concat(stripMetadata(pdf, 'Yearly report'))
 */
export function stripMetadata(pdf: Buffer, title: string | undefined): Buffer[] {
  const { objects, tableAt, trailer, size } = readLayout(pdf);
  const root = referenceIn(trailer, 'Root');
  const info = referenceIn(trailer, 'Info');
  const rootText = textOf(pdf, objects, root);
  const metadata = rootText === undefined ? undefined : referenceIn(rootText, 'Metadata');
  if (root === undefined || rootText === undefined || /\/(Prev|XRefStm|Encrypt)\b/.test(trailer)) {
    throw unknownLayout('the trailer is not that of a printed PDF');
  }

  const changed = new Map<number, string>([[root, rootText.replace(reference('Metadata'), '')]]);
  if (metadata !== undefined) changed.set(metadata, `${metadata} 0 obj\nnull\nendobj\n`);
  if (info !== undefined) changed.set(info, `${info} 0 obj\n${infoOf(title)}\nendobj\n`);

  const inOrder = [...objects].sort(([, a], [, b]) => a.start - b.start);
  const pieces = [pdf.subarray(0, inOrder[0]?.[1].start ?? tableAt)];
  const offsets = new Map<number, number>();
  let length = pieces[0]?.length ?? 0;
  for (const [number, { start, end }] of inOrder) {
    const text = changed.get(number);
    const bytes = text === undefined ? pdf.subarray(start, end) : Buffer.from(text, 'latin1');
    offsets.set(number, length);
    pieces.push(bytes);
    length += bytes.length;
  }
  const known = `/Size ${size} /Root ${root} 0 R${info === undefined ? '' : ` /Info ${info} 0 R`}`;
  pieces.push(
    Buffer.from(
      `${tableOf(size, offsets)}trailer\n<<${known}>>\nstartxref\n${length}\n%%EOF\n`,
      'latin1',
    ),
  );
  return pieces;
}

interface Span {
  start: number;
  end: number;
}

interface Layout {
  /** Where each object is, by its number. */
  objects: Map<number, Span>;
  tableAt: number;
  trailer: string;
  /** One more than the highest object number. */
  size: number;
}

/** Reads the one cross-reference table (7.5.4) and the trailer (7.5.5). */
function readLayout(pdf: Buffer): Layout {
  const tail = pdf.toString('latin1', Math.max(0, pdf.length - 1024));
  const tableAt = Number(/startxref\s+(\d+)\s+%%EOF\s*$/.exec(tail)?.[1] ?? Number.NaN);
  const text = Number.isNaN(tableAt) ? '' : pdf.toString('latin1', tableAt);
  const trailerAt = text.indexOf('trailer');
  if (!text.startsWith('xref') || trailerAt < 0) {
    throw unknownLayout('there is no cross-reference table at the end');
  }
  const starts = startsIn(text.slice('xref'.length, trailerAt));
  const ordered = [...starts].sort(([, a], [, b]) => a - b);
  const objects = new Map<number, Span>();
  for (const [at, [number, start]] of ordered.entries()) {
    const head = pdf.toString('latin1', start, start + 32);
    if (!new RegExp(`^${number} 0 obj\\b`).test(head)) {
      throw unknownLayout(`object ${number} is not where the table says`);
    }
    objects.set(number, { start, end: ordered[at + 1]?.[1] ?? tableAt });
  }
  const trailer = text.slice(trailerAt, text.lastIndexOf('startxref'));
  return { objects, tableAt, trailer, size: Math.max(0, ...starts.keys()) + 1 };
}

/** The offsets of the objects in use, from the subsections of a table. */
function startsIn(table: string): Map<number, number> {
  const starts = new Map<number, number>();
  let next = 0;
  for (const [, first, second, kind] of table.matchAll(/(\d+) (\d+)(?: ([nf]))?/g)) {
    if (kind === undefined) next = Number(first);
    else {
      if (kind === 'n' && Number(second) === 0) starts.set(next, Number(first));
      next++;
    }
  }
  return starts;
}

/** Objects that are not in use form a list that begins and ends at object 0. */
function tableOf(size: number, offsets: Map<number, number>): string {
  const rows: string[] = [];
  let free = 0;
  for (let number = size - 1; number >= 0; number--) {
    const offset = offsets.get(number);
    const isUsed = offset !== undefined;
    const generation = isUsed || number > 0 ? '00000' : '65535';
    rows.push(`${String(offset ?? free).padStart(10, '0')} ${generation} ${isUsed ? 'n' : 'f'} \n`);
    if (!isUsed) free = number;
  }
  return `xref\n0 ${size}\n${rows.reverse().join('')}`;
}

function reference(key: string): RegExp {
  return new RegExp(`/${key}\\s+(\\d+)\\s+0\\s+R\\b`);
}

function referenceIn(dictionary: string, key: string): number | undefined {
  const number = reference(key).exec(dictionary)?.[1];
  return number === undefined ? undefined : Number(number);
}

function textOf(
  pdf: Buffer,
  objects: Map<number, Span>,
  number: number | undefined,
): string | undefined {
  const span = number === undefined ? undefined : objects.get(number);
  return span && pdf.toString('latin1', span.start, span.end);
}

/** The information dictionary, with the title as a text string in UTF-16 (7.9.2.2). */
function infoOf(title: string | undefined): string {
  if (title === undefined) return '<<>>';
  const hex = Buffer.from(`\uFEFF${title}`, 'utf16le').swap16().toString('hex').toUpperCase();
  return `<</Title <${hex}>>>`;
}

function unknownLayout(why: string): RejectDocument {
  return unavailable(`The renderer makes PDFs of a layout that Dropline does not know: ${why}.`);
}
