import type { Facts } from './facts.ts';
import { isSymbolTypeface, symbolsToText } from './symbols.ts';
import {
  attribute,
  child,
  elements,
  escapeXml,
  fragment,
  is,
  isElement,
  isOn,
  localName,
  mapChildren,
  propertyOf,
  setChildren,
  textOf,
  type XmlElement,
  type XmlNode,
} from './xml.ts';

/**
 * The first pass: what docx-preview 0.4 does not know is rewritten into what it knows, so that no
 * text is lost. It reads `w:p`, `w:tbl`, `w:r` and `w:hyperlink` at their usual places only, and
 * passes over content controls in tables, simple fields, moved text, ruby and the like in silence.
 */
export function settle(root: XmlElement, facts: Facts): void {
  mapChildren(root, (node) => settled(node, facts));
}

/** Elements whose content stands where they stand. */
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

/** Elements that show nothing, or whose text the author has struck. */
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

/** `Requires` of a choice that the later passes understand; of others the fallback is better. */
const understood = /^(wps|wpg|wpc|w14|w15|w16\w*|wp14|a14)$/;

function settled(node: XmlNode, facts: Facts): XmlNode[] {
  if (!isElement(node)) return [node];
  const name = localName(node);
  switch (name) {
    case 'AlternateContent':
      return chosen(node).flatMap((inner) => settled(inner, facts));
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
  if (transparent.has(name)) return node.children.flatMap((inner) => settled(inner, facts));
  mapChildren(node, (inner) => settled(inner, facts));
  return [node];
}

/** The branch of an `mc:AlternateContent` that shows most (ECMA-376 part 3, 10.2). */
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
  const runs = field.children.flatMap((inner) => settled(inner, facts));
  const instruction = escapeXml(attribute(field, 'instr') ?? '');
  // As a complex field, so that one pass decides on both kinds.
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

/** A run; its ruby text is set behind its base, as in plain text: 東京(とうきょう). */
function run(node: XmlElement, facts: Facts): XmlNode[] {
  mapChildren(node, (inner) => (is(inner, 'ruby') ? [inner] : settled(inner, facts)));
  const properties = child(node, 'rPr');
  if (properties && (isOn(properties, 'vanish') || isOn(properties, 'specVanish'))) {
    facts.hiddenWords += textOf(node).split(/\s+/).filter(Boolean).length;
  }
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
    const settledIn = (part: string) =>
      (child(inner, part)?.children ?? []).flatMap((part) => settled(part, facts));
    return [
      ...settledIn('rubyBase'),
      ...fragment('<w:r><w:t>(</w:t></w:r>'),
      ...settledIn('rt'),
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

/** Stands for a page number until the page script knows it; private use, never in real text. */
export const pageNumberMark = '\u{F5A01}';
export const pageCountMark = '\u{F5A02}';

interface OpenField {
  instruction: string;
  phase: 'instruction' | 'result';
  /** The result was replaced: what the file holds of it is not shown. */
  replaced: boolean;
}

/**
 * Resolves complex fields of a story: their results stay, their machinery goes. docx-preview drops
 * a whole run as soon as it holds a field character, with any text beside it.
 */
export function settleFields(root: XmlElement, where: 'body' | 'margin'): void {
  const open: OpenField[] = [];
  const visit = (parent: XmlElement): void => {
    mapChildren(parent, (node) => {
      if (!isElement(node)) return [node];
      const top = open.at(-1);
      switch (localName(node)) {
        case 'fldChar':
          return fieldCharacter(node, open, where);
        case 'instrText':
          if (top?.phase === 'instruction') top.instruction += textOf(node);
          return [];
        case 'delInstrText':
          return [];
        case 't':
        case 'tab':
        case 'br':
          return open.some((field) => field.phase === 'instruction' || field.replaced)
            ? []
            : [node];
        default:
          visit(node);
          return [node];
      }
    });
  };
  visit(root);
}

function fieldCharacter(node: XmlElement, open: OpenField[], where: 'body' | 'margin'): XmlNode[] {
  const top = open.at(-1);
  switch (attribute(node, 'fldCharType')) {
    case 'begin':
      open.push({ instruction: '', phase: 'instruction', replaced: false });
      return formField(node);
    case 'separate':
      if (!top) return [];
      top.phase = 'result';
      return numberField(top, where);
    case 'end': {
      const closed = open.pop();
      return closed?.phase === 'instruction' ? numberField(closed, where) : [];
    }
    default:
      return [];
  }
}

/** Page numbers of headers and footers are those of the PDF, not what Word saw last. */
function numberField(field: OpenField, where: 'body' | 'margin'): XmlNode[] {
  if (where !== 'margin') return [];
  const kind = /^\s*(PAGE|NUMPAGES)\b/i.exec(field.instruction)?.[1]?.toUpperCase();
  if (!kind) return [];
  field.replaced = true;
  return fragment(`<w:t>${kind === 'PAGE' ? pageNumberMark : pageCountMark}</w:t>`);
}

/** Boxes and lists of old-style forms have no result text: their state is in the properties. */
function formField(begin: XmlElement): XmlNode[] {
  const data = child(begin, 'ffData');
  const box = child(data, 'checkBox');
  if (box) {
    const checked = child(box, 'checked') ? isOn(box, 'checked') : isOn(box, 'default');
    return fragment(`<w:t>${checked ? '☒' : '☐'}</w:t>`);
  }
  const list = child(data, 'ddList');
  if (!list) return [];
  const at = Number(propertyOf(list, 'result') ?? propertyOf(list, 'default') ?? 0);
  const entry = elements(list, 'listEntry')[at];
  return entry ? fragment(`<w:t>${escapeXml(attribute(entry, 'val') ?? '')}</w:t>`) : [];
}
