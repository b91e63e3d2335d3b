import type { Attributes } from '../../formats/office/xml.ts';
import type { ListCounter } from './numbering.ts';
import { type Piece, plainPiece, type Run, trimmed } from './pieces.ts';
import type { Styles } from './styles.ts';
import { symbolOf } from './symbols.ts';
import {
  headingStyle,
  labelEnd,
  labelStart,
  listStyle,
  type ParagraphBlock,
  type StoryBlock,
} from './wml.ts';

/** A paragraph while it is read. */
export class Paragraph {
  readonly pieces: Piece[];
  styleId: string | undefined;
  numId: string | undefined;
  level: number | undefined;
  outline: number | undefined;
  /** Its mark is deleted (ECMA-376 part 1, 17.13.5.15), or it is the drop cap of the next (17.3.1.11): its text joins that. */
  joinsNext = false;
  /** Text boxes anchored in it. */
  readonly after: StoryBlock[] = [];
  /** Targets of the links that are open, the innermost last. */
  readonly #links: (string | undefined)[] = [];

  /** @param carried text of the paragraph before, when its mark is deleted */
  constructor(carried: Piece[], defaultStyleId: string | undefined) {
    this.pieces = carried;
    this.styleId = defaultStyleId;
  }

  /** Reads an element of `w:pPr`. */
  property(name: string, attributes: Attributes): void {
    if (name === 'w:framePr')
      this.joinsNext = /^(?:drop|margin)$/.test(attributes['w:dropCap'] ?? '');
    const value = attributes['w:val'];
    if (value === undefined) return;
    if (name === 'w:pStyle') this.styleId = value;
    else if (name === 'w:numId') this.numId = value;
    else if (name === 'w:ilvl') this.level = Number(value) || 0;
    else if (name === 'w:outlineLvl') this.outline = Number(value);
  }

  /** Adds the text of a run. */
  add(text: string, run: Run | undefined): void {
    // A line break in the XML is white space; Word's own is `w:br`.
    const line = text.replace(oddities, (found) =>
      found === labelStart || found === labelEnd ? '' : ' ',
    );
    const shown = /[\uf020-\uf0ff]/.test(line) ? privateUse(line, run?.font) : line;
    const struck = run?.struck === true && shown.trim() !== '';
    // 10⁶ must not become 106; letters and ordinals read well without a mark.
    const superscript =
      run?.superscript === true &&
      /^[-−+]?\d+$/.test(shown) &&
      /\d$/.test(this.pieces.at(-1)?.text ?? '');
    this.#put(shown, struck, superscript);
  }

  /** Adds text without formatting: tabs, line breaks (`\n`), marks. */
  append(text: string): void {
    this.#put(text, false, false);
  }

  /** @param target undefined for a place within the document */
  openLink(target: string | undefined): void {
    this.#links.push(target);
  }

  closeLink(): void {
    this.#links.pop();
  }

  #put(text: string, struck: boolean, superscript: boolean): void {
    if (text === '') return;
    const link = this.#links.at(-1);
    const last = this.pieces.at(-1);
    // Few long runs instead of many short ones: Word splits text at every edit.
    if (last?.struck === struck && last.superscript === superscript && last.link === link) {
      last.text += text;
    } else this.pieces.push({ text, struck, superscript, link });
  }
}

const oddities = new RegExp(`[\\r\\n${labelStart}${labelEnd}]`, 'g');

/** What decides whether a paragraph is a heading, and of which level. */
export interface Outline {
  styles: Styles;
  /** Whether there was a paragraph in the style Title: headings then start a level below it. */
  hasTitle: boolean;
}

/**
 * A finished paragraph as a block with its number, bullet or heading style; undefined when it is
 * blank. Counts it in its list either way, as Word does.
 * @param isInTable paragraphs in a table are not headings
 */
export function paragraphBlock(
  paragraph: Paragraph,
  outline: Outline,
  counter: ListCounter,
  isInTable: boolean,
): ParagraphBlock | undefined {
  const { styleId } = paragraph;
  const byStyle = styleId === undefined ? undefined : outline.styles.numberingOf(styleId);
  const numId = paragraph.numId ?? byStyle?.numId;
  const label =
    numId === undefined || numId === '0'
      ? undefined
      : counter.next(numId, paragraph.level ?? byStyle?.level, byStyle?.styleId);
  const pieces = trimmed(paragraph.pieces);
  if (pieces.length === 0) return undefined;

  const heading = isInTable ? undefined : headingOf(paragraph, outline);
  if (heading !== undefined) {
    const style = headingStyle(heading);
    return { kind: 'paragraph', style, pieces, ...(label && { label: label.text }) };
  }
  if (!label) return { kind: 'paragraph', pieces };
  const text = label.kind === 'bullet' ? '-' : label.text;
  return { kind: 'paragraph', style: listStyle(label.level), label: text, pieces };
}

/** A paragraph of plain text. */
export function plainBlock(text: string): ParagraphBlock {
  return { kind: 'paragraph', pieces: [plainPiece(text)] };
}

function headingOf(paragraph: Paragraph, outline: Outline): number | undefined {
  const { styleId } = paragraph;
  const own = paragraph.outline;
  const byStyle = styleId === undefined ? undefined : outline.styles.headingOf(styleId);
  const heading = own !== undefined && own < 9 ? own + 1 : byStyle;
  if (heading === 'title') {
    outline.hasTitle = true;
    return 1;
  }
  return heading === undefined ? undefined : heading + (outline.hasTitle ? 1 : 0);
}

/** A character of a symbol font (ECMA-376 part 1, 17.3.3.30) as Unicode; empty when there is none. */
export function symbol(font: string | undefined, code: string): string {
  const value = Number.parseInt(code, 16);
  const found = font && symbolOf(font, value);
  if (found) return found;
  const isPrivate = value >= 0xe000 && value <= 0xf8ff;
  const isCharacter = value >= 32 && value <= 0xffff && !(value >= 0xd800 && value <= 0xdfff);
  return isCharacter && !isPrivate ? String.fromCharCode(value) : '';
}

/** Text typed in a symbol font is stored in the private use area, offset by U+F000. */
function privateUse(text: string, font: string | undefined): string {
  return text.replace(
    /[\uf020-\uf0ff]/g,
    (character) => (font && symbolOf(font, character.charCodeAt(0))) ?? character,
  );
}
