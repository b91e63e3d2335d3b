import { partOf } from '../model/relationships.ts';
import { type Facts, noFacts } from './facts.ts';
import type { Typefaces } from './fonts.ts';
import type { DocxPackage, Relationships } from './package.ts';
import { child, elements, rootOf, setChildren, type XmlDocument, type XmlElement } from './xml.ts';

/** The docx as the passes work on it. */
export interface Source {
  pkg: DocxPackage;
  document: XmlDocument;
  root: XmlElement;
  body: XmlElement;
  relationships: Relationships;
  styles: XmlDocument | undefined;
  stylesBytes: Uint8Array | undefined;
  fontTable: XmlElement | undefined;
  typefaces: Typefaces;
  facts: Facts;
}

/** @throws Error when the document part is missing or is not a Word document */
export async function readSource(pkg: DocxPackage, typefaces: Typefaces): Promise<Source> {
  const document = await pkg.xml(pkg.main);
  const root = document && rootOf(document);
  const body = child(root, 'body');
  if (!document || !root || !body) throw new Error('The document part has no body');
  // Some programs write several bodies; readers show them in sequence.
  for (const other of elements(root, 'body').slice(1)) {
    setChildren(body, [...body.children, ...other.children]);
  }
  const relationships = await pkg.relationships(pkg.main);
  const styles = partOf(relationships, 'styles');
  const fontTable = partOf(relationships, 'fontTable');
  const fonts = fontTable === undefined ? undefined : await pkg.xml(fontTable);
  return {
    pkg,
    document,
    root,
    body,
    relationships,
    styles: styles === undefined ? undefined : await pkg.xml(styles),
    stylesBytes: styles === undefined ? undefined : await pkg.bytes(styles),
    fontTable: fonts && rootOf(fonts),
    typefaces,
    facts: noFacts(),
  };
}
