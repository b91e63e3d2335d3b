import { type Backdrop, isLost, unreadablePoints, white } from '../safety/visibility.ts';
import { type Declarations, readBlock, StyleSheet } from './css.ts';
import { type CssColour, colourOf, lengthOf } from './css-values.ts';
import { blockTags } from './tags.ts';

/** What an element's text looks like, with what it inherits. */
interface Look {
  isInvisible: boolean;
  colour: CssColour;
  /** Size in points. */
  size: number | 'unknown';
  backdrop: Backdrop;
}

/** Browsers' own size of text. */
const usualPoints = 12;
/** Points to the left or above from which content is outside of every window. */
const farOff = -700;
const faintest = 0.05;

/**
 * Follows the elements of a page and knows whether a reader sees the text at the current place, from
 * `style` attributes, the attributes of old HTML, and the page's own style sheets. A rule that may or
 * may not apply never hides anything, and makes uncertain what it changes.
 */
export class HtmlVisibility {
  readonly #sheet: StyleSheet;
  readonly #looks: Look[];

  /** @param sheet the page's own style sheets */
  constructor(sheet: StyleSheet = new StyleSheet()) {
    this.#sheet = sheet;
    const backdrop = sheet.hasForeign ? 'unknown' : white;
    this.#looks = [{ isInvisible: false, colour: 0, size: usualPoints, backdrop }];
  }

  /** Whether text at the current place is not seen. */
  get isHidden(): boolean {
    const { isInvisible, colour, size, backdrop } = this.#top;
    if (isInvisible) return true;
    if (size !== 'unknown' && size <= unreadablePoints) return true;
    if (colour === 'unknown') return false;
    return colour === 'clear' || isLost(colour, backdrop);
  }

  get #top(): Look {
    return this.#looks.at(-1) as Look;
  }

  /** @returns whether nothing in the element is seen: its content need not be followed */
  enter(tag: string, attributes: Record<string, string>): boolean {
    const styles = this.#declarations(tag, attributes);
    const parent = this.#top;
    const start = usual(tag, attributes, parent);
    this.#looks.push(styles.size === 0 ? start : look(parent, start, styles));
    return styles.size > 0 && isRemoved(tag, styles);
  }

  leave(): void {
    if (this.#looks.length > 1) this.#looks.pop();
  }

  /** What applies to an element, the strongest declaration of each property. */
  #declarations(tag: string, attributes: Record<string, string>): Declarations {
    const own = attributesAsStyles(tag, attributes);
    const { style } = attributes;
    if (this.#sheet.isEmpty && style === undefined) return own;
    const sheet = this.#sheet.of(tag, attributes.id ?? '', attributes.class ?? '');
    const inline = readBlock(style ?? '');
    for (const [property, value] of sheet.normal) own.set(property, value);
    for (const [property, value] of sheet.possible) {
      if (!hides(property, value)) own.set(property, 'unknown');
    }
    for (const part of [inline.normal, sheet.important, inline.important]) {
      for (const [property, value] of part) own.set(property, value);
    }
    return own;
  }
}

/** Attributes that browsers treat as styles (WHATWG HTML, 15). */
function attributesAsStyles(tag: string, attributes: Record<string, string>): Declarations {
  const styles: Declarations = new Map();
  const { hidden, bgcolor, background, color, text } = attributes;
  if (hidden !== undefined && hidden !== 'until-found') styles.set('display', 'none');
  if (bgcolor !== undefined) styles.set('background-color', oldColour(bgcolor));
  if (background) styles.set('background-image', 'unknown');
  if (tag === 'font' && color !== undefined) styles.set('color', oldColour(color));
  if (tag === 'body' && text !== undefined) styles.set('color', oldColour(text));
  return styles;
}

/** Old attributes may leave out the `#`. */
function oldColour(value: string): string {
  return /^[0-9a-f]{6}$/i.test(value.trim()) ? `#${value.trim()}` : value;
}

/** Whether a value can hide text; where a rule only may apply, these are passed over. */
function hides(property: string, value: string): boolean {
  switch (property) {
    case 'display':
    case 'content-visibility':
      return value === 'none' || value === 'hidden';
    case 'visibility':
      return value !== 'visible';
    case 'opacity':
      return Number.parseFloat(value) < faintest;
    default:
      return false;
  }
}

/** Elements that browsers colour or size themselves. */
function usual(tag: string, attributes: Record<string, string>, parent: Look): Look {
  if (tag === 'a' && attributes.href !== undefined) return { ...parent, colour: 'unknown' };
  if (/^h[1-3]$/.test(tag) && parent.size !== 'unknown') {
    return { ...parent, size: parent.size * 2 };
  }
  return parent;
}

function look(parent: Look, start: Look, styles: Declarations): Look {
  const result = { ...start };
  const visibility = styles.get('visibility');
  if (visibility !== undefined && visibility !== 'inherit') {
    result.isInvisible = /^(?:hidden|collapse)$/.test(visibility);
  }
  const size = styles.get('font-size');
  if (size !== undefined && size !== 'inherit') {
    const em = parent.size === 'unknown' ? usualPoints : parent.size;
    result.size = lengthOf(size, em) ?? 'unknown';
  }
  const colour = styles.get('-webkit-text-fill-color') ?? styles.get('color');
  if (colour !== undefined && colour !== 'inherit') result.colour = colourOf(colour);
  // A shadow is seen; so is a background that only the letters show.
  const drawn = styles.get('text-shadow');
  const clip = styles.get('background-clip') ?? styles.get('-webkit-background-clip');
  if ((drawn !== undefined && drawn !== 'none') || clip === 'text') result.colour = 'unknown';

  // What an element that is taken out of the flow lies on is not known.
  if (/absolute|fixed|sticky/.test(styles.get('position') ?? '')) result.backdrop = 'unknown';
  const fill = styles.get('background-color');
  if (fill !== undefined && fill !== 'inherit') {
    const painted = colourOf(fill);
    if (painted !== 'clear') result.backdrop = painted;
  }
  const image = styles.get('background-image');
  if (image !== undefined && image !== 'none') result.backdrop = 'unknown';
  return result;
}

/** Whether the element and all in it are not seen: not displayed, transparent, far off, cut off. */
function isRemoved(tag: string, styles: Declarations): boolean {
  const value = (property: string) => styles.get(property) ?? '';
  const length = (property: string) => lengthOf(styles.get(property), usualPoints);
  const isFar = (property: string) => (length(property) ?? 0) <= farOff;
  if (value('display') === 'none' || value('content-visibility') === 'hidden') return true;
  if (Number.parseFloat(value('opacity')) < faintest) return true;
  if (['text-indent', 'margin-left', 'margin-top'].some(isFar)) return true;
  if (/scale\(0(?:\.0+)?[,)]|translate[xy]?\(-\d{4,}px/.test(value('transform'))) return true;

  const position = value('position');
  const isTakenOut = /absolute|fixed/.test(position);
  const isPlaced = isTakenOut || position === 'relative';
  if (isPlaced && ['left', 'top', 'right', 'bottom'].some(isFar)) return true;
  if (isTakenOut && isNothing(value('clip'))) return true;
  if (/^inset\((?:50|100)%/.test(value('clip-path'))) return true;
  // Only boxes have a size of their own: text in a line has not, and a cell is as large as its text.
  const isBox =
    isTakenOut ||
    /block|flex|grid/.test(value('display')) ||
    (blockTags.has(tag) && !/^(?:table|t[dhr]|tbody|thead|tfoot)$/.test(tag));
  if (!isBox || !/hidden|clip/.test(value('overflow'))) return false;
  const extents = ['width', 'height', 'max-width', 'max-height'];
  return extents.some((property) => (length(property) ?? usualPoints) <= 1);
}

/** `rect(0, 0, 0, 0)` and the like, a pixel at most. */
function isNothing(clip: string): boolean {
  const edges = /^rect\(([^)]*)\)$/.exec(clip)?.[1]?.split(/[\s,]+/);
  if (!edges) return false;
  const [top = 9, right = 9, bottom = 9, left = 9] = edges.map((edge) => Number.parseFloat(edge));
  return bottom - top <= 1 || right - left <= 1;
}
