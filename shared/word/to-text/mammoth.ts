import mammoth from 'mammoth';
import { HtmlText } from '../../formats/html/reader.ts';
import type { Stretches } from '../model/stretches.ts';
import { type LinkTargets, labelEnd, labelStart, styleMap, stylesPart } from '../model/wml.ts';

/**
 * Converts the prepared document with mammoth, to Markdown-like text without white space at the ends.
 * mammoth never opens the file: it sees a virtual package with the prepared parts.
 * @throws RejectDocument `normalize.too_complex` for a table row that is too long
 */
export async function wordToText(
  prepared: Stretches,
  links: LinkTargets,
  limits: { maxOutputBytes: number; maxXmlDepth: number },
): Promise<string> {
  const text = new HtmlText(limits.maxXmlDepth, { ofWord: true });
  const out: string[] = [];
  let bytes = 0;
  for (const { xml, isWithinTable, endsWithinTable } of prepared.take()) {
    let html = await htmlOf(xml, links);
    // A table over several stretches is still one.
    if (isWithinTable) html = html.replace(/^<table>/, '');
    if (endsWithinTable) html = html.replace(/<\/table>$/, '');
    text.write(html.replace(itemLabels, (_, label: string) => labelled(label)));
    const piece = text.take();
    out.push(piece);
    bytes += Buffer.byteLength(piece);
    if (bytes > limits.maxOutputBytes) break;
  }
  text.end();
  out.push(text.take());
  return out.join('').trim();
}

const itemLabels = new RegExp(`<li>${labelStart}([^${labelEnd}]*)${labelEnd}`, 'g');

/** @param label as HTML text, in which quotes are not escaped */
function labelled(label: string): string {
  return `<li data-label="${label.replaceAll('"', '&quot;')}">`;
}

const documentName = 'word/document.xml';
const relationshipsName = 'word/_rels/document.xml.rels';
const stylesName = 'word/styles.xml';

async function htmlOf(documentXml: string, links: LinkTargets): Promise<string> {
  const parts = new Map([
    [documentName, documentXml],
    [relationshipsName, links.relationshipsOf(documentXml)],
    [stylesName, stylesPart],
  ]);
  // mammoth takes an opened package as `file` (its lib/unzip.js), which its types leave out.
  const file = {
    exists: (name: string) => parts.has(name),
    read: async (name: string) => parts.get(name) ?? '',
  };
  const { value } = await mammoth.convertToHtml({ file } as unknown as MammothInput, {
    styleMap,
    includeDefaultStyleMap: false,
    includeEmbeddedStyleMap: false,
    externalFileAccess: false,
  });
  return value;
}

type MammothInput = Parameters<typeof mammoth.convertToHtml>[0];
