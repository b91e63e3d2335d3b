import { escapeXml } from './escape.ts';
import { namespaces, packageNamespaces, relationshipType } from './namespaces.ts';
import { type Piece, trimmed } from './pieces.ts';

/**
 * The WordprocessingML that mammoth gets: only paragraphs, runs, links and tables, in styles of our
 * own. Its depth is constant, and its size follows the text.
 */

/** A paragraph or table, ready to be written. */
export type StoryBlock = ParagraphBlock | TableBlock;

export interface ParagraphBlock {
  kind: 'paragraph';
  /** Undefined for body text. */
  style?: string;
  /** `4.2`, `(b)` …: the marker of a list item, part of the text elsewhere. */
  label?: string;
  pieces: Piece[];
}

interface TableBlock {
  kind: 'table';
  /** Each a `w:tr`. */
  rows: string[];
}

/** Around a label that becomes a list item's marker. Unicode guarantees never to assign these. */
export const labelStart = '\ufdd0';
export const labelEnd = '\ufdd1';

const declarations = `xmlns:w="${namespaces.w}" xmlns:r="${namespaces.r}"`;

/** Word's levels of a list, and of headings in HTML. */
const listLevels = 9;
const headingLevels = 6;

/** Style of a paragraph that continues the list item before it. */
export const continuedStyle = 'Item';
/** Style of the line between the parts of a document. */
export const ruleStyle = 'Rule';

/** @param level 0 for the outermost */
export function listStyle(level: number): string {
  return `List${Math.min(listLevels, level + 1)}`;
}

/** Whether paragraphs of the style are (part of) list items. */
export function isItemStyle(style: string): boolean {
  return style === continuedStyle || style.startsWith('List');
}

/** @param level 1 for the highest */
export function headingStyle(level: number): string {
  return `Head${Math.min(headingLevels, level)}`;
}

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

/** How mammoth maps the styles above to HTML. */
export const styleMap: string[] = [
  ...upTo(listLevels).map(
    (level) => `p.List${level} => ${'ul > li > '.repeat(level - 1)}ul > li:fresh`,
  ),
  ...upTo(headingLevels).map((level) => `p.Head${level} => h${level}:fresh`),
  `p.${continuedStyle} => ul > li > p:fresh`,
  `p.${ruleStyle} => hr:fresh`,
];

/** `styles.xml` that defines the styles above, so that mammoth does not warn about them. */
export const stylesPart = `<w:styles ${declarations}>${styleMap
  .map((mapping) => /^p\.(\w+)/.exec(mapping)?.[1] ?? '')
  .map((id) => `<w:style w:type="paragraph" w:styleId="${id}"><w:name w:val="${id}"/></w:style>`)
  .join('')}</w:styles>`;

/** The targets of links, by the ids under which `document.xml` refers to them. */
export class LinkTargets {
  readonly #ids = new Map<string, string>();
  readonly #targets = new Map<string, string>();

  idOf(target: string): string {
    let id = this.#ids.get(target);
    if (id === undefined) {
      id = `link${this.#ids.size + 1}`;
      this.#ids.set(target, id);
      this.#targets.set(id, target);
    }
    return id;
  }

  /** The relationships part of a `document.xml`, with those it refers to. */
  relationshipsOf(documentXml: string): string {
    const type = relationshipType('hyperlink');
    const ids = new Set<string>();
    for (const [, id = ''] of documentXml.matchAll(/ r:id="(link\d+)"/g)) ids.add(id);
    const all = [...ids].map((id) => {
      const target = escapeXml(this.#targets.get(id) ?? '');
      return `<Relationship Id="${id}" Type="${type}" Target="${target}" TargetMode="External"/>`;
    });
    return `<Relationships xmlns="${packageNamespaces.relationships}">${all.join('')}</Relationships>`;
  }
}

/** `document.xml` with these paragraphs and tables. */
export function documentPart(blocks: string[]): string {
  // Joined once: a string built of many small additions takes several times its length.
  return [`<w:document ${declarations}><w:body>`, ...blocks, '</w:body></w:document>'].join('');
}

export function writeTable(rows: string[]): string {
  return `<w:tbl>${rows.join('')}</w:tbl>`;
}

export function writeParagraph(block: ParagraphBlock, links: LinkTargets): string {
  const { style, label } = block;
  const isItem = style !== undefined && isItemStyle(style);
  const pieces = trimmed(block.pieces);
  const properties = style === undefined ? '' : `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`;
  const lead =
    label === undefined
      ? ''
      : isItem
        ? labelStart + label + labelEnd
        : label === ''
          ? ''
          : `${label} `;
  return `<w:p>${properties}${lead === '' ? '' : runXml(lead)}${piecesXml(pieces, links)}</w:p>`;
}

function piecesXml(pieces: Piece[], links: LinkTargets): string {
  let xml = '';
  let open: string | undefined;
  for (const { text, struck, superscript, link } of pieces) {
    if (link !== open) {
      if (open !== undefined) xml += '</w:hyperlink>';
      if (link !== undefined) xml += `<w:hyperlink r:id="${links.idOf(link)}">`;
      open = link;
    }
    const strike = struck ? '<w:strike/>' : '';
    const raise = superscript ? '<w:vertAlign w:val="superscript"/>' : '';
    xml += runXml(text, strike + raise);
  }
  return open === undefined ? xml : `${xml}</w:hyperlink>`;
}

function runXml(text: string, properties = ''): string {
  const lines = escapeXml(text).replaceAll('\n', '</w:t><w:br/><w:t>');
  return `<w:r>${properties === '' ? '' : `<w:rPr>${properties}</w:rPr>`}<w:t>${lines}</w:t></w:r>`;
}
