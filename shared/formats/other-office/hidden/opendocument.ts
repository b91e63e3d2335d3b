import { lengthOf } from '../../html/css/values.ts';
import type { Limits } from '../../limits.ts';
import {
  type Backdrop,
  type HiddenWords,
  isLost,
  unreadablePoints,
} from '../../safety/visibility.ts';
import type { SafeZip } from '../../safety/zip.ts';
import { type CutParts, cutHidden, type Follower, partText } from './cut.ts';
import { type OdfStyle, OdfStyles } from './opendocument-styles.ts';

export interface CutOpenDocument {
  parts: CutParts;
  /** Numbers of the hidden slides. */
  hiddenSlides: number[];
}

/**
 * Cuts the hidden text out of an OpenDocument text or presentation: hidden by style, in hidden
 * sections and paragraphs, tiny, in the colour of what is behind it, beside the slide.
 */
export async function cutOpenDocument(
  zip: SafeZip,
  limits: Limits,
  words: HiddenWords,
): Promise<CutOpenDocument> {
  const styles = new OdfStyles();
  const parts: CutParts = new Map();
  const texts = new Map<string, string>();
  for (const name of ['styles.xml', 'content.xml']) {
    const xml = await partText(zip, name, limits);
    texts.set(name, xml);
    styles.read(xml);
  }
  const hiddenSlides: number[] = [];
  for (const [name, xml] of texts) {
    const paragraphs = new ParagraphFinder();
    cutHidden(xml, paragraphs, words);
    const follower = new OdfFollower(styles, paragraphs.hidden);
    const cut = cutHidden(xml, follower, words);
    if (cut !== undefined) parts.set(name, cut);
    hiddenSlides.push(...follower.hiddenSlides);
  }
  return { parts, hiddenSlides };
}

/** Finds the paragraphs that a field within them hides (ODF 1.3 part 3, 7.7.9), by number. */
class ParagraphFinder implements Follower {
  readonly isHidden = false;
  readonly hidden = new Set<number>();
  #count = 0;
  readonly #open: number[] = [];

  open(name: string, attributes: Record<string, string>): void {
    if (isParagraph(name)) {
      this.#count += 1;
      this.#open.push(this.#count);
    }
    const innermost = this.#open.at(-1);
    if (name === 'text:hidden-paragraph' && attributes['text:is-hidden'] === 'true' && innermost) {
      this.hidden.add(innermost);
    }
  }

  close(name: string): void {
    if (isParagraph(name)) this.#open.pop();
  }
}

function isParagraph(name: string): boolean {
  return name === 'text:p' || name === 'text:h';
}

/** What applies to text at a place in the document. */
interface Place {
  /** All of it, whatever the styles of text in it say. */
  isHidden: boolean;
  /** By a style, which a style within may take back. */
  isHiddenByStyle: boolean;
  colour: OdfStyle['colour'];
  isDrawn: boolean;
  /** In points; undefined for the usual size. */
  size: number | undefined;
  backdrop: Backdrop;
}

/** Elements with a style of their own: the family, and the attribute that names the style. */
const styled: Record<string, [family: string, attribute: string]> = {
  'text:p': ['paragraph', 'text:style-name'],
  'text:h': ['paragraph', 'text:style-name'],
  'text:span': ['text', 'text:style-name'],
  'text:a': ['text', 'text:style-name'],
  'text:section': ['section', 'text:style-name'],
  'table:table': ['table', 'table:style-name'],
  'table:table-row': ['table-row', 'table:style-name'],
  'table:table-cell': ['table-cell', 'table:style-name'],
};

const usualPoints = 12;

class OdfFollower implements Follower {
  readonly hiddenSlides: number[] = [];
  readonly #styles: OdfStyles;
  readonly #hiddenParagraphs: ReadonlySet<number>;
  readonly #places: Place[] = [];
  readonly #root: Place;
  #paragraphs = 0;
  #slides = 0;

  constructor(styles: OdfStyles, hiddenParagraphs: ReadonlySet<number>) {
    this.#styles = styles;
    this.#hiddenParagraphs = hiddenParagraphs;
    this.#root = {
      isHidden: false,
      isHiddenByStyle: false,
      colour: undefined,
      isDrawn: false,
      size: undefined,
      backdrop: styles.paper,
    };
  }

  get isHidden(): boolean {
    const { isHidden, isHiddenByStyle, colour, isDrawn, size, backdrop } = this.#top;
    if (isHidden || isHiddenByStyle || (size !== undefined && size <= unreadablePoints))
      return true;
    if (colour === undefined || colour === 'auto' || colour === 'unknown' || isDrawn) return false;
    return colour === 'clear' || isLost(colour, backdrop);
  }

  get #top(): Place {
    return this.#places.at(-1) ?? this.#root;
  }

  open(name: string, attributes: Record<string, string>): void {
    this.#places.push(this.#place(name, attributes, this.#top));
  }

  close(): void {
    this.#places.pop();
  }

  #place(name: string, attributes: Record<string, string>, parent: Place): Place {
    const style = styled[name];
    if (style) {
      const place = this.#styledPlace(style[0], attributes[style[1]], parent);
      if (isParagraph(name)) {
        this.#paragraphs += 1;
        place.isHidden ||= this.#hiddenParagraphs.has(this.#paragraphs);
      }
      if (name === 'text:section') place.isHidden ||= isHiddenSection(attributes);
      return place;
    }
    switch (name) {
      case 'draw:page': {
        this.#slides += 1;
        const chain = this.#styles.chain('drawing-page', attributes['draw:style-name']);
        if (first(chain, 'isHiddenSlide')) this.hiddenSlides.push(this.#slides);
        // Masters and pictures may paint a slide.
        return { ...parent, backdrop: 'unknown' };
      }
      case 'text:hidden-text':
        return { ...parent, isHidden: parent.isHidden || attributes['text:is-hidden'] === 'true' };
      // A note or comment is a text of its own.
      case 'text:note':
      case 'office:annotation':
        return { ...this.#root, isHidden: parent.isHidden || parent.isHiddenByStyle };
      default:
        return name.startsWith('draw:') ? this.#shape(attributes, parent) : parent;
    }
  }

  #styledPlace(family: string, styleName: string | undefined, parent: Place): Place {
    const chain = this.#styles.chain(family, styleName);
    const place = { ...parent };
    place.isHiddenByStyle = first(chain, 'isHidden') ?? parent.isHiddenByStyle;
    place.colour = first(chain, 'colour') ?? parent.colour;
    place.isDrawn = first(chain, 'isDrawn') ?? parent.isDrawn;
    for (const { size } of [...chain].reverse()) {
      if (size !== undefined) place.size = lengthOf(size, place.size ?? usualPoints);
    }
    for (const painted of [first(chain, 'backdrop'), first(chain, 'highlight')]) {
      if (painted !== undefined && painted !== 'none') place.backdrop = painted;
    }
    return place;
  }

  #shape(attributes: Record<string, string>, parent: Place): Place {
    const name = attributes['draw:style-name'] ?? attributes['presentation:style-name'];
    if (name === undefined && attributes['svg:x'] === undefined) return parent;
    const family = attributes['draw:style-name'] === undefined ? 'presentation' : 'graphic';
    const fill = first(this.#styles.chain(family, name), 'backdrop');
    const isOutside = this.#slides > 0 && this.#isBesideSlide(attributes);
    return {
      ...parent,
      isHidden: parent.isHidden || isOutside,
      backdrop: fill === undefined || fill === 'none' ? 'unknown' : fill,
    };
  }

  #isBesideSlide(attributes: Record<string, string>): boolean {
    const { width: pageWidth, height: pageHeight } = this.#styles.page;
    const [x, y, width, height] = ['svg:x', 'svg:y', 'svg:width', 'svg:height'].map((key) =>
      lengthOf(attributes[key], 1),
    );
    if (x === undefined || y === undefined || width === undefined || height === undefined) {
      return false;
    }
    if (attributes['draw:transform'] !== undefined || pageWidth === 0) return false;
    return x >= pageWidth || y >= pageHeight || x + width <= 0 || y + height <= 0;
  }
}

function isHiddenSection(attributes: Record<string, string>): boolean {
  const display = attributes['text:display'];
  return display === 'none' || (display === 'condition' && attributes['text:is-hidden'] === 'true');
}

function first<K extends keyof OdfStyle>(chain: OdfStyle[], key: K): OdfStyle[K] | undefined {
  return chain.find((style) => style[key] !== undefined)?.[key];
}
