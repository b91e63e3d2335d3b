import type { Theme } from '../../formats/office/theme.ts';
import { type Attributes, isOn, readXml } from '../../formats/office/xml.ts';
import { type Backdrop, type Colour, hexColour } from '../../formats/safety/visibility.ts';
import { themedColour } from './themed-colour.ts';

/**
 * What decides whether text is seen, as one place in a document says it: a run, a style, the
 * defaults. Undefined where it says nothing.
 */
export interface Look {
  vanish?: boolean;
  /** `auto` is black or white, whichever is seen; `clear` is not drawn at all. */
  colour?: Colour | 'auto' | 'clear' | 'unknown';
  halfPoints?: number;
  /** The size of right-to-left and complex scripts. */
  complexHalfPoints?: number;
  isComplex?: boolean;
  /** Percent of the usual width of letters. */
  widthPercent?: number;
  highlight?: Backdrop | 'none';
  shade?: Backdrop | 'none';
  /** Drawn with an outline, a shadow or the like, which are seen whatever the colour. */
  isDrawn?: boolean;
  /** The character style. */
  style?: string;
  /** Which text effect of Word 2010 ([MS-DOCX] 2.6.1) is being read. */
  effect?: 'fill' | 'outline' | undefined;
}

/** What a paragraph, or a paragraph style, says about all of its text. */
export interface ParagraphLook {
  shade?: Backdrop | 'none';
  /** Exact line height in twips, to which lines are cut off. */
  exactLine?: number;
}

/** ECMA-376 part 1, 17.18.40. */
const highlights: Record<string, Colour> = {
  black: 0x000000,
  blue: 0x0000ff,
  cyan: 0x00ffff,
  green: 0x00ff00,
  magenta: 0xff00ff,
  red: 0xff0000,
  yellow: 0xffff00,
  white: 0xffffff,
  darkBlue: 0x000080,
  darkCyan: 0x008080,
  darkGreen: 0x008000,
  darkMagenta: 0x800080,
  darkRed: 0x800000,
  darkYellow: 0x808000,
  darkGray: 0x808080,
  lightGray: 0xc0c0c0,
};

/** Reads an element within `w:rPr` into `look`. */
export function runProperty(look: Look, name: string, attributes: Attributes, theme: Theme): void {
  const value = attributes['w:val'] ?? attributes['w14:val'];
  switch (name) {
    case 'w:vanish':
      look.vanish = isOn(value);
      break;
    case 'w:rStyle':
      if (value !== undefined) look.style = value;
      break;
    case 'w:color':
      look.colour = themedColour(theme, attributes, value, 'theme') ?? 'auto';
      break;
    case 'w:sz':
      look.halfPoints = Number(value);
      break;
    case 'w:szCs':
      look.complexHalfPoints = Number(value);
      break;
    case 'w:cs':
    case 'w:rtl':
      look.isComplex = isOn(value);
      break;
    case 'w:w':
      look.widthPercent = Number.parseFloat(value ?? '');
      break;
    case 'w:highlight':
      look.highlight = value === 'none' ? 'none' : (highlights[value ?? ''] ?? 'unknown');
      break;
    case 'w:shd':
      look.shade = shading(attributes, theme);
      break;
    case 'w:outline':
    case 'w:shadow':
    case 'w:emboss':
    case 'w:imprint':
      look.isDrawn = isOn(value);
      break;
    default:
      effect(look, name, value, theme);
  }
}

/** Text effects: their fill replaces the colour. */
function effect(look: Look, name: string, value: string | undefined, theme: Theme): void {
  switch (name) {
    case 'w14:textFill':
      look.effect = 'fill';
      look.colour = 'unknown';
      break;
    case 'w14:textOutline':
      look.effect = 'outline';
      look.isDrawn = true;
      break;
    case 'w14:glow':
    case 'w14:shadow':
    case 'w14:reflection':
    case 'w14:props3d':
      look.effect = undefined;
      look.isDrawn = true;
      break;
    case 'w14:gradFill':
      look.effect = undefined;
      break;
    case 'w14:noFill':
      if (look.effect === 'fill') look.colour = 'clear';
      if (look.effect === 'outline') look.isDrawn = false;
      break;
    case 'w14:srgbClr':
      if (look.effect === 'fill') look.colour = hexColour(value) ?? 'unknown';
      break;
    case 'w14:schemeClr':
      if (look.effect === 'fill') look.colour = theme.get(value ?? '') ?? 'unknown';
      break;
    case 'w14:alpha':
      // How transparent it is, in thousandths of a percent.
      if (look.effect === 'fill' && Number(value) >= 99_000) look.colour = 'clear';
      break;
    case 'w14:lumMod':
    case 'w14:lumOff':
    case 'w14:shade':
    case 'w14:tint':
    case 'w14:satMod':
      if (look.effect === 'fill' && look.colour !== 'clear') look.colour = 'unknown';
      break;
  }
}

/** The colour of a `w:shd` (ECMA-376 part 1, 17.3.5); patterns other than plain ones are `unknown`. */
export function shading(attributes: Attributes, theme: Theme): Backdrop | 'none' {
  const pattern = attributes['w:val'] ?? 'clear';
  const fill = themedColour(theme, attributes, attributes['w:fill'], 'themeFill');
  if (pattern === 'clear') return fill ?? 'none';
  if (pattern === 'nil' && fill === undefined) return 'none';
  if (pattern === 'solid') {
    return themedColour(theme, attributes, attributes['w:color'], 'theme') ?? 'unknown';
  }
  return 'unknown';
}

/** Reads an element within `w:pPr`, but not its `w:rPr`, into `look`. */
export function paragraphProperty(
  look: ParagraphLook,
  name: string,
  attributes: Attributes,
  theme: Theme,
): void {
  if (name === 'w:shd') look.shade = shading(attributes, theme);
  if (name === 'w:spacing' && attributes['w:line'] !== undefined) {
    const isExact = attributes['w:lineRule'] === 'exact';
    look.exactLine = isExact ? Number(attributes['w:line']) : Number.POSITIVE_INFINITY;
  }
}

/** A style with what it takes from those it is based on. */
export interface StyleLook extends Look {
  paragraph: ParagraphLook;
}

/** The looks of a document's styles. */
export interface Looks {
  theme: Theme;
  defaults: StyleLook;
  /** @param styleId the default style of the kind when undefined */
  of(kind: 'paragraph' | 'character' | 'table', styleId: string | undefined): StyleLook;
  /** Whether a table style shades any of its cells. */
  tablePaints(styleId: string | undefined): boolean;
}

interface ParsedStyle extends StyleLook {
  basedOn?: string;
  paints: boolean;
}

const longestChain = 20;

/** Reads the looks in `styles.xml`; without one, all text is as usual. */
export function readLooks(bytes: Buffer | undefined, theme: Theme): Looks {
  const { styles, defaults, defaultIds } = parseLooks(bytes, theme);
  const resolved = new Map<string, StyleLook>();

  const chainOf = (kind: string, styleId: string | undefined): ParsedStyle[] => {
    const chain: ParsedStyle[] = [];
    let next = styleId ?? defaultIds.get(kind);
    while (next !== undefined && chain.length < longestChain) {
      const style = styles.get(`${kind} ${next}`);
      if (!style) break;
      chain.push(style);
      next = style.basedOn;
    }
    return chain;
  };

  return {
    theme,
    defaults,
    of(kind, styleId) {
      const key = `${kind} ${styleId ?? ''}`;
      const known = resolved.get(key);
      if (known) return known;
      const look: StyleLook = { paragraph: {} };
      for (const style of chainOf(kind, styleId).reverse()) {
        const paragraph = { ...look.paragraph, ...style.paragraph };
        Object.assign(look, style, { paragraph });
      }
      resolved.set(key, look);
      return look;
    },
    tablePaints: (styleId) => chainOf('table', styleId).some(({ paints }) => paints),
  };
}

function parseLooks(bytes: Buffer | undefined, theme: Theme) {
  const styles = new Map<string, ParsedStyle>();
  const defaultIds = new Map<string, string>();
  const defaults: ParsedStyle = { paragraph: {}, paints: false };
  let style: ParsedStyle = defaults;
  let key = '';
  let inRun = false;
  let inParagraph = false;
  let inCondition = false;
  if (!bytes) return { styles, defaults, defaultIds };
  readXml(bytes, 'styles.xml', {
    open(name, attributes) {
      if (name === 'w:style') {
        const kind = attributes['w:type'] ?? 'paragraph';
        const id = attributes['w:styleId'] ?? '';
        key = `${kind} ${id}`;
        style = { paragraph: {}, paints: false };
        if (isOn(attributes['w:default'] ?? '0')) defaultIds.set(kind, id);
      } else if (name === 'w:basedOn' && attributes['w:val'] !== undefined) {
        style.basedOn = attributes['w:val'];
      } else if (name === 'w:tblStylePr') inCondition = true;
      else if (name === 'w:rPr') inRun = !inCondition;
      else if (name === 'w:pPr') inParagraph = !inCondition;
      else if (inRun) runProperty(style, name, attributes, theme);
      else if (inParagraph) paragraphProperty(style.paragraph, name, attributes, theme);
      if (name === 'w:shd') style.paints = true;
    },
    close(name) {
      if (name === 'w:rPr') inRun = false;
      if (name === 'w:pPr') inParagraph = false;
      if (name === 'w:tblStylePr') inCondition = false;
      if (name !== 'w:style') return;
      // The first definition of an id counts (ECMA-376 part 1, 17.7.4.17).
      if (!styles.has(key)) styles.set(key, style);
      style = { paragraph: {}, paints: false };
    },
  });
  return { styles, defaults, defaultIds };
}
