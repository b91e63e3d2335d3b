import { type Zippable, zipSync } from 'fflate';
import { openPackage } from './package.ts';
import {
  attribute,
  descendants,
  isElement,
  localName,
  mapChildren,
  parseXml,
  rootOf,
  textOf,
  writeXml,
  type XmlDocument,
  type XmlElement,
  type XmlNode,
} from './xml.ts';

/**
 * LibreOffice fills some fields of a docx in by itself: `DATE` and `TIME` from the clock, `FILENAME` from the
 * temporary file that it reads. It also completes relative links with the temporary directory. Such a PDF
 * differs from print to print, and shows what was never in the document.
 */
const filledIn = /^\s*(DATE|TIME|FILENAME)\b/i;

const webAddress = /^(https?|mailto):/i;

/**
 * The docx with the stored results of these fields, and with web and mail links only.
 * @param file path of a docx that the normalize step let through
 * @returns the new docx, or undefined when nothing had to change
 * @throws Error when the file is not a docx
 */
export async function withStoredFields(file: string): Promise<Uint8Array | undefined> {
  const pkg = await openPackage(file);
  try {
    const entries: Zippable = {};
    let isChanged = false;
    for (const name of pkg.names) {
      const bytes = await pkg.bytes(name);
      if (!bytes) continue;
      const changed = changedPart(name, bytes);
      if (changed !== undefined) isChanged = true;
      // The earliest time of a zip: LibreOffice must not see when this was made.
      entries[name] = [changed ?? bytes, { level: 0, mtime: new Date(1980, 0, 1) }];
    }
    return isChanged ? zipSync(entries) : undefined;
  } finally {
    pkg.close();
  }
}

function changedPart(name: string, bytes: Uint8Array): Uint8Array | undefined {
  if (/\.rels$/i.test(name)) return rewritten(bytes, unlink);
  if (!/\.xml$/i.test(name) || !mentionsFields(bytes)) return undefined;
  return rewritten(bytes, storeResults);
}

/** Most parts have no field, and are not parsed. */
function mentionsFields(bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (['utf8', 'utf16le'] as const).some((encoding) => buffer.includes(':instr', 0, encoding));
}

function rewritten(
  bytes: Uint8Array,
  change: (root: XmlElement) => boolean,
): Uint8Array | undefined {
  const document: XmlDocument = parseXml(bytes);
  const root = rootOf(document);
  return root && change(root) ? Buffer.from(writeXml(document)) : undefined;
}

/** Points links to anything but the web at no document. */
function unlink(root: XmlElement): boolean {
  let isChanged = false;
  for (const link of descendants(root, 'Relationship')) {
    const isLink = /\/hyperlink$/.test(attribute(link, 'Type') ?? '');
    const isExternal = attribute(link, 'TargetMode')?.toLowerCase() === 'external';
    const target = attribute(link, 'Target') ?? '';
    if (!isLink || !isExternal || target === nowhere || webAddress.test(target)) continue;
    link.attribs.Target = nowhere;
    isChanged = true;
  }
  return isChanged;
}

const nowhere = '#';

interface OpenField {
  instruction: string;
  phase: 'instruction' | 'result';
  /** What goes when the field does: all but its result. */
  own: XmlNode[];
}

/** Replaces the fields, simple (`fldSimple`) and complex (`fldChar`), by their results. */
function storeResults(root: XmlElement): boolean {
  const open: OpenField[] = [];
  const gone = new Set<XmlNode>();
  for (const node of descendants(root)) {
    const top = open.at(-1);
    switch (localName(node)) {
      case 'fldSimple':
        if (isReplaced(attribute(node, 'instr') ?? '')) gone.add(node);
        break;
      case 'fldChar':
        followCharacter(node, open, gone);
        break;
      case 'instrText':
        if (top) top.instruction += textOf(node);
        top?.own.push(node);
        break;
      case 't':
        for (const field of open) if (field.phase === 'instruction') field.own.push(node);
        break;
    }
  }
  const remove = (parent: XmlElement): void => {
    mapChildren(parent, (node) => {
      if (!gone.has(node)) return [node];
      return isElement(node) && localName(node) === 'fldSimple' ? node.children : [];
    });
  };
  for (const parent of new Set([...gone].map((node) => node.parent))) {
    if (parent && isElement(parent)) remove(parent);
  }
  return gone.size > 0;
}

function followCharacter(node: XmlElement, open: OpenField[], gone: Set<XmlNode>): void {
  const top = open.at(-1);
  switch (attribute(node, 'fldCharType')) {
    case 'begin':
      open.push({ instruction: '', phase: 'instruction', own: [node] });
      return;
    case 'separate':
      if (top) top.phase = 'result';
      top?.own.push(node);
      return;
    case 'end':
      top?.own.push(node);
      if (top && isReplaced(top.instruction)) for (const own of top.own) gone.add(own);
      open.pop();
      return;
  }
}

function isReplaced(instruction: string): boolean {
  if (filledIn.test(instruction)) return true;
  // `\l` and a bookmark lead to a place in the document itself.
  const target = /^\s*HYPERLINK\s+(?!\\)"?([^"\s]*)/i.exec(instruction)?.[1];
  return target !== undefined && target !== '' && !webAddress.test(target);
}
