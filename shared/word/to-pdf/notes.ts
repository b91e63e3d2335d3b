import { paragraphXml, runXml } from './blocks.ts';
import {
  attribute,
  child,
  descendants,
  elements,
  fragment,
  is,
  isElement,
  mapChildren,
  setChildren,
  textOf,
  type XmlElement,
  type XmlNode,
} from './xml.ts';

/** Class prefixes by which the page finds references to footnotes and endnotes. */
export const noteStyle = 'DroplineNote';
export const endnoteStyle = 'DroplineEndnote';

/**
 * Numbers the references to footnotes consecutively, as Word does by default; docx-preview starts again
 * on every page. The number travels as a run style, the only thing that docx-preview passes on.
 */
export function markNotes(body: XmlElement): void {
  let number = 0;
  for (const run of descendants(body, 'r')) {
    if (child(run, 'footnoteReference')) {
      number++;
      setStyle(run, `${noteStyle}${number}`);
    } else if (child(run, 'endnoteReference')) setStyle(run, endnoteStyle);
  }
}

function setStyle(run: XmlElement, style: string): void {
  const properties = fragment(`<w:rPr><w:rStyle w:val="${style}"/></w:rPr>`);
  setChildren(run, [...properties, ...run.children.filter((node) => !is(node, 'rPr'))]);
}

/**
 * Marks the places that were commented on, and returns the comments as a list to print after the
 * document's text.
 */
export function takeComments(body: XmlElement, comments: XmlElement | undefined): XmlNode[] {
  const byId = new Map(
    elements(comments, 'comment').map((comment) => [attribute(comment, 'id'), comment]),
  );
  const list: XmlNode[] = [];
  const marked = new Set<XmlElement>();
  let number = 0;
  for (const run of descendants(body, 'r')) {
    mapChildren(run, (node) => {
      if (!isElement(node) || !is(node, 'commentReference')) return [node];
      const comment = byId.get(attribute(node, 'id'));
      if (!comment) return [];
      number++;
      marked.add(comment);
      list.push(...commentParagraphs(comment, number));
      return fragment(`<w:t>[c${number}]</w:t>`);
    });
  }
  // The place may be in a note or header, or there may be none.
  for (const comment of byId.values()) {
    if (!marked.has(comment)) list.push(...commentParagraphs(comment, ++number));
  }
  if (list.length === 0) return [];
  return [...fragment(paragraphXml('[Comments]', { bold: true })), ...list];
}

function commentParagraphs(comment: XmlElement, number: number): XmlNode[] {
  const author = attribute(comment, 'author') ?? '';
  const day = (attribute(comment, 'date') ?? '').slice(0, 10);
  const by = [author, day].filter(Boolean).join(', ');
  const head = runXml(`[c${number}]${by ? ` ${by}` : ''}: `, { bold: true });
  const paragraphs = descendants(comment, 'p').map((paragraph) =>
    descendants(paragraph, 't').map(textOf).join(''),
  );
  return fragment(
    paragraphs.map((text, at) => `<w:p>${at === 0 ? head : ''}${runXml(text)}</w:p>`).join(''),
  );
}

/** Notes that a document shows; separators and the like have another type (17.18.33). */
export function shownNotes(notes: XmlElement | undefined): XmlElement[] {
  return elements(notes).filter((note) => {
    const type = attribute(note, 'type');
    return (type === undefined || type === 'normal') && child(note, 'p') !== undefined;
  });
}
