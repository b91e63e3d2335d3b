import { pageCountMark, pageNumberMark } from './fields.ts';
import { isElement, localName, textOf, type XmlElement, type XmlNode } from './xml.ts';

/** The text before and after these may be separated in the PDF: by a number, a line end, a picture. */
const separators = new Set([
  'footnoteReference',
  'endnoteReference',
  'commentReference',
  'br',
  'tab',
  'drawing',
  'pict',
  'object',
  'oMath',
]);

/**
 * The text of a story by paragraph, each as the pieces that must be found unbroken in the printed
 * page. Not recursive, so depth costs no stack.
 */
export function textSegments(story: XmlElement): string[][] {
  const paragraphs: string[][] = [];
  const open: { segments: string[]; joined: boolean }[] = [];
  const stack: (XmlNode | 'close')[] = [...story.children].reverse();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node === 'close') {
      const segments = open.pop()?.segments.filter((text) => text.trim() !== '') ?? [];
      if (segments.length > 0) paragraphs.push(segments);
      continue;
    }
    if (!isElement(node)) continue;
    const name = localName(node);
    const top = open.at(-1);
    if (name === 'pPr' || name === 'rPr' || name === 'tblPr') continue;
    if (name === 't' && top) {
      const text = textOf(node).replaceAll(pageNumberMark, '').replaceAll(pageCountMark, '');
      const last = top.segments.length - 1;
      if (top.joined && last >= 0) top.segments[last] += text;
      else top.segments.push(text);
      top.joined = true;
      continue;
    }
    if (top && separators.has(name)) top.joined = false;
    if (name === 'p') {
      open.push({ segments: [], joined: false });
      stack.push('close');
    }
    for (let at = node.children.length - 1; at >= 0; at--) {
      const inner = node.children[at];
      if (inner) stack.push(inner);
    }
    // The parts of an equation may be in another order on the page than in the file.
    if (name === 'r' && top && node.name.startsWith('m:')) top.joined = false;
  }
  return paragraphs;
}

/** Text for comparison: without case, spacing and invisible characters. */
export function comparable(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\u00ad\u200b-\u200f\u2060-\u2064\u2066-\u2069\u202a-\u202e\ufeff]+/gu, '');
}

/** Misses after which the rest is only searched for after the last find: a bound on the time. */
const mostSearches = 200;

/** Paragraphs of which a piece is missing from the shown text. */
export function lostParagraphs(paragraphs: string[][], shown: string): string[] {
  const page = comparable(shown);
  const lost: string[] = [];
  let at = 0;
  let searches = 0;
  for (const segments of paragraphs) {
    let missing = false;
    for (const segment of segments) {
      const piece = comparable(segment);
      if (piece === '') continue;
      let found = page.indexOf(piece, at);
      if (found < 0 && searches++ < mostSearches) found = page.indexOf(piece);
      else if (found >= 0) at = found;
      if (found < 0) missing = true;
    }
    if (missing) lost.push(segments.join(' '));
  }
  return lost;
}
