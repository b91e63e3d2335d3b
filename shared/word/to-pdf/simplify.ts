import { escapeXml } from '../model/escape.ts';
import type { Facts } from './facts.ts';
import { isSymbolTypeface, symbolsToText } from './symbols.ts';
import {
  attribute,
  child,
  elements,
  fragment,
  is,
  isElement,
  localName,
  mapChildren,
  setChildren,
  textOf,
  type XmlElement,
  type XmlNode,
} from './xml.ts';

/**
 * The first pass: rewrites what docx-preview 0.4 does not know into what it knows, so that no text is
 * lost. It reads `w:p`, `w:tbl`, `w:r` and `w:hyperlink` only in their usual places, and silently skips
 * content controls in tables, simple fields, moved text, ruby and the like.
 */
export function simplify(root: XmlElement, facts: Facts): void {
  mapChildren(root, (node) => simplified(node, facts));
}

/** Elements that are replaced by their content. */
const transparent = new Set([
  'ins',
  'moveTo',
  'customXml',
  'smartTag',
  'sdt',
  'sdtContent',
  'dir',
  'bdo',
  'fldSimple',
]);

/** Elements that show nothing, or whose text was deleted. */
const dropped = new Set([
  'del',
  'moveFrom',
  'sdtPr',
  'sdtEndPr',
  'customXmlPr',
  'smartTagPr',
  'proofErr',
  'permStart',
  'permEnd',
  'softHyphen',
  'lang',
  'rsid',
]);

/** Values of `Requires` that the later passes understand; for others the fallback is better. */
const understood = /^(wps|wpg|wpc|w14|w15|w16(?!se)\w*|wp14|a14)$/;

function simplified(node: XmlNode, facts: Facts): XmlNode[] {
  if (!isElement(node)) return [node];
  const name = localName(node);
  switch (name) {
    case 'AlternateContent':
      return chosen(node).flatMap((inner) => simplified(inner, facts));
    case 'del':
    case 'moveFrom':
      if (name === 'del' && textOf(node).trim() !== '') facts.deletions++;
      return [];
    case 'fldSimple':
      return simpleField(node, facts);
    case 'noBreakHyphen':
      return fragment('<w:t>-</w:t>');
    case 'cr':
      return fragment('<w:br/>');
    case 'ptab':
      return fragment('<w:tab/>');
    case 'sym':
      return symbol(node);
    case 'r':
      return run(node, facts);
    case 'tr':
      if (child(node, 'trPr', 'del')) {
        facts.deletions++;
        return [];
      }
      break;
  }
  if (dropped.has(name)) return [];
  if (transparent.has(name)) return node.children.flatMap((inner) => simplified(inner, facts));
  mapChildren(node, (inner) => simplified(inner, facts));
  return [node];
}

/** The branch of an `mc:AlternateContent` that shows the most (ECMA-376 part 3, 10.2). */
function chosen(alternate: XmlElement): XmlNode[] {
  const choices = elements(alternate, 'Choice');
  const fallback = child(alternate, 'Fallback');
  const choice = choices.find((branch) =>
    (attribute(branch, 'Requires') ?? '').split(/\s+/).every((prefix) => understood.test(prefix)),
  );
  const branch = choice ?? (fallback && elements(fallback).length > 0 ? fallback : choices[0]);
  return branch?.children ?? [];
}

function simpleField(field: XmlElement, facts: Facts): XmlNode[] {
  const runs = field.children.flatMap((inner) => simplified(inner, facts));
  const instruction = escapeXml(attribute(field, 'instr') ?? '');
  // Written as a complex field, so that one pass handles both kinds.
  return [
    ...fragment(
      `<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>${instruction}</w:instrText></w:r>` +
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>',
    ),
    ...runs,
    ...fragment('<w:r><w:fldChar w:fldCharType="end"/></w:r>'),
  ];
}

function symbol(sym: XmlElement): XmlNode[] {
  const point = Number.parseInt(attribute(sym, 'char') ?? '', 16);
  if (!Number.isFinite(point) || point <= 0 || point > 0x10ffff) return [];
  const typeface = attribute(sym, 'font');
  const sign = String.fromCodePoint(point);
  const text = isSymbolTypeface(typeface) ? symbolsToText(sign, typeface) : sign;
  return fragment(`<w:t xml:space="preserve">${escapeXml(text)}</w:t>`);
}

/** A run. Its ruby text follows its base, as in plain text: 東京(とうきょう). */
function run(node: XmlElement, facts: Facts): XmlNode[] {
  mapChildren(node, (inner) => (is(inner, 'ruby') ? [inner] : simplified(inner, facts)));
  const properties = child(node, 'rPr');
  const fonts = child(properties, 'rFonts');
  const typeface = attribute(fonts, 'ascii') ?? attribute(fonts, 'hAnsi');
  if (isSymbolTypeface(typeface)) {
    for (const text of elements(node, 't')) {
      setChildren(text, fragment(escapeXml(symbolsToText(textOf(text), typeface))));
    }
    if (properties && fonts) {
      setChildren(
        properties,
        properties.children.filter((property) => property !== fonts),
      );
    }
  }
  if (!elements(node, 'ruby').length) return [node];
  return node.children.flatMap((inner): XmlNode[] => {
    if (is(inner, 'rPr')) return [];
    if (!isElement(inner) || localName(inner) !== 'ruby') return [sameRun(node, inner)];
    const simplifiedIn = (part: string) =>
      (child(inner, part)?.children ?? []).flatMap((part) => simplified(part, facts));
    return [
      ...simplifiedIn('rubyBase'),
      ...fragment('<w:r><w:t>(</w:t></w:r>'),
      ...simplifiedIn('rt'),
      ...fragment('<w:r><w:t>)</w:t></w:r>'),
    ];
  });
}

function sameRun(model: XmlElement, content: XmlNode): XmlNode {
  const [made] = fragment('<w:r/>');
  if (!made || !isElement(made)) return content;
  const properties = child(model, 'rPr');
  setChildren(made, properties ? [properties, content] : [content]);
  return made;
}
