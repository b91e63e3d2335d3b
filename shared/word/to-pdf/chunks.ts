import { HtmlText } from '../../formats/html/reader.ts';
import { stylesOf } from '../../formats/html/style-collector.ts';
import { RejectDocument } from '../../journey/errors.ts';
import { paragraphXml } from './blocks.ts';
import type { DocxPackage, Relationships } from './package.ts';
import { fragment, type XmlNode } from './xml.ts';

/** An imported chunk. */
interface Chunk {
  blocks: XmlNode[];
  /** Words of it that a reader of the page does not see; they are left out. */
  hiddenWords: number;
}

/**
 * The content of an imported chunk (`w:altChunk`, ECMA-376 part 1, 17.17.2.1) as plain paragraphs.
 * Undefined when it is of a kind that is not read (RTF, another docx), nested too deeply, or not in
 * the file. The HTML is
 * never given to the browser: it may hold scripts.
 */
export async function readChunk(
  pkg: DocxPackage,
  relationships: Relationships,
  id: string | undefined,
): Promise<Chunk | undefined> {
  const found = id === undefined ? undefined : relationships.get(id);
  if (!found || found.external) return undefined;
  const bytes = await pkg.bytes(found.target);
  if (!bytes) return undefined;
  const text = new TextDecoder('utf-8').decode(bytes);
  const kind = found.target.slice(found.target.lastIndexOf('.') + 1).toLowerCase();
  if (kind === 'txt') return { blocks: paragraphs(text), hiddenWords: 0 };
  if (!/^x?html?$/.test(kind) && !/<html[\s>]/i.test(text.slice(0, 1000))) return undefined;
  return pageChunk(text);
}

/** As `maxXmlDepth` by default; a deeper page is not read. */
const maxDepth = 1_000;

function pageChunk(page: string): Chunk | undefined {
  const html = new HtmlText(maxDepth, { isPlain: true, styles: stylesOf(page) });
  try {
    html.write(page);
  } catch (error) {
    if (error instanceof RejectDocument) return undefined;
    throw error;
  }
  html.end();
  return { blocks: paragraphs(html.take()), hiddenWords: html.hidden.count };
}

function paragraphs(text: string): XmlNode[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.flatMap((line) => fragment(paragraphXml(line)));
}
