import { escapeXml } from '../model/escape.ts';
import {
  attribute,
  child,
  elements,
  fragment,
  isElement,
  isPropertyOn,
  localName,
  mapChildren,
  propertyOf,
  textOf,
  type XmlElement,
  type XmlNode,
} from './xml.ts';

/** Placeholders for page numbers, which only the page script knows; private use, not in real text. */
export const pageNumberMark = '\u{F5A01}';
export const pageCountMark = '\u{F5A02}';

interface OpenField {
  instruction: string;
  phase: 'instruction' | 'result';
  /** The result was replaced: the stored one is not shown. */
  replaced: boolean;
}

/**
 * Resolves the complex fields of a story to their results. docx-preview drops a whole run that contains
 * a field character, and with it any other text of that run.
 */
export function resolveFields(root: XmlElement, where: 'body' | 'margin'): void {
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

/** Page numbers in headers and footers are those of the PDF, not those that Word stored. */
function numberField(field: OpenField, where: 'body' | 'margin'): XmlNode[] {
  if (where !== 'margin') return [];
  const kind = /^\s*(PAGE|NUMPAGES)\b/i.exec(field.instruction)?.[1]?.toUpperCase();
  if (!kind) return [];
  field.replaced = true;
  return fragment(`<w:t>${kind === 'PAGE' ? pageNumberMark : pageCountMark}</w:t>`);
}

/** Check boxes and lists of legacy forms have no result text: their state is in their properties. */
function formField(begin: XmlElement): XmlNode[] {
  const data = child(begin, 'ffData');
  const box = child(data, 'checkBox');
  if (box) {
    const checked = child(box, 'checked')
      ? isPropertyOn(box, 'checked')
      : isPropertyOn(box, 'default');
    return fragment(`<w:t>${checked ? '☒' : '☐'}</w:t>`);
  }
  const list = child(data, 'ddList');
  if (!list) return [];
  const at = Number(propertyOf(list, 'result') ?? propertyOf(list, 'default') ?? 0);
  const entry = elements(list, 'listEntry')[at];
  return entry ? fragment(`<w:t>${escapeXml(attribute(entry, 'val') ?? '')}</w:t>`) : [];
}
