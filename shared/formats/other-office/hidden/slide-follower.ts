import { Parser } from 'htmlparser2';
import type { Theme } from '../../office/theme.ts';
import { type Backdrop, hexColour, isLost, unreadablePoints } from '../../safety/visibility.ts';
import type { Follower } from './cut.ts';

/** DrawingML of slides (ECMA-376 part 1, 20.1 and 19.3), as far as it decides what is seen. */

type Attributes = Record<string, string>;

/** What a fill paints; `none` shows what is behind. */
type Fill = Backdrop | 'none';

const fills = new Set(['noFill', 'solidFill', 'gradFill', 'blipFill', 'pattFill', 'grpFill']);

interface Shape {
  isHidden: boolean;
  fill: Fill;
  /** Depth of its element. */
  depth: number;
}

interface Run {
  size: number | undefined;
  colour: Fill | undefined;
  isDrawn: boolean;
}

export interface Slide {
  theme: Theme;
  /** What is behind text without a fill of its own. */
  backdrop: Backdrop;
  /** In EMU. */
  width: number;
  height: number;
}

/** Follows a slide: hidden shapes, shapes beside it, tiny text, and text in the colour behind it. */
export class SlideFollower implements Follower {
  readonly #slide: Slide;
  readonly #path: string[] = [];
  readonly #shapes: Shape[] = [];
  #run: Run = plainRun();
  #tables = 0;
  #corner: { x: number; y: number } | undefined;
  #isTurned = false;

  constructor(slide: Slide) {
    this.#slide = slide;
  }

  get isHidden(): boolean {
    if (this.#path.at(-1) !== 't') return false;
    if (this.#shapes.some(({ isHidden }) => isHidden)) return true;
    const { size, colour, isDrawn } = this.#run;
    if (size !== undefined && size <= unreadablePoints) return true;
    if (colour === undefined || colour === 'unknown' || isDrawn) return false;
    return colour === 'none' || isLost(colour, this.#backdrop);
  }

  open(name: string, attributes: Attributes): void {
    const local = localOf(name);
    const parent = this.#path.at(-1) ?? '';
    this.#path.push(local);
    switch (local) {
      case 'sp':
      case 'grpSp':
      case 'graphicFrame':
      case 'cxnSp':
        this.#shapes.push({ isHidden: false, fill: 'none', depth: this.#path.length });
        return;
      case 'cNvPr':
        if (isTrue(attributes.hidden)) this.#change({ isHidden: true });
        return;
      case 'xfrm':
        this.#isTurned = attributes.rot !== undefined && attributes.rot !== '0';
        return;
      case 'tbl':
        this.#tables += 1;
        return;
      case 'r':
      case 'fld':
        this.#run = plainRun();
        return;
      case 'rPr':
        if (attributes.sz !== undefined) this.#run.size = Number(attributes.sz) / 100;
        return;
    }
    if (parent === 'spPr' || parent === 'grpSpPr') this.#ofShape(local);
    else if (parent === 'rPr') this.#ofRun(local);
    else if (parent === 'xfrm') this.#place(local, attributes);
    else this.#colour(local, parent, attributes);
  }

  close(name: string): void {
    const shape = this.#shapes.at(-1);
    if (shape?.depth === this.#path.length) this.#shapes.pop();
    this.#path.pop();
    if (localOf(name) === 'tbl') this.#tables -= 1;
  }

  get #backdrop(): Backdrop {
    // Styles of tables, and groups, are not read.
    if (this.#tables > 0) return 'unknown';
    for (const { fill } of [...this.#shapes].reverse()) if (fill !== 'none') return fill;
    return this.#slide.backdrop;
  }

  #change(changes: Partial<Shape>): void {
    Object.assign(this.#shapes.at(-1) ?? {}, changes);
  }

  #ofShape(local: string): void {
    if (fills.has(local)) this.#change({ fill: local === 'noFill' ? 'none' : 'unknown' });
  }

  #ofRun(local: string): void {
    if (local === 'noFill') this.#run.colour = 'none';
    else if (fills.has(local)) this.#run.colour = 'unknown';
    else if (/^(?:ln|effectLst|effectDag|highlight)$/.test(local)) this.#run.isDrawn = true;
  }

  /** The colour of a plain fill, and what changes it. */
  #colour(local: string, parent: string, attributes: Attributes): void {
    const at = this.#path;
    const isColour = parent === 'solidFill';
    const owner = isColour ? at.at(-3) : at.at(-4);
    if (!isColour && at.at(-3) !== 'solidFill') {
      // A style of the theme may fill the shape.
      if (local === 'fillRef' && attributes.idx !== '0' && this.#shapes.at(-1)?.fill === 'none') {
        this.#change({ fill: 'unknown' });
      }
      return;
    }
    let colour: Fill = isColour ? colourFrom(local, attributes, this.#slide.theme) : 'unknown';
    if (local === 'alpha') colour = Number(attributes.val) < 5_000 ? 'none' : 'unknown';
    if (owner === 'rPr') this.#run.colour = colour;
    if (owner === 'spPr') this.#change({ fill: colour });
  }

  /** Shapes in a group have the coordinates of the group, which are not followed. */
  #place(local: string, attributes: Attributes): void {
    if (this.#shapes.length !== 1 || this.#isTurned) return;
    const { width, height } = this.#slide;
    const [x, y] = [Number(attributes.x), Number(attributes.y)];
    if (local === 'off') {
      if (x >= width || y >= height) this.#change({ isHidden: true });
      this.#corner = { x, y };
    } else if (local === 'ext' && this.#corner) {
      const { x: left, y: top } = this.#corner;
      const isBefore = left + Number(attributes.cx) <= 0 || top + Number(attributes.cy) <= 0;
      if (isBefore) this.#change({ isHidden: true });
      this.#corner = undefined;
    }
  }
}

function plainRun(): Run {
  return { size: undefined, colour: undefined, isDrawn: false };
}

function localOf(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function isTrue(value: string | undefined): boolean {
  return value === '1' || value === 'true';
}

function colourFrom(local: string, attributes: Attributes, theme: Theme): Backdrop {
  if (local === 'srgbClr') return hexColour(attributes.val) ?? 'unknown';
  if (local === 'sysClr') return hexColour(attributes.lastClr) ?? 'unknown';
  if (local === 'schemeClr') return theme.get(attributes.val ?? '') ?? 'unknown';
  return 'unknown';
}

/** The background that a slide, layout or master gives itself; undefined for that of the next. */
export function slideBackground(xml: string, theme: Theme): Backdrop | undefined {
  const background = /<(?:\w{1,20}:)?bg\b[^>]{0,200}>([\s\S]{0,2000}?)<\/(?:\w{1,20}:)?bg>/.exec(
    xml,
  )?.[1];
  if (background === undefined) return undefined;
  const plain =
    /^\s*<(?:\w+:)?bgPr\b[^>]*>\s*<(?:\w+:)?solidFill>\s*<(?:\w+:)?(\w+) ([^>]*)\/>\s*<\/(?:\w+:)?solidFill>/.exec(
      background,
    ) ?? /^\s*<(?:\w+:)?bgRef idx="1001">\s*<(?:\w+:)?(\w+) ([^>]*)\/>/.exec(background);
  if (!plain) return 'unknown';
  const attributes: Attributes = {};
  for (const [, key = '', value = ''] of (plain[2] ?? '').matchAll(/(\w+)="([^"]*)"/g)) {
    attributes[key] = value;
  }
  return colourFrom(plain[1] ?? '', attributes, theme);
}

/** Whether a slide, layout or master has anything on it, other than plain text, that may be behind text. */
export function isPaintedOver(xml: string): boolean {
  let isPainted = false;
  const path: string[] = [];
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        const local = localOf(name);
        const parent = path.at(-1);
        path.push(local);
        if (/^(?:pic|graphicFrame|contentPart|oleObj)$/.test(local)) isPainted = true;
        if ((parent === 'spPr' || parent === 'grpSpPr') && fills.has(local)) {
          isPainted ||= local !== 'noFill';
        }
        if (local === 'fillRef' && attributes.idx !== '0') isPainted = true;
      },
      onclosetag: () => path.pop(),
    },
    { xmlMode: true },
  );
  parser.end(xml);
  return isPainted;
}
