import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { bundledTypefaces } from '../../shared/print/fonts.ts';
import { type Prepared, prepareDocx } from '../../shared/word/to-pdf/index.ts';
import { type Parts, partsOf, textOf } from '../fixtures/zip.ts';
import { docxOf, type Fixture } from '../print/docx-fixture.ts';

/** Prepares these bytes for print. */
export async function prepareBytes(docx: Uint8Array): Promise<Prepared> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'prepare-test-'));
  try {
    const file = path.join(dir, 'in.docx');
    await writeFile(file, docx);
    return await prepareDocx(file, bundledTypefaces);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A docx with this body, prepared, with its main part as `xml`. */
export async function prepared(
  body: string,
  fixture: Fixture = {},
): Promise<Prepared & { xml: string; parts: Parts }> {
  const made = await prepareBytes(docxOf(body, fixture));
  const parts = partsOf(made.docx);
  return { ...made, xml: plain(textOf(parts, 'word/document.xml')), parts };
}

/** Decodes the character references of the XML. */
function plain(xml: string): string {
  return xml.replace(/&#x([0-9a-f]+);/g, (_, point) =>
    String.fromCodePoint(Number.parseInt(point, 16)),
  );
}

/** Text of the paragraphs that docx-preview would show. */
export function shown(xml: string): string[] {
  return [...xml.matchAll(/<w:p[ >].*?<\/w:p>/g)].map(([paragraph]) =>
    [...paragraph.matchAll(/<w:t[^>]*>([^<]*)<\/w:t>/g)].map(([, text]) => text).join(''),
  );
}
