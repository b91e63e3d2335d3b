import { escapeXml } from '../model/escape.ts';
import {
  child,
  descendants,
  elements,
  fragment,
  isElement,
  localName,
  mapChildren,
  propertyOf,
  setChildren,
  type XmlElement,
  type XmlNode,
} from './xml.ts';

/**
 * Equations (Office MathML, ECMA-376 part 1, 22.1) adapted to docx-preview 0.4, which silently
 * skips some kinds and throws on others when an optional part is missing. An exception would cost the
 * whole document.
 */
export function simplifyMath(root: XmlElement): void {
  for (const math of descendants(root, 'oMath')) simplifyIn(math);
}

/** What docx-preview draws once all parts are there. */
const known = new Set([
  'oMath',
  'oMathPara',
  'f',
  'func',
  'fName',
  'num',
  'den',
  'rad',
  'deg',
  'e',
  'sSup',
  'sSub',
  'sPre',
  'sup',
  'sub',
  'd',
  'nary',
  'eqArr',
  'lim',
  'limLow',
  'm',
  'mr',
  'box',
  'bar',
  'groupChr',
  'r',
]);

/** Required parts, in drawing order. */
const parts: Record<string, string[]> = {
  f: ['num', 'den'],
  rad: ['radPr', 'deg', 'e'],
  sSup: ['e', 'sup'],
  sSub: ['e', 'sub'],
  sPre: ['sub', 'sup', 'e'],
  d: ['dPr'],
  nary: ['naryPr', 'sub', 'sup', 'e'],
  limLow: ['e', 'lim'],
  bar: ['barPr', 'e'],
  groupChr: ['groupChrPr', 'e'],
};

function simplifyIn(parent: XmlElement): void {
  mapChildren(parent, (node) => simplified(node));
}

function simplified(node: XmlNode): XmlNode[] {
  if (!isElement(node)) return [];
  const name = localName(node);
  if (name.endsWith('Pr')) return [node];
  if (name === 'r') return [node];
  simplifyIn(node);
  switch (name) {
    case 'sSubSup':
      return [nested(node)];
    case 'acc':
      return [accent(node)];
    case 'limUpp':
      return [renamed(node, 'sSup', { lim: 'sup' })];
    case 'borderBox':
      return [renamed(node, 'box', {})];
    case 'phant':
      return node.children;
  }
  if (!known.has(name)) return node.children.filter((inner) => !isPropertyOf(inner));
  complete(node, parts[name] ?? []);
  return [node];
}

function isPropertyOf(node: XmlNode): boolean {
  return isElement(node) && localName(node).endsWith('Pr');
}

function complete(node: XmlElement, names: string[]): void {
  const missing = names.filter((name) => !child(node, name));
  if (missing.length > 0) {
    const made = missing.flatMap((name) => fragment(`<m:${name}/>`));
    setChildren(node, [...node.children, ...made]);
  }
  if (names.length < 2) return;
  const order = (inner: XmlNode) => (isElement(inner) ? names.indexOf(localName(inner)) : -1);
  setChildren(
    node,
    node.children.filter((inner) => order(inner) >= 0).sort((a, b) => order(a) - order(b)),
  );
}

/** Both indices, nested: the base with its subscript is the base of the superscript. */
function nested(node: XmlElement): XmlElement {
  const made = element('<m:sSup><m:e><m:sSub/></m:e></m:sSup>');
  const lower = child(made, 'e', 'sSub');
  const base = child(node, 'e') ?? element('<m:e/>');
  const sub = child(node, 'sub') ?? element('<m:sub/>');
  const sup = child(node, 'sup') ?? element('<m:sup/>');
  if (lower) setChildren(lower, [base, sub]);
  setChildren(made, [...elements(made, 'e'), sup]);
  return made;
}

/** The spacing forms of the combining characters that Word stores for accents. */
const spacing: Record<string, string> = {
  '\u0300': '`',
  '\u0301': '´',
  '\u0302': '^',
  '\u0303': '~',
  '\u0304': '¯',
  '\u0305': '¯',
  '\u0306': '˘',
  '\u0307': '˙',
  '\u0308': '¨',
  '\u030c': 'ˇ',
  '\u20d6': '←',
  '\u20d7': '→',
  '\u20e1': '↔',
};

function accent(node: XmlElement): XmlElement {
  const stored = propertyOf(child(node, 'accPr'), 'chr') ?? '\u0302';
  const sign = escapeXml(spacing[stored] ?? stored);
  const made = element(
    `<m:groupChr><m:groupChrPr><m:chr m:val="${sign}"/><m:vertJc m:val="bot"/></m:groupChrPr></m:groupChr>`,
  );
  setChildren(made, [...made.children, child(node, 'e') ?? element('<m:e/>')]);
  return made;
}

function renamed(node: XmlElement, name: string, inside: Record<string, string>): XmlElement {
  node.name = `m:${name}`;
  for (const inner of elements(node)) {
    const other = inside[localName(inner)];
    if (other) inner.name = `m:${other}`;
  }
  setChildren(
    node,
    node.children.filter((inner) => !isPropertyOf(inner)),
  );
  complete(node, parts[name] ?? []);
  return node;
}

function element(xml: string): XmlElement {
  const [made] = fragment(xml);
  if (!made || !isElement(made)) throw new TypeError(`No element: ${xml}`);
  return made;
}
