import { type ListCounter, readNumbering } from '../model/numbering.ts';
import { readStyles, type Styles } from '../model/styles.ts';
import { runXml } from './blocks.ts';
import { isSymbolTypeface, symbolsToText } from './symbols.ts';
import {
  attribute,
  child,
  descendants,
  elements,
  fragment,
  is,
  isElement,
  propertyOf,
  setChildren,
  type XmlDocument,
  type XmlElement,
} from './xml.ts';

/** What a list level looks like. */
interface Look {
  indent: Record<string, string> | undefined;
  bullet: string;
}

/**
 * Returns a pass that writes the labels of list paragraphs (`3.2`, `(a)`, a bullet) into their text,
 * counted as Word counts. docx-preview 0.4 counts by `w:num` and knows neither overrides nor shared
 * definitions, so clauses of a contract would get other numbers than in Word.
 */
export function labelWriter(
  styles: Styles,
  numberingBytes: Uint8Array | undefined,
  numberingXml: XmlDocument | undefined,
): (story: XmlElement) => void {
  const counters = countersOf(numberingBytes, styles);
  const looks = readLooks(numberingXml);
  return (story) => {
    const counter = counters();
    for (const paragraph of descendants(story, 'p')) {
      const properties = child(paragraph, 'pPr');
      const own = child(properties, 'numPr');
      const style = propertyOf(properties, 'pStyle') ?? styles.defaultParagraphStyle;
      const inherited = style === undefined ? undefined : styles.numberingOf(style);
      const numId = propertyOf(own, 'numId') ?? inherited?.numId;
      if (numId === undefined || numId === '0') continue;
      const given = propertyOf(own, 'ilvl');
      const level = given === undefined ? inherited?.level : Number(given);
      const label = counter.next(numId, level, inherited?.styleId ?? style);
      if (!label) continue;
      const look = looks(numId, label.level);
      const text = label.kind === 'bullet' ? (look?.bullet ?? '•') : label.text;
      writeLabel(paragraph, text, own ? look?.indent : undefined);
    }
  };
}

/** A damaged numbering part counts as missing. */
function countersOf(bytes: Uint8Array | undefined, styles: Styles): () => ListCounter {
  try {
    return readNumbering(bytes && Buffer.from(bytes), styles);
  } catch {
    return readNumbering(undefined, styles);
  }
}

function writeLabel(
  paragraph: XmlElement,
  label: string,
  indent: Record<string, string> | undefined,
): void {
  let properties = child(paragraph, 'pPr');
  if (!properties) {
    const [made] = fragment('<w:pPr/>');
    if (!made || !isElement(made)) return;
    setChildren(paragraph, [made, ...paragraph.children]);
    properties = made;
  }
  const kept = properties.children.filter((node) => !is(node, 'numPr'));
  if (indent && !child(properties, 'ind')) {
    const [made] = fragment('<w:ind/>');
    if (made && isElement(made)) {
      made.attribs = { ...indent };
      kept.push(made);
    }
  }
  setChildren(properties, kept);
  if (label === '') return;
  const at = paragraph.children.indexOf(properties) + 1;
  setChildren(paragraph, [
    ...paragraph.children.slice(0, at),
    ...fragment(runXml(`${label}\u2002`)),
    ...paragraph.children.slice(at),
  ]);
}

function readLooks(
  numbering: XmlDocument | undefined,
): (numId: string, level: number) => Look | undefined {
  const abstracts = new Map<string, Map<number, Look>>();
  const numbers = new Map<string, string>();
  for (const abstract of numbering ? descendants(numbering, 'abstractNum') : []) {
    const levels = new Map<number, Look>();
    for (const level of elements(abstract, 'lvl')) {
      const typeface = attribute(child(level, 'rPr', 'rFonts'), 'ascii');
      const text = propertyOf(level, 'lvlText') ?? '•';
      const bullet = isSymbolTypeface(typeface) ? symbolsToText(text, typeface) : text;
      levels.set(Number(attribute(level, 'ilvl') ?? 0), {
        indent: child(level, 'pPr', 'ind')?.attribs,
        // Characters of the private use area exist only in the typeface they were made for.
        bullet: bullet.replace(/[\uE000-\uF8FF]/g, '•'),
      });
    }
    abstracts.set(attribute(abstract, 'abstractNumId') ?? '', levels);
  }
  for (const number of numbering ? descendants(numbering, 'num') : []) {
    numbers.set(attribute(number, 'numId') ?? '', propertyOf(number, 'abstractNumId') ?? '');
  }
  return (numId, level) => abstracts.get(numbers.get(numId) ?? '')?.get(level);
}

/** The styles as the text route reads them; a damaged part counts as missing. */
export function stylesOf(bytes: Uint8Array | undefined): Styles {
  try {
    return readStyles(bytes && Buffer.from(bytes));
  } catch {
    return readStyles(undefined);
  }
}
