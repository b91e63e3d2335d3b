import { attribute, child, descendants, elements, propertyOf, type XmlElement } from './xml.ts';

/** The typefaces that the printing machine has. */
export interface Typefaces {
  /** Whether there is this typeface, or a stand-in with its metrics. */
  isBundled(name: string): boolean;
  /** Whether it is a typeface for Chinese, Japanese or Korean. */
  isCjk(name: string): boolean;
}

/**
 * Replaces every unknown typeface with a known one of its kind. The browser would show it in its own
 * default, a serif; the document's font table has the kind (17.8.3.10).
 */
export function substituteFonts(
  story: XmlElement,
  fontTable: XmlElement | undefined,
  typefaces: Typefaces,
): void {
  const substitutes = new Map<string, string>();
  const substituteFor = (name: string): string => {
    const known = substitutes.get(name);
    if (known !== undefined) return known;
    const made = typefaces.isCjk(name) ? latinBeside(name) : ofItsKind(name, fontTable, typefaces);
    substitutes.set(name, made);
    return made;
  };
  for (const fonts of descendants(story, 'rFonts')) {
    for (const [key, name] of Object.entries(fonts.attribs)) {
      if (/(^|:)(ascii|hAnsi|cs)$/.test(key)) fonts.attribs[key] = substituteFor(name);
      // docx-preview would use it for Latin text too. The browser finds a font for CJK by itself.
      if (/(^|:)eastAsia(Theme)?$/.test(key)) delete fonts.attribs[key];
    }
  }
}

/**
 * The typeface for the Latin letters of a CJK one: bold that the browser synthesizes, as it must for
 * fonts of one weight, loses the spaces between words in the PDF. CJK characters are found anyway.
 */
function latinBeside(name: string): string {
  const isSerif = /song|sun|ming|mincho|batang|kai|fang|宋|明|楷|仿|바탕/i.test(name);
  return isSerif ? 'Times New Roman' : 'Arial';
}

function ofItsKind(name: string, fontTable: XmlElement | undefined, typefaces: Typefaces): string {
  if (typefaces.isBundled(name)) return name;
  const entry = elements(fontTable, 'font').find((font) => attribute(font, 'name') === name);
  const alternative = propertyOf(entry, 'altName');
  if (alternative !== undefined && typefaces.isBundled(alternative)) return alternative;
  if (propertyOf(entry, 'pitch') === 'fixed' || /mono|code|console|courier/i.test(name)) {
    return 'Courier New';
  }
  const family = propertyOf(entry, 'family');
  const serif = panoseSaysSerif(child(entry, 'panose1'));
  if (serif ?? (family === 'roman' || /serif(?!.*sans)|roman|garamond|book/i.test(name))) {
    return 'Times New Roman';
  }
  return 'Arial';
}

/** PANOSE: text faces (2) have a serif style from 2 to 10, or none from 11 on. */
function panoseSaysSerif(panose: XmlElement | undefined): boolean | undefined {
  const value = attribute(panose, 'val') ?? '';
  if (!value.startsWith('02')) return undefined;
  const style = Number.parseInt(value.slice(2, 4), 16);
  return style >= 2 ? style <= 10 : undefined;
}
