import { completeSections, sectionsOf } from './sections.ts';
import {
  attribute,
  child,
  elements,
  fragment,
  is,
  isElement,
  isPropertyOn,
  localName,
  propertyOf,
  setChildren,
  textOf,
  type XmlElement,
  type XmlNode,
} from './xml.ts';

/** Style of the empty paragraphs that only end a page; the page script removes them. */
export const breakStyle = 'DroplineBreak';

/**
 * Decides where pages end. Breaks of all kinds (`w:br`, `w:pageBreakBefore` of a paragraph or its
 * style, sections, and where Word last broke) become paragraphs of their own between the blocks of
 * the body: docx-preview 0.4 repeats list numbers when it splits a paragraph, starts an empty page for
 * two breaks in a row, and joins sections of one page size.
 */
export function placePageBreaks(
  body: XmlElement,
  breaksBefore: (styleId: string) => boolean,
): void {
  completeSections(body);
  const sections = sectionsOf(body);
  let sectionsEnded = 0;
  let pageIsEmpty = true;
  const blocks: XmlNode[] = [];

  const breakPage = () => {
    if (!pageIsEmpty) blocks.push(...breakParagraph(true));
    pageIsEmpty = true;
  };

  for (const node of body.children) {
    if (!isElement(node)) continue;
    if (!is(node, 'p')) {
      blocks.push(node);
      if (localName(node) !== 'sectPr') pageIsEmpty = false;
      continue;
    }
    const properties = child(node, 'pPr');
    const section = child(properties, 'sectPr');
    const pieces = splitAtBreaks(node);
    if (startsPage(properties, breaksBefore)) breakPage();
    if (properties) {
      setChildren(
        properties,
        properties.children.filter((one) => !is(one, 'pageBreakBefore') && one !== section),
      );
    }
    for (const piece of pieces) {
      if (piece === 'break') {
        breakPage();
        continue;
      }
      const empty = isEmpty(piece);
      if (empty && section && pieces.length === 1) continue;
      blocks.push(piece);
      if (!empty) pageIsEmpty = false;
    }
    if (section) {
      sectionsEnded++;
      const next = sections[sectionsEnded];
      const breaks = next !== undefined && !continuesOnPage(section, next);
      blocks.push(...breakParagraph(breaks && !pageIsEmpty, section));
      if (breaks) pageIsEmpty = true;
    }
  }
  setChildren(body, blocks);
}

/** Whether the next section continues on the same page. */
function continuesOnPage(section: XmlElement, next: XmlElement): boolean {
  if (propertyOf(next, 'type') !== 'continuous') return false;
  const size = (of: XmlElement, side: string) => attribute(child(of, 'pgSz'), side);
  return size(section, 'w') === size(next, 'w') && size(section, 'h') === size(next, 'h');
}

function startsPage(
  properties: XmlElement | undefined,
  breaksBefore: (styleId: string) => boolean,
): boolean {
  if (child(properties, 'pageBreakBefore')) return isPropertyOn(properties, 'pageBreakBefore');
  const style = propertyOf(properties, 'pStyle');
  return style !== undefined && breaksBefore(style);
}

function breakParagraph(breaks: boolean, section?: XmlElement): XmlNode[] {
  const made = fragment(
    `<w:p><w:pPr><w:pStyle w:val="${breakStyle}"/></w:pPr>${breaks ? '<w:r><w:br w:type="page"/></w:r>' : ''}</w:p>`,
  );
  const properties = made[0] && isElement(made[0]) ? child(made[0], 'pPr') : undefined;
  if (section && properties) setChildren(properties, [...properties.children, section]);
  return made;
}

const visible = new Set(['t', 'drawing', 'tab', 'footnoteReference', 'endnoteReference', 'm']);

function isEmpty(paragraph: XmlElement): boolean {
  const stack: XmlNode[] = [...paragraph.children];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (!isElement(node)) continue;
    const name = localName(node);
    if (name === 'oMath') return false;
    if (name === 't' ? textOf(node) !== '' : visible.has(name)) return false;
    if (name !== 'pPr') stack.push(...node.children);
  }
  return true;
}

/**
 * Splits a paragraph at its breaks. Breaks that the author set split it where they are. Where Word's own
 * layout broke, the paragraph stays whole and the break moves to its nearer end.
 */
function splitAtBreaks(paragraph: XmlElement): (XmlElement | 'break')[] {
  const set: { run: XmlElement; at: XmlNode }[] = [];
  let soft: 'before' | 'after' | undefined;
  const length = textOf(paragraph).length;
  let seen = 0;
  for (const run of elements(paragraph)) {
    const holders = localName(run) === 'hyperlink' ? elements(run, 'r') : [run];
    for (const holder of holders) {
      if (localName(holder) !== 'r') continue;
      for (const node of elements(holder)) {
        if (is(node, 'lastRenderedPageBreak')) soft = seen <= length / 2 ? 'before' : 'after';
        else if (isPageBreak(node) && holder === run) set.push({ run, at: node });
        else seen += textOf(node).length;
      }
      setChildren(
        holder,
        holder.children.filter((node) => !is(node, 'lastRenderedPageBreak')),
      );
    }
  }
  const pieces: (XmlElement | 'break')[] = [];
  let rest = paragraph;
  for (const { run, at } of set) {
    const later = cutBehind(rest, run, at);
    pieces.push(rest, 'break');
    rest = later;
  }
  pieces.push(rest);
  const whole = pieces.filter((piece, at) => piece === 'break' || at === 0 || !isEmpty(piece));
  const [first] = whole;
  // Before a break at the very start there is only an empty line.
  if (whole[1] === 'break' && first && first !== 'break' && whole.length > 2 && isEmpty(first)) {
    whole.shift();
  }
  if (soft === 'before') whole.unshift('break');
  if (soft === 'after') whole.push('break');
  return whole;
}

function isPageBreak(node: XmlNode): boolean {
  return isElement(node) && localName(node) === 'br' && attribute(node, 'type') === 'page';
}

/** Leaves in `paragraph` what precedes the break and returns a paragraph with the rest. */
function cutBehind(paragraph: XmlElement, run: XmlElement, at: XmlNode): XmlElement {
  const [made] = fragment('<w:p/>');
  const [madeRun] = fragment('<w:r/>');
  if (!made || !isElement(made) || !madeRun || !isElement(madeRun)) return paragraph;
  const index = paragraph.children.indexOf(run);
  const within = run.children.indexOf(at);
  const properties = child(paragraph, 'pPr');
  const runProperties = child(run, 'rPr');
  setChildren(madeRun, [
    ...(runProperties ? copyOf(runProperties) : []),
    ...run.children.slice(within + 1),
  ]);
  setChildren(made, [
    ...(properties ? continued(properties) : []),
    madeRun,
    ...paragraph.children.slice(index + 1),
  ]);
  setChildren(run, run.children.slice(0, within));
  setChildren(paragraph, paragraph.children.slice(0, index + 1));
  return made;
}

/** The properties for the second half: no list number, no first-line indent, no second section. */
function continued(properties: XmlElement): XmlNode[] {
  const copies = copyOf(properties);
  for (const copy of copies) {
    if (!isElement(copy)) continue;
    setChildren(
      copy,
      copy.children.filter(
        (node) => !is(node, 'numPr') && !is(node, 'sectPr') && !is(node, 'pageBreakBefore'),
      ),
    );
    for (const key of Object.keys(child(copy, 'ind')?.attribs ?? {})) {
      if (/firstLine|hanging/.test(key)) delete child(copy, 'ind')?.attribs[key];
    }
  }
  return copies;
}

function copyOf(element: XmlElement): XmlNode[] {
  return [element.cloneNode(true)];
}
