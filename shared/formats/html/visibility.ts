import { type Backdrop, isLost, unreadablePoints, white } from '../safety/visibility.ts';
import type { Declarations } from './css/block.ts';
import { cascade, faintest, resolve } from './css/cascade.ts';
import { type Element, OpenElements } from './css/elements.ts';
import { isRemoved } from './css/removal.ts';
import { StyleSheet } from './css/style-sheet.ts';
import { type CssColour, colourOf, inkOf, lengthOf, shareOf, usualPoints } from './css/values.ts';

/** What an element's text looks like, with what it inherits. */
interface Look {
  isInvisible: boolean;
  /** Nothing in the element is seen, whatever is said of its parts. */
  isGone: boolean;
  colour: CssColour;
  /** The colour that letters are filled with, where it is not that of the text. */
  fill: CssColour | undefined;
  /** Something else than its colour shows the text: a shadow, an outline, a filter. */
  isDrawn: boolean;
  /** Size in points, and what it is multiplied with. */
  size: number | 'unknown';
  zoom: number;
  opacity: number;
  backdrop: Backdrop;
  variables: Declarations;
}

/**
 * Follows the elements of a page and knows whether a reader sees the text at the current place, from
 * `style` attributes, the attributes of old HTML, and the page's own style sheets. A rule that may or
 * may not apply never hides anything, and makes uncertain what it changes.
 */
export class HtmlVisibility {
  readonly #sheet: StyleSheet;
  readonly #elements = new OpenElements();
  readonly #looks: Look[];
  readonly #base: Look;
  #ofHtml: Look;
  #rem = usualPoints;

  /** @param sheet the page's own style sheets */
  constructor(sheet: StyleSheet = new StyleSheet()) {
    this.#sheet = sheet;
    this.#base = {
      isInvisible: false,
      isGone: false,
      colour: 0,
      fill: undefined,
      isDrawn: false,
      size: usualPoints,
      zoom: 1,
      opacity: 1,
      backdrop: sheet.hasForeign ? 'unknown' : white,
      variables: sheet.variables,
    };
    // Browsers add the elements `html` and `body` to a page without them.
    this.#ofHtml = this.#lookOf(this.#elements.html, {}, this.#base);
    this.#looks = [this.#lookOf(this.#elements.body, {}, this.#ofHtml)];
  }

  /** Whether text at the current place is not seen. */
  get isHidden(): boolean {
    const { isInvisible, isGone, colour, fill, isDrawn, size, zoom, opacity, backdrop } = this.#top;
    if (isInvisible || isGone || opacity < faintest) return true;
    if (size !== 'unknown' && size * zoom <= unreadablePoints) return true;
    const shown = fill ?? colour;
    if (shown === 'unknown' || isDrawn) return false;
    return shown === 'clear' || isLost(shown, backdrop);
  }

  get #top(): Look {
    return this.#looks.at(-1) as Look;
  }

  /** @returns whether nothing in the element is seen: its content need not be followed */
  enter(tag: string, attributes: Record<string, string>): boolean {
    const element = this.#elements.enter(tag, attributes);
    const parent = tag === 'html' ? this.#base : tag === 'body' ? this.#ofHtml : this.#top;
    const look = this.#lookOf(element, attributes, parent);
    if (tag === 'html') this.#ofHtml = look;
    this.#looks.push(look);
    return look.isGone && !parent.isGone;
  }

  leave(): void {
    if (this.#looks.length === 1) return;
    this.#looks.pop();
    this.#elements.leave();
  }

  #lookOf(element: Element, attributes: Record<string, string>, parent: Look): Look {
    const { tag } = element;
    const styles = attributesAsStyles(element, attributes);
    const applied = this.#sheet.isEmpty ? [] : this.#sheet.rulesOf(element, this.#elements);
    if (applied.length > 0 || attributes.style) cascade(styles, applied, attributes.style ?? '');
    const start = usual(tag, attributes, parent);
    if (styles.size === 0) return start;
    const variables = resolve(styles, parent.variables);
    const result = look(parent, { ...start, variables }, styles, this.#rem);
    if (tag === 'html' && result.size !== 'unknown') this.#rem = result.size;
    result.isGone ||= isRemoved(tag, styles);
    return result;
  }
}

/** Elements that browsers do not display (WHATWG HTML, 15.3.1), nor what is meant for old ones. */
const notDisplayed = /^(?:noembed|progress|meter|rp)$/;

/** What browsers do by themselves, and attributes that they treat as styles (WHATWG HTML, 15). */
function attributesAsStyles(element: Element, attributes: Record<string, string>): Declarations {
  const styles: Declarations = new Map();
  const { tag, parent } = element;
  const { hidden, bgcolor, background, color, text, popover, open } = attributes;
  if (hidden !== undefined && hidden.toLowerCase() !== 'until-found') styles.set('display', 'none');
  if (tag === 'dialog' ? open === undefined : popover !== undefined) styles.set('display', 'none');
  if (notDisplayed.test(tag)) styles.set('display', 'none');
  if (/^annotation(?:-xml)?$/.test(tag) && parent?.tag === 'semantics') {
    styles.set('display', 'none');
  }
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

/** Elements that browsers colour or size themselves. */
function usual(tag: string, attributes: Record<string, string>, parent: Look): Look {
  if (tag === 'a' && attributes.href !== undefined) return { ...parent, colour: 'unknown' };
  if (tag === 'mark' || tag === 'button') return { ...parent, colour: 'unknown' };
  if (/^h[1-3]$/.test(tag) && parent.size !== 'unknown') {
    return { ...parent, size: parent.size * 2 };
  }
  return parent;
}

const ofParent = /^(?:inherit|unset|revert|revert-layer)$/;

function look(parent: Look, start: Look, styles: Declarations, rem: number): Look {
  const result = { ...start };
  const value = (property: string) => {
    const text = styles.get(property);
    return text === undefined || ofParent.test(text) ? undefined : text;
  };
  const visibility = value('visibility');
  if (visibility !== undefined) result.isInvisible = /^(?:hidden|collapse)$/.test(visibility);
  const size = value('font-size');
  if (size !== undefined) {
    const em = parent.size === 'unknown' ? usualPoints : parent.size;
    result.size = size === 'initial' ? usualPoints : (lengthOf(size, em, rem) ?? 'unknown');
    // A share of what is not known.
    if (parent.size === 'unknown' && /(?:em|%)\b|%/.test(size) && !/rem/.test(size)) {
      result.size = 'unknown';
    }
  }
  const zoom = shareOf(value('zoom') ?? '');
  if (zoom > 0) result.zoom *= zoom;
  const opacity = shareOf(value('opacity') ?? '');
  const isStill = /^(?:none|unset|initial|)$/.test(styles.get('animation-name') ?? '');
  if (opacity < 1) result.opacity = isStill ? result.opacity * opacity : 1;
  paint(result, parent, value, isStill);
  return result;
}

/** The colours of an element: of its letters, and of what is behind them. */
function paint(
  result: Look,
  parent: Look,
  value: (property: string) => string | undefined,
  isStill: boolean,
): void {
  const colour = value('color');
  if (colour === 'currentcolor') result.colour = parent.colour;
  else if (colour !== undefined) result.colour = colour === 'initial' ? 0 : inkOf(colour);
  const fill = value('-webkit-text-fill-color');
  if (fill !== undefined) {
    result.fill = fill === 'initial' || fill === 'currentcolor' ? undefined : inkOf(fill);
  }
  // A shadow is seen; so is a background that only the letters show. A filter changes colours.
  const drawing = [
    'text-shadow',
    'filter',
    'mix-blend-mode',
    '-webkit-text-stroke',
    '-webkit-text-stroke-width',
  ];
  const isDrawn = drawing.some(
    (each) => !/^(?:none|normal|initial|0(?:px)?)$/.test(value(each) ?? 'none'),
  );
  const isClipped = /text|unknown/.test(value('background-clip') ?? '');
  if (isDrawn || isClipped || !isStill || result.variables.get('--\0drawn')) result.isDrawn = true;

  // What an element that is taken out of the flow lies on is not known.
  if (/absolute|fixed|sticky|unknown/.test(value('position') ?? '')) result.backdrop = 'unknown';
  const painted = value('background-color');
  if (painted !== undefined && painted !== 'initial') {
    const behind = painted === 'currentcolor' ? result.colour : colourOf(painted);
    if (behind !== 'clear') result.backdrop = behind;
  }
  const image = value('background-image');
  if (image !== undefined && image !== 'none' && image !== 'initial') result.backdrop = 'unknown';
  if (
    value('color-scheme') !== undefined &&
    !/^(?:normal|(?:only )?light)/.test(value('color-scheme') ?? '')
  ) {
    result.backdrop = 'unknown';
  }
  if (result.variables.get('--\0painted')) result.backdrop = 'unknown';
}
