import { convert } from 'html-to-text';
import { paragraphXml } from './blocks.ts';
import type { DocxPackage, Relationships } from './package.ts';
import { fragment, type XmlNode } from './xml.ts';

/**
 * The content of an imported chunk (`w:altChunk`, ECMA-376 part 1, 17.17.2.1) as plain paragraphs.
 * Undefined when its format is not read (RTF, another docx) or it is missing from the file. The HTML
 * never reaches the browser, because it may contain scripts.
 */
export async function readChunk(
  pkg: DocxPackage,
  relationships: Relationships,
  id: string | undefined,
): Promise<XmlNode[] | undefined> {
  const found = id === undefined ? undefined : relationships.get(id);
  if (!found || found.external) return undefined;
  const bytes = await pkg.bytes(found.target);
  if (!bytes) return undefined;
  const text = new TextDecoder('utf-8').decode(bytes);
  const kind = found.target.slice(found.target.lastIndexOf('.') + 1).toLowerCase();
  if (kind === 'txt') return paragraphs(text);
  if (!/^x?html?$/.test(kind) && !/<html[\s>]/i.test(text.slice(0, 1000))) return undefined;
  return paragraphs(
    convert(text, {
      wordwrap: false,
      selectors: [
        { selector: 'img', format: 'skip' },
        { selector: 'a', options: { ignoreHref: true } },
      ],
    }),
  );
}

function paragraphs(text: string): XmlNode[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.flatMap((line) => fragment(paragraphXml(line)));
}
