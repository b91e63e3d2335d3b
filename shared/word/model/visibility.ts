import { type Attributes, isOn } from '../../formats/office/xml.ts';
import { type Backdrop, isLost, unreadablePoints, white } from '../../formats/safety/visibility.ts';
import {
  type Look,
  type Looks,
  type ParagraphLook,
  paragraphProperty,
  runProperty,
  type StyleLook,
  shading,
} from './looks.ts';

/** A run, paragraph, cell, table or text box around the current place. */
interface Place {
  kind: 'story' | 'table' | 'cell' | 'paragraph' | 'run' | 'box';
  /** Depth of its element. */
  depth: number;
  /** What it puts behind its text; undefined when it shows what is behind itself. */
  backdrop?: Backdrop | undefined;
  /** All text in it is hidden. */
  isHidden?: boolean;
  run: Look;
  paragraph: ParagraphLook;
  style?: string | undefined;
  /** Whether what was read so far hides the text, or all; undefined when it must be found out. */
  answer?: boolean | undefined;
  absent?: boolean | undefined;
}

const kinds: Record<string, Place['kind']> = {
  'w:tbl': 'table',
  'w:tc': 'cell',
  'w:p': 'paragraph',
  'w:r': 'run',
  'm:r': 'run',
  'w:txbxContent': 'box',
};

/** Widest page that Word allows, 22 inches in twips: what is further out is on none. */
const widestPage = 31_680;

/** Letters of at most this percentage of their width are lines. */
const narrowestPercent = 5;

/**
 * Follows the elements of a story and knows whether a reader sees the text at the current place. Both
 * ways of Word use it, so that they agree. Properties precede content (ECMA-376 part 1, 17.3), so one
 * pass is enough.
 *
 * Not seen is text that is hidden (`w:vanish`, by itself or by style), tiny, cut off by an exact line
 * height, in the colour of what is behind it, in a hidden drawing, or in a frame outside of the page.
 * `w:webHidden` hides nothing: it is for web pages, and tables of contents are full of it.
 */
export class Visibility {
  readonly #looks: Looks;
  readonly #places: Place[];
  #depth = 0;
  /** The property element being read, its depth, and the place it belongs to. */
  #properties: { name: string; depth: number; place: Place } | undefined;

  /** @param page what is behind the text of the page */
  constructor(looks: Looks, page: Backdrop) {
    this.#looks = looks;
    this.#places = [{ kind: 'story', depth: 0, backdrop: page, run: {}, paragraph: {} }];
  }

  /** Whether text at the current place is not seen. */
  get isHidden(): boolean {
    const top = this.#top;
    top.answer ??= this.#decide();
    return top.answer;
  }

  /** Whether Word lays the page out as if the current place, pictures and all, were not there. */
  get isAbsent(): boolean {
    const top = this.#top;
    top.absent ??= this.#places.some(({ isHidden }) => isHidden) || this.#vanishes();
    return top.absent;
  }

  open(name: string, attributes: Attributes): void {
    this.#depth += 1;
    if (this.#properties) {
      this.#property(this.#properties.name, this.#properties.place, name, attributes);
      return;
    }
    const kind = kinds[name];
    if (kind !== undefined) this.#enter(kind);
    else if (name === 'wp:docPr' && isOn(attributes.hidden ?? '0')) this.#hide(true);
    else if (/^w:(?:tblPr|tcPr|pPr|rPr)$/.test(name)) {
      this.#properties = { name, depth: this.#depth, place: this.#top };
    }
  }

  close(name: string): void {
    if (this.#properties?.depth === this.#depth) this.#properties = undefined;
    const top = this.#top;
    if (this.#places.length > 1 && top.depth === this.#depth) this.#places.pop();
    // A hidden drawing hides what is in it, not what follows in the run.
    if (name === 'w:drawing' && top.kind === 'run') this.#hide(false);
    this.#depth -= 1;
  }

  #hide(isHidden: boolean): void {
    Object.assign(this.#top, { isHidden, answer: undefined, absent: undefined });
  }

  get #top(): Place {
    return this.#places.at(-1) as Place;
  }

  #enter(kind: Place['kind']): void {
    const place: Place = { kind, depth: this.#depth, run: {}, paragraph: {} };
    // What a text box lies on, and is filled with, is not read.
    if (kind === 'box') place.backdrop = 'unknown';
    if (kind === 'box' && this.#vanishes()) place.isHidden = true;
    if (kind === 'table' && this.#looks.tablePaints(undefined)) place.backdrop = 'unknown';
    this.#places.push(place);
  }

  #property(within: string, place: Place, name: string, attributes: Attributes): void {
    const { theme } = this.#looks;
    place.answer = undefined;
    place.absent = undefined;
    // Earlier properties, of a tracked change, come last.
    if (name.endsWith('Change') && this.#properties) this.#properties.name = name;
    if (within === 'w:rPr') {
      if (place.kind === 'run') runProperty(place.run, name, attributes, theme);
    } else if (name === 'w:shd' && (within === 'w:tcPr' || within === 'w:tblPr')) {
      const shade = shading(attributes, theme);
      if (shade !== 'none') place.backdrop = shade;
    } else if (within === 'w:tblPr' && name === 'w:tblStyle') {
      place.style = attributes['w:val'];
      if (this.#looks.tablePaints(attributes['w:val'])) place.backdrop = 'unknown';
    } else if (within === 'w:pPr') {
      if (this.#depth > (this.#properties?.depth ?? 0) + 1) return;
      if (name === 'w:pStyle') place.style = attributes['w:val'];
      else if (name === 'w:framePr') place.isHidden = isOutside(attributes);
      else paragraphProperty(place.paragraph, name, attributes, theme);
    }
  }

  #vanishes(): boolean {
    const { own, character, paragraph, table, defaults } = this.#chain();
    if (own.vanish !== undefined) return own.vanish;
    if (defaults.vanish) return true;
    // A toggle property: two styles that set it cancel out (ECMA-376 part 1, 17.7.3).
    return [character, paragraph, table].filter(({ vanish }) => vanish).length % 2 === 1;
  }

  /** What applies to the innermost run, the strongest first. */
  #chain(): Record<'own' | 'character', Look> &
    Record<'paragraph' | 'table' | 'defaults', StyleLook> {
    const run = this.#innermost('run');
    const around = this.#innermost('paragraph');
    const table = this.#innermost('table');
    const own: Look = run?.run ?? {};
    const looks = this.#looks;
    return {
      own,
      character: own.style === undefined ? {} : looks.of('character', own.style),
      paragraph: looks.of('paragraph', around?.style),
      table: table ? looks.of('table', table.style) : { paragraph: {} },
      defaults: looks.defaults,
    };
  }

  #innermost(kind: Place['kind']): Place | undefined {
    for (let at = this.#places.length - 1; at > 0; at -= 1) {
      const place = this.#places[at];
      if (place?.kind === kind) return place;
      if (place?.kind === 'box') return undefined;
    }
    return undefined;
  }

  #decide(): boolean {
    if (this.isAbsent) return true;
    const { own, character, paragraph, table, defaults } = this.#chain();
    const first = <K extends keyof Look>(key: K): Look[K] =>
      own[key] ?? character[key] ?? paragraph[key] ?? table[key] ?? defaults[key];

    const size = first('isComplex') ? first('complexHalfPoints') : first('halfPoints');
    if (size !== undefined && size <= 2 * unreadablePoints) return true;
    const width = first('widthPercent') ?? 100;
    if (width > 0 && width <= narrowestPercent) return true;
    const around = this.#innermost('paragraph')?.paragraph ?? {};
    const line = around.exactLine ?? paragraph.paragraph.exactLine ?? Number.POSITIVE_INFINITY;
    if (line > 0 && line <= 20 * unreadablePoints) return true;

    const colour = first('colour');
    if (colour === undefined || colour === 'auto' || colour === 'unknown') return false;
    if (first('isDrawn')) return false;
    return colour === 'clear' || isLost(colour, this.#backdrop(first('highlight'), first('shade')));
  }

  #backdrop(...ofRun: Look['shade'][]): Backdrop {
    for (const each of ofRun) if (each !== undefined && each !== 'none') return each;
    for (let at = this.#places.length - 1; at > 0; at -= 1) {
      const place = this.#places[at];
      if (place?.kind === 'paragraph') {
        const styled = this.#looks.of('paragraph', place.style).paragraph.shade;
        const shade = place.paragraph.shade ?? styled;
        if (shade !== undefined && shade !== 'none') return shade;
      }
      if (place?.backdrop !== undefined) return place.backdrop;
    }
    return this.#places[0]?.backdrop ?? 'unknown';
  }
}

/** Whether a frame (ECMA-376 part 1, 17.3.1.11) is further out than any page is wide or high. */
function isOutside(attributes: Attributes): boolean {
  return ['w:x', 'w:y'].some((key) => Math.abs(Number(attributes[key] ?? 0)) >= widestPage);
}

/**
 * What is behind the text of the pages: white, or `unknown` when the document has a colour for its
 * pages, or a drawing behind its text.
 * @param parts the main part, headers and footers
 */
export function pageBackdrop(parts: Uint8Array[]): Backdrop {
  const signs = ['behindDoc="1"', 'behindDoc="true"', ':background ', 'z-index:-'];
  const isPainted = parts.some((part) => {
    const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    return signs.some((sign) => bytes.includes(sign) || bytes.includes(sign, 0, 'utf16le'));
  });
  return isPainted ? 'unknown' : white;
}
