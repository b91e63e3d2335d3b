import {
  attribute,
  child,
  descendants,
  isElement,
  isPropertyOn,
  localName,
  mapChildren,
  propertyOf,
  type XmlDocument,
  type XmlElement,
} from './xml.ts';

/** Returns whether paragraphs of a style begin a page, by the style itself or one it is based on. */
export function pageStarts(styles: XmlDocument | undefined): (styleId: string) => boolean {
  const byId = new Map<string, XmlElement>();
  for (const style of styles ? descendants(styles, 'style') : []) {
    byId.set(attribute(style, 'styleId') ?? '', style);
  }
  const answers = new Map<string, boolean>();
  for (const styleId of byId.keys()) {
    let at: string | undefined = styleId;
    for (let hops = 0; at !== undefined && hops < 20; hops++) {
      const style: XmlElement | undefined = byId.get(at);
      const properties = child(style, 'pPr');
      if (child(properties, 'pageBreakBefore')) {
        answers.set(styleId, isPropertyOn(properties, 'pageBreakBefore'));
        break;
      }
      at = propertyOf(style, 'basedOn');
    }
  }
  return (styleId) => answers.get(styleId) ?? false;
}

/** Removes from the styles what the passes have written into the paragraphs. */
export function cleanStyles(styles: XmlElement): void {
  for (const properties of descendants(styles, 'pPr', 'rPr')) {
    mapChildren(properties, (node) =>
      isElement(node) && /^(pageBreakBefore|numPr|lang|vanish|specVanish)$/.test(localName(node))
        ? []
        : [node],
    );
  }
}

/** Outline level, 1 to 6, of the heading styles that a body uses. */
export function headingStyles(
  body: XmlElement,
  headingOf: (styleId: string) => number | 'title' | undefined,
): Record<string, number> {
  const headings: Record<string, number> = {};
  for (const style of descendants(body, 'pStyle')) {
    const id = attribute(style, 'val') ?? '';
    const level = headingOf(id);
    if (level !== undefined) headings[id] = level === 'title' ? 1 : Math.min(level, 6);
  }
  return headings;
}

/**
 * Right-to-left text: `left` means the leading edge (ECMA-376 part 4, 14.11.2), and its runs have
 * properties of their own (`w:bCs`, `w:szCs` …), which docx-preview does not read.
 */
export function turnRightToLeft(story: XmlElement): void {
  const twins = new Map(['b', 'i', 'sz'].map((name) => [`${name}Cs`, name]));
  const replaced = new Set(twins.values());
  for (const run of descendants(story, 'rPr')) {
    if (!isPropertyOn(run, 'rtl') && !isPropertyOn(run, 'cs')) continue;
    mapChildren(run, (node) => {
      if (!isElement(node)) return [];
      const name = localName(node);
      const twin = twins.get(name);
      if (twin) node.name = `w:${twin}`;
      else if (replaced.has(name)) return [];
      const typeface = name === 'rFonts' ? attribute(node, 'cs') : undefined;
      if (typeface !== undefined) node.attribs = { 'w:ascii': typeface };
      return [node];
    });
  }
  for (const properties of descendants(story, 'pPr')) {
    const alignment = child(properties, 'jc');
    if (!alignment || !isPropertyOn(properties, 'bidi')) continue;
    for (const [key, value] of Object.entries(alignment.attribs)) {
      if (value === 'left') alignment.attribs[key] = 'right';
      if (value === 'right') alignment.attribs[key] = 'left';
    }
  }
}
