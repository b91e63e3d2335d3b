import mammoth from 'mammoth';
import { RejectDocument } from '../errors.ts';
import {
  type Block,
  documentPart,
  goesOnStyle,
  isItemStyle,
  type LinkTargets,
  labelEnd,
  labelStart,
  paragraphXml,
  styleMap,
  stylesPart,
  tableXml,
} from './docx-wml.ts';
import { HtmlText } from './html-text.ts';

/**
 * mammoth holds a tree of all it is given, some hundred times the size of the XML. So it is given a
 * document in stretches of about this many characters, and memory stays flat however long it is.
 */
const stretch = 512 * 1024;

/**
 * Characters of a single paragraph or table row, prepared for mammoth, above which the document is
 * refused: it cannot be parted, and Word's own pages end far below.
 */
const longestBlock = 8 * 1024 * 1024;

/**
 * What mammoth makes of these blocks, as Markdown-like text without white space at the ends.
 * Nothing of the file is opened by it: it sees a virtual package with the prepared parts.
 * @throws RejectDocument `normalize.too_complex` for a paragraph or table row that is too long
 */
export async function wordToText(
  blocks: Block[],
  links: LinkTargets,
  limits: { maxOutputBytes: number; maxXmlDepth: number },
): Promise<string> {
  const text = new HtmlText(limits.maxXmlDepth, { ofWord: true });
  const out: string[] = [];
  let bytes = 0;
  for (const { xml, isWithinTable, endsWithinTable } of stretches(blocks, links)) {
    let html = await htmlOf(xml, links);
    // A table over several stretches is still one.
    if (isWithinTable) html = html.replace(/^<table>/, '');
    if (endsWithinTable) html = html.replace(/<\/table>$/, '');
    text.write(html.replace(itemLabels, (_, label: string) => `<li data-label="${label}">`));
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

interface Stretch {
  /** A `document.xml`. */
  xml: string;
  /** It begins with rows of the table that the stretch before it ended with. */
  isWithinTable: boolean;
  endsWithinTable: boolean;
}

/** The blocks as documents of bearable length, parted between paragraphs and between rows. */
function* stretches(blocks: Block[], links: LinkTargets): Generator<Stretch> {
  let parts: string[] = [];
  let rows: string[] = [];
  let length = 0;
  let isWithinTable = false;
  const finish = (endsWithinTable: boolean): Stretch => {
    if (rows.length > 0) parts.push(tableXml(rows));
    const finished = { xml: documentPart(parts), isWithinTable, endsWithinTable };
    parts = [];
    rows = [];
    length = 0;
    isWithinTable = endsWithinTable;
    return finished;
  };

  for (const block of blocks) {
    if (block.kind === 'paragraph') {
      // The paragraphs of a list item stay together, those of a list if possible.
      const isFree = block.style === undefined || !isItemStyle(block.style);
      const isBreak = isFree || (block.style !== goesOnStyle && length > 2 * stretch);
      if (length > stretch && isBreak) yield finish(false);
      const xml = bounded(paragraphXml(block, links));
      parts.push(xml);
      length += xml.length;
      continue;
    }
    for (const [at, row] of block.rows.entries()) {
      if (length > stretch) yield finish(at > 0);
      rows.push(bounded(row));
      length += row.length;
    }
    parts.push(tableXml(rows));
    rows = [];
  }
  if (length > 0) yield finish(false);
}

function bounded(xml: string): string {
  if (xml.length <= longestBlock) return xml;
  throw new RejectDocument({
    code: 'normalize.too_complex',
    message: `A paragraph or table row of the document takes more than ${longestBlock} characters of XML.`,
  });
}
