import { Parser } from 'htmlparser2';
import { colourOf, lengthOf } from '../../html/css/values.ts';
import { type Backdrop, white } from '../../safety/visibility.ts';

/** What a style of an OpenDocument file says about text (ODF 1.3 part 3, 16 and 20). */
export interface OdfStyle {
  parent?: string;
  isHidden?: boolean;
  colour?: Backdrop | 'clear' | 'auto';
  /** As written, since percentages refer to the style it is based on. */
  size?: string;
  isDrawn?: boolean;
  /** Behind the letters, and behind the paragraph, cell, section or shape. */
  highlight?: Backdrop | 'none';
  backdrop?: Backdrop | 'none';
  /** Of a slide. */
  isHiddenSlide?: boolean;
}

/** The styles of a document. */
export class OdfStyles {
  /** Widest and highest page, in points; 0 when unknown. */
  readonly page = { width: 0, height: 0 };
  /** What is behind the text of the pages. */
  paper: Backdrop = white;
  readonly #styles = new Map<string, OdfStyle>();

  /** Adds the styles in a part: `styles.xml`, then `content.xml`, whose automatic styles count. */
  read(xml: string): void {
    let style: OdfStyle | undefined;
    const parser = new Parser(
      {
        onopentag: (name, attributes) => {
          if (name === 'style:style' || name === 'style:default-style') {
            const family = attributes['style:family'] ?? '';
            const own = name === 'style:style' ? (attributes['style:name'] ?? '') : '';
            style = {};
            const parent = attributes['style:parent-style-name'];
            if (parent !== undefined) style.parent = parent;
            this.#styles.set(`${family} ${own}`, style);
          } else if (name === 'style:page-layout-properties') this.#page(attributes);
          else if (attributes['style:run-through'] === 'background') this.paper = 'unknown';
          if (style && name.endsWith('-properties')) readProperties(style, name, attributes);
        },
        onclosetag(name) {
          if (name === 'style:style' || name === 'style:default-style') style = undefined;
        },
      },
      { xmlMode: true },
    );
    parser.end(xml);
  }

  /** The style and those it is based on, the nearest first, and the default of its family last. */
  chain(family: string, name: string | undefined): OdfStyle[] {
    const chain: OdfStyle[] = [];
    let next = name;
    while (next !== undefined && next !== '' && chain.length < 20) {
      const style: OdfStyle | undefined = this.#styles.get(`${family} ${next}`);
      if (!style) break;
      chain.push(style);
      next = style.parent;
    }
    const usual = this.#styles.get(`${family} `);
    return usual ? [...chain, usual] : chain;
  }

  #page(attributes: Record<string, string>): void {
    const side = (key: string) => lengthOf(attributes[key], 1) ?? 0;
    this.page.width = Math.max(this.page.width, side('fo:page-width'));
    this.page.height = Math.max(this.page.height, side('fo:page-height'));
    if (fillOf(attributes) !== 'none') this.paper = 'unknown';
  }
}

function readProperties(style: OdfStyle, name: string, attributes: Record<string, string>): void {
  if (name === 'style:drawing-page-properties') {
    style.isHiddenSlide = attributes['presentation:visibility'] === 'hidden';
    return;
  }
  const fill = fillOf(attributes);
  if (name !== 'style:text-properties') {
    if (fill !== 'none' || attributes['draw:fill'] !== undefined) style.backdrop = fill;
    return;
  }
  if (fill !== 'none' || attributes['fo:background-color'] !== undefined) style.highlight = fill;
  const display = attributes['text:display'];
  if (display !== undefined) style.isHidden = display === 'none';
  const size = attributes['fo:font-size'];
  if (size !== undefined) style.size = size;
  const colour = attributes['fo:color'];
  if (colour !== undefined) style.colour = colourOf(colour);
  if (attributes['style:use-window-font-color'] === 'true') style.colour = 'auto';
  // Not `loext:opacity`: LibreOffice writes 0% beside the automatic colour, for text that is seen.
  const marks = ['fo:text-shadow', 'style:text-outline', 'style:font-relief'];
  if (marks.some((key) => /^(?!none|false)./.test(attributes[key] ?? ''))) style.isDrawn = true;
}

/** What the properties paint behind the text. */
function fillOf(attributes: Record<string, string>): Backdrop | 'none' {
  const fill = attributes['draw:fill'];
  const colour =
    fill === 'solid' ? attributes['draw:fill-color'] : attributes['fo:background-color'];
  if (fill !== undefined && fill !== 'none' && fill !== 'solid') return 'unknown';
  if (colour === undefined) return fill === 'solid' ? 'unknown' : 'none';
  const found = colourOf(colour);
  return found === 'clear' ? 'none' : found;
}
