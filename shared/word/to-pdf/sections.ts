import { twipsPerInch, twipsPerPoint } from './units.ts';
import {
  attribute,
  child,
  elements,
  fragment,
  isElement,
  localName,
  numberFrom,
  setChildren,
  type XmlElement,
} from './xml.ts';

/** Word's defaults: US Letter with margins of one inch, in twips. */
const usual = {
  width: 8.5 * twipsPerInch,
  height: 11 * twipsPerInch,
  margin: twipsPerInch,
};

/** The largest area inside the margins of any section, in twips. */
export function largestArea(body: XmlElement): { width: number; height: number } {
  const areas = sectionsOf(body).map((section) => {
    const size = child(section, 'pgSz');
    const margins = child(section, 'pgMar');
    const margin = (side: string) => Math.abs(numberFrom(attribute(margins, side), usual.margin));
    return {
      width: numberFrom(attribute(size, 'w'), usual.width) - margin('left') - margin('right'),
      height: numberFrom(attribute(size, 'h'), usual.height) - margin('top') - margin('bottom'),
    };
  });
  return {
    width: Math.max(twipsPerInch, ...areas.map(({ width }) => width)),
    height: Math.max(twipsPerInch, ...areas.map(({ height }) => height)),
  };
}

/** Size of the first page, in points. */
export function firstPage(body: XmlElement): { width: number; height: number } {
  const size = child(sectionsOf(body)[0], 'pgSz');
  return {
    width: numberFrom(attribute(size, 'w'), usual.width) / twipsPerPoint,
    height: numberFrom(attribute(size, 'h'), usual.height) / twipsPerPoint,
  };
}

/** Section properties in order; those of the last section are at the end of the body. */
export function sectionsOf(body: XmlElement): XmlElement[] {
  return elements(body).flatMap((block) => {
    if (localName(block) === 'sectPr') return [block];
    const section = localName(block) === 'p' ? child(block, 'pPr', 'sectPr') : undefined;
    return section ? [section] : [];
  });
}

/** Writes into every section what it inherits or leaves to the defaults: a section without a header or
 * footer of a kind has the previous section's (17.10.2). */
export function completeSections(body: XmlElement): void {
  const inForce = new Map<string, XmlElement>();
  for (const section of sectionsOf(body)) {
    const own = new Set<string>();
    for (const reference of elements(section)) {
      const name = localName(reference);
      if (name !== 'headerReference' && name !== 'footerReference') continue;
      const kind = `${name} ${attribute(reference, 'type') ?? 'default'}`;
      own.add(kind);
      inForce.set(kind, reference);
    }
    const inherited = [...inForce].filter(([kind]) => !own.has(kind));
    const copies = inherited.flatMap(([, { name, attribs }]) => {
      const [made] = fragment(`<${name}/>`);
      if (!made || !isElement(made)) return [];
      made.attribs = { ...attribs };
      return [made];
    });
    setChildren(section, [...copies, ...section.children]);
    sizePage(section);
    if (!child(section, 'pgMar')) {
      const sides = ['top', 'right', 'bottom', 'left'].map((side) => `w:${side}="${usual.margin}"`);
      const margins = fragment(`<w:pgMar ${sides.join(' ')} w:header="720" w:footer="720"/>`);
      setChildren(section, [...section.children, ...margins]);
    }
  }
}

/** The smallest and largest page that Word allows, in twips: 0.1 and 22 inches. */
const pageLimits = { least: 144, most: 31_680 };

/** Gives a section a page size that can be printed. */
function sizePage(section: XmlElement): void {
  const size = child(section, 'pgSz');
  const side = (name: string, otherwise: number) => {
    const own = numberFrom(attribute(size, name), otherwise);
    return own >= pageLimits.least && own <= pageLimits.most ? own : otherwise;
  };
  const orientation = attribute(size, 'orient') === 'landscape' ? ' w:orient="landscape"' : '';
  const made = fragment(
    `<w:pgSz w:w="${side('w', usual.width)}" w:h="${side('h', usual.height)}"${orientation}/>`,
  );
  setChildren(section, [...section.children.filter((node) => node !== size), ...made]);
}
