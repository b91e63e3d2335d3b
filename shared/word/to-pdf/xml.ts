import { DomUtils, parseDocument } from 'htmlparser2';
import { isOn } from '../../formats/office/xml.ts';
import { namespaces } from '../model/namespaces.ts';

/**
 * The XML trees of a docx, as the passes see them. Elements are identified by their local name only, as
 * in docx-preview: producers may bind any prefix to a namespace.
 */

export type XmlDocument = ReturnType<typeof parseDocument>;
export type XmlNode = XmlDocument['children'][number];
export type XmlElement = Extract<XmlNode, { attribs: Record<string, string> }>;

/** Strict files (ISO/IEC 29500-1) have other namespaces than Transitional ones. */
const strictNames: [RegExp, string][] = [
  [/http:\/\/purl\.oclc\.org\/ooxml\/officeDocument\/relationships/g, namespaces.r],
  [
    /http:\/\/purl\.oclc\.org\/ooxml\/(wordprocessingml|drawingml)\/(\w+)/g,
    'http://schemas.openxmlformats.org/$1/2006/$2',
  ],
  [/http:\/\/purl\.oclc\.org\/ooxml\/officeDocument\/math/g, namespaces.m],
];

/** Reads an XML part. Forgiving: reads what it can of a part that is not well-formed. */
export function parseXml(bytes: Uint8Array): XmlDocument {
  let text = decode(bytes).replace(/^\uFEFF/, '');
  if (text.includes('purl.oclc.org')) {
    for (const [strict, transitional] of strictNames) text = text.replace(strict, transitional);
  }
  const document = parseDocument(text, { xmlMode: true, decodeEntities: true });
  document.children = document.children.filter((node) => isElement(node));
  return document;
}

function decode(bytes: Uint8Array): string {
  const [a, b] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0x3c && b === 0)) {
    return new TextDecoder('utf-16le').decode(bytes);
  }
  if ((a === 0xfe && b === 0xff) || (a === 0 && b === 0x3c)) {
    return new TextDecoder('utf-16be').decode(bytes);
  }
  return new TextDecoder('utf-8').decode(bytes);
}

/** The namespaces that the passes write in, by prefix. */
const known: Record<string, string> = namespaces;

/** The part as text: well-formed, with every prefix that it uses declared. */
export function writeXml(document: XmlDocument): string {
  const root = rootOf(document);
  if (root) {
    const declared = new Set<string>();
    const used = new Set(Object.keys(known));
    for (const element of [root, ...descendants(root)]) tidyNames(element, declared, used);
    for (const prefix of used) {
      if (!declared.has(prefix)) {
        root.attribs[`xmlns:${prefix}`] ??= known[prefix] ?? `urn:prefix:${prefix}`;
      }
    }
  }
  return DomUtils.getOuterHTML(document, { xmlMode: true });
}

const nameInXml = /^[\p{L}_][\p{L}\p{N}._-]*(:[\p{L}_][\p{L}\p{N}._-]*)?$/u;

/** A strict reader would refuse some of the names that a forgiving one accepts. */
function tidyNames(element: XmlElement, declared: Set<string>, used: Set<string>): void {
  if (!nameInXml.test(element.name)) element.name = 'unreadable';
  for (const name of [element.name, ...Object.keys(element.attribs)]) {
    if (!nameInXml.test(name)) {
      delete element.attribs[name];
      continue;
    }
    const [prefix = '', local] = name.split(':');
    if (local === undefined || prefix === 'xml') continue;
    if (prefix === 'xmlns') declared.add(local);
    else used.add(prefix);
  }
}

/** Nodes of a piece of XML that we wrote. */
export function fragment(xml: string): XmlNode[] {
  return parseDocument(xml, { xmlMode: true }).children;
}

export function isElement(node: XmlNode | null | undefined): node is XmlElement {
  return node !== null && node !== undefined && 'attribs' in node;
}

export function rootOf(document: XmlDocument): XmlElement | undefined {
  return document.children.find(isElement);
}

/** The name without its prefix. */
export function localName(element: XmlElement): string {
  return element.name.slice(element.name.indexOf(':') + 1);
}

/** Whether the node is an element of that local name. Not a type guard: its negation would narrow too. */
export function is(node: XmlNode, name: string): boolean {
  return isElement(node) && localName(node) === name;
}

/** The child elements, all or those of one local name. */
export function elements(parent: XmlElement | undefined, name?: string): XmlElement[] {
  if (!parent) return [];
  const found = parent.children.filter(isElement);
  return name === undefined ? found : found.filter((element) => localName(element) === name);
}

/** The first element reached by a path of local names. */
export function child(parent: XmlElement | undefined, ...path: string[]): XmlElement | undefined {
  let at = parent;
  for (const name of path) {
    at = at?.children.find((node): node is XmlElement => isElement(node) && is(node, name));
  }
  return at;
}

/** All elements below `top`, or those of the given local names, in document order. Not recursive. */
export function descendants(top: XmlElement | XmlDocument, ...names: string[]): XmlElement[] {
  const found: XmlElement[] = [];
  const stack: XmlNode[] = [...top.children].reverse();
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (!isElement(node)) continue;
    if (names.length === 0 || names.includes(localName(node))) found.push(node);
    for (let at = node.children.length - 1; at >= 0; at--) {
      const next = node.children[at];
      if (next) stack.push(next);
    }
  }
  return found;
}

/** The value of the first attribute of that local name. */
export function attribute(element: XmlElement | undefined, name: string): string | undefined {
  if (!element) return undefined;
  for (const key in element.attribs) {
    if (key === name || key.slice(key.indexOf(':') + 1) === name) return element.attribs[key];
  }
  return undefined;
}

/** `w:val` of a child element: the way WordprocessingML writes most properties. */
export function propertyOf(parent: XmlElement | undefined, name: string): string | undefined {
  return attribute(child(parent, name), 'val');
}

/** Whether an on/off property (ECMA-376 part 1, 17.17.4) is present and on. */
export function isPropertyOn(parent: XmlElement | undefined, name: string): boolean {
  const property = child(parent, name);
  return property !== undefined && isOn(attribute(property, 'val'));
}

/** The number in an attribute, or `otherwise`. */
export function numberFrom(text: string | undefined, otherwise: number): number {
  const value = Number.parseFloat(text ?? '');
  return Number.isFinite(value) ? value : otherwise;
}

export function textOf(element: XmlElement): string {
  return DomUtils.textContent(element);
}

/** Replaces all children with `nodes`. */
export function setChildren(parent: XmlElement, nodes: XmlNode[]): void {
  for (const node of nodes) node.parent = parent;
  parent.children = nodes;
}

/** Replaces every child by the nodes that `change` returns; linear in the number of children. */
export function mapChildren(parent: XmlElement, change: (node: XmlNode) => XmlNode[]): void {
  setChildren(parent, parent.children.flatMap(change));
}
