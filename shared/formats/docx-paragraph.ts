import { hex as dingbat } from 'dingbat-to-unicode';
import type { Block } from './docx-blocks.ts';
import type { ListCounter } from './docx-numbering.ts';
import type { Styles } from './docx-styles.ts';
import type { Attributes } from './ooxml-xml.ts';

/** What of a run's formatting changes what its text says. */
export interface Run {
  struck: boolean;
  superscript: boolean;
  font?: string | undefined;
}

/** A paragraph while it is read. */
export class Paragraph {
  text: string;
  styleId: string | undefined;
  numId: string | undefined;
  level: number | undefined;
  outline: number | undefined;
  /** Its mark is deleted: its text joins the next paragraph (ECMA-376 part 1, 17.13.5.15). */
  joinsNext = false;
  /** Text boxes anchored in it. */
  readonly after: Block[] = [];
  /** Where the text of the last struck-through run ends. */
  #struckEnd = -1;
  readonly #links: { start: number; target: string | undefined }[] = [];

  /** @param carried text of a paragraph before whose mark is deleted */
  constructor(carried: string, defaultStyleId: string | undefined) {
    this.text = carried;
    this.styleId = defaultStyleId;
  }

  /** Takes note of an element of `w:pPr`. */
  property(name: string, attributes: Attributes): void {
    const value = attributes['w:val'];
    if (value === undefined) return;
    if (name === 'w:pStyle') this.styleId = value;
    else if (name === 'w:numId') this.numId = value;
    else if (name === 'w:ilvl') this.level = Number(value) || 0;
    else if (name === 'w:outlineLvl') this.outline = Number(value);
  }

  /** Adds the text of a run. */
  add(text: string, run: Run | undefined): void {
    const shown = /[\uf020-\uf0ff]/.test(text) ? privateUse(text, run?.font) : text;
    if (run?.struck && shown.trim() !== '') {
      const goesOn = this.#struckEnd === this.text.length;
      this.text = goesOn ? `${this.text.slice(0, -2)}${shown}~~` : `${this.text}~~${shown}~~`;
      this.#struckEnd = this.text.length;
      return;
    }
    // 10⁶ must not become 106; letters and ordinals read well without a mark.
    if (run?.superscript && /^[-−+]?\d+$/.test(shown) && /\d$/.test(this.text)) this.text += '^';
    this.text += shown;
  }

  openLink(target: string | undefined): void {
    this.#links.push({ start: this.text.length, target });
  }

  closeLink(): void {
    const link = this.#links.pop();
    if (link?.target !== undefined) this.linkFrom(link.start, link.target);
  }

  /** Makes what was added since `start` a link, unless it says its target itself. */
  linkFrom(start: number, target: string): void {
    const linked = this.text.slice(start);
    const shown = linked.trim();
    const bare = target.replace(/^mailto:/i, '');
    if (shown === '' || shown === target || shown === bare || shown.includes('\n')) return;
    this.text = `${this.text.slice(0, start)}[${linked}](${target})`;
  }
}

/** What decides whether and how deep a paragraph is a heading. */
export interface Outline {
  styles: Styles;
  /** Whether a paragraph with style Title was met: headings then start a level below it. */
  hasTitle: boolean;
}

/**
 * A finished paragraph as a block with its number, bullet or heading marks; undefined when nothing
 * in it can be read. Counts it in its list either way, as Word does.
 * @param isInTable in a table there are no headings
 */
export function paragraphBlock(
  paragraph: Paragraph,
  outline: Outline,
  counter: ListCounter,
  isInTable: boolean,
): Block | undefined {
  const { styleId } = paragraph;
  const byStyle = styleId === undefined ? undefined : outline.styles.numberingOf(styleId);
  const numId = paragraph.numId ?? byStyle?.numId;
  const label =
    numId === undefined || numId === '0'
      ? undefined
      : counter.next(numId, paragraph.level ?? byStyle?.level, byStyle?.styleId);
  const text = paragraph.text.trim();
  if (text === '') return undefined;

  const heading = isInTable ? undefined : headingOf(paragraph, outline);
  if (heading !== undefined) {
    const number = label?.text ? `${label.text} ` : '';
    const line = text.replace(/\s*\n\s*/g, ' ');
    return { text: `${'#'.repeat(heading)} ${number}${line}`, isListItem: false };
  }
  if (!label) return { text, isListItem: false };
  const indent = '  '.repeat(Math.min(label.level, 8));
  const mark = label.kind === 'bullet' ? '- ' : label.text === '' ? '' : `${label.text} `;
  const hanging = text.replaceAll('\n', `\n${indent}  `);
  return { text: `${indent}${mark}${hanging}`, isListItem: true };
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
  return heading === undefined ? undefined : Math.min(6, heading + (outline.hasTitle ? 1 : 0));
}

/** A character of a symbol font (ECMA-376 part 1, 17.3.3.30) as Unicode, else nothing. */
export function symbol(font: string | undefined, code: string): string {
  const short = /^f0([0-9a-f]{2})$/i.exec(code)?.[1];
  const found = font && (dingbat(font, code) ?? (short && dingbat(font, short)));
  if (found) return found.string;
  const value = Number.parseInt(code, 16);
  const isPrivate = value >= 0xe000 && value <= 0xf8ff;
  const isCharacter = value >= 32 && value <= 0xffff && !(value >= 0xd800 && value <= 0xdfff);
  return isCharacter && !isPrivate ? String.fromCharCode(value) : '';
}

/** Text typed in a symbol font stands in the private use area, offset by F000. */
function privateUse(text: string, font: string | undefined): string {
  return text.replace(/[\uf020-\uf0ff]/g, (character) => {
    const code = (character.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, '0');
    return (font && dingbat(font, code)?.string) ?? character;
  });
}
