import { Parser } from 'htmlparser2';
import { RejectDocument } from '../../journey/errors.ts';
import { HiddenWords } from '../safety/visibility.ts';
import type { StyleSheet } from './css/style-sheet.ts';
import { inputText, isUsefulLink, linkText, tidy } from './inline.ts';
import { listOf, markerOf, type OpenList } from './lists.ts';
import { Formulas } from './mathml.ts';
import { HtmlTable } from './table.ts';
import { blockTags, droppedTags, inlineMarks, lineTags } from './tags.ts';
import { HtmlVisibility } from './visibility.ts';

const endedTitle = '\0ended';

interface HtmlTextOptions {
  ofWord?: boolean;
  isPlain?: boolean;
  styles?: StyleSheet;
  isXhtml?: boolean;
  reversed?: readonly number[];
}

/**
 * HTML to Markdown-like text in one pass: the text so far can be taken at any time, so a page of any
 * length needs only the memory of its longest block. Nothing is fetched.
 */
export class HtmlText {
  /** Pictures, not counting tracking pixels. */
  images = 0;
  /** Text left out because readers do not see it. */
  readonly hidden = new HiddenWords();
  readonly #visibility: HtmlVisibility;
  readonly #parser: Parser;
  readonly #maxDepth: number;
  readonly #ofWord: boolean;
  readonly #isPlain: boolean;
  #out: string[] = [];
  #last: 'none' | 'item' | 'row' | 'block' = 'none';
  /** An element with space around it began or ended since the last block. */
  #gap = false;
  #line = '';
  #depth = 0;
  /** Depth at which dropped or hidden content began; 0 when none is open. */
  #dropFrom = 0;
  /** Whether that content is text, which is hidden, and not code. */
  #dropsText = false;
  #title: string | undefined;
  #pre = 0;
  #quotes = 0;
  #lists: OpenList[] = [];
  readonly #reversed: number[];
  readonly #formulas = new Formulas();
  /** The marker of a list item that has no text yet. */
  #marker = '';
  #items = 0;
  #link: { href: string; label: string } | undefined;
  #heading = 0;
  readonly #tables: HtmlTable[] = [];

  /**
   * @param maxDepth nesting of elements above which the page is rejected
   * @param ofWord it is what mammoth made of a Word document: white space is as typed, tables are
   *   tables, and `data-label` on a list item is its marker
   * @param isPlain text for people: no Markdown but list markers, no title, no link targets and no
   *   descriptions of pictures
   * @param styles the page's own style sheets
   * @param isXhtml elements may end themselves, as `<title/>`; in HTML that begins an element
   * @param reversed how many items each reversed list has
   */
  constructor(maxDepth: number, options: HtmlTextOptions = {}) {
    const { ofWord = false, isPlain = false, styles, isXhtml = false, reversed = [] } = options;
    this.#visibility = new HtmlVisibility(styles);
    this.#maxDepth = maxDepth;
    this.#ofWord = ofWord;
    this.#isPlain = isPlain;
    this.#reversed = [...reversed];
    this.#parser = new Parser(
      {
        onopentag: (name, attributes) => this.#open(name, attributes),
        onclosetag: (name) => this.#close(name),
        ontext: (text) => this.#text(text),
      },
      { recognizeSelfClosing: isXhtml, recognizeCDATA: isXhtml },
    );
  }

  /** @throws RejectDocument `normalize.xml_depth` */
  write(chunk: string): void {
    this.#parser.write(chunk);
  }

  end(): void {
    this.#parser.end();
    this.#flush();
    while (this.#tables.length > 0) this.#endTable();
  }

  /** Returns the text made since the last call. */
  take(): string {
    const text = this.#out.join('');
    this.#out = [];
    return text;
  }

  #open(name: string, attributes: Record<string, string>): void {
    this.#depth += 1;
    if (this.#depth > this.#maxDepth) {
      throw new RejectDocument({
        code: 'normalize.xml_depth',
        message: `Elements are nested more than ${this.#maxDepth} deep.`,
      });
    }
    if (this.#dropFrom > 0) {
      if (droppedTags.has(name)) this.#dropsText = false;
      return;
    }
    const isRemoved = this.#visibility.enter(name, attributes);
    if (name === 'title' && this.#title === undefined) {
      this.#title = '';
      return;
    }
    const isDropped = droppedTags.has(name);
    if (isRemoved || isDropped) {
      if (name === 'svg' && !isRemoved) this.images += 1;
      this.#dropFrom = this.#depth;
      this.#dropsText = !isDropped;
      return;
    }
    if (this.#formulas.open(name, this.#depth)) return;
    this.#endBlock(name);
    this.#begin(name, attributes);
  }

  #begin(name: string, attributes: Record<string, string>): void {
    if (/^h[1-6]$/.test(name)) {
      this.#leaveCell();
      this.#heading = Number(name.slice(1));
      return;
    }
    switch (name) {
      case 'br':
        this.#append(this.#pre > 0 ? '\n' : '\u2028');
        break;
      case 'hr':
        if (!this.#isPlain) this.#emit('---', 'block');
        break;
      case 'img':
        this.#image(attributes);
        break;
      case 'a':
        this.#beginLink(attributes.href ?? '');
        break;
      case 'pre':
        this.#leaveCell();
        this.#pre += 1;
        break;
      case 'blockquote':
        this.#quotes += 1;
        break;
      case 'ul':
      case 'ol':
      case 'menu':
      case 'dl':
        this.#lists.push(listOf(name, attributes, this.#reversed));
        break;
      case 'li':
        this.#items += 1;
        this.#marker = markerOf(this.#lists.at(-1), attributes, this.#ofWord);
        break;
      case 'table':
        this.#leaveCell();
        this.#tables.push(new HtmlTable({ isAsWritten: this.#ofWord, isPlain: this.#isPlain }));
        break;
      case 'tr':
        this.#endRow();
        this.#tables.at(-1)?.beginRow();
        break;
      case 'td':
      case 'th':
        this.#tables.at(-1)?.beginCell(attributes.colspan, attributes.rowspan);
        break;
      case 'input':
        this.#append(inputText(attributes));
        break;
      case 'option':
        this.#append(attributes.selected === undefined ? '[ ] ' : '[x] ');
        break;
      default:
        this.#mark(inlineMarks[name]?.[0]);
    }
  }

  #close(name: string): void {
    const depth = this.#depth;
    this.#depth -= 1;
    if (this.#dropFrom > 0) {
      if (depth !== this.#dropFrom) return;
      this.#dropFrom = 0;
      this.hidden.interrupt();
      this.#visibility.leave();
      return;
    }
    const mark = this.#visibility.isHidden ? undefined : inlineMarks[name]?.[1];
    this.#visibility.leave();
    if (name === 'title') {
      this.#endTitle();
      return;
    }
    const formula = this.#formulas.close(depth);
    if (formula !== undefined) {
      this.#append(formula);
      return;
    }
    this.#endBlock(name);
    switch (name) {
      case 'a':
        this.#endLink();
        break;
      case 'pre':
        this.#pre = Math.max(0, this.#pre - 1);
        break;
      case 'blockquote':
        this.#quotes = Math.max(0, this.#quotes - 1);
        break;
      case 'ul':
      case 'ol':
      case 'menu':
      case 'dl':
        this.#lists.pop();
        this.#marker = '';
        if (this.#lists.length === 0 && this.#last === 'item') this.#last = 'block';
        break;
      case 'li':
        this.#items = Math.max(0, this.#items - 1);
        this.#marker = '';
        break;
      case 'td':
      case 'th':
        this.#tables.at(-1)?.endCell();
        break;
      case 'tr':
        this.#endRow();
        break;
      case 'table':
        this.#endTable();
        break;
      default:
        if (/^h[1-6]$/.test(name)) this.#heading = 0;
        else this.#mark(mark);
    }
  }

  #text(text: string): void {
    if (this.#dropFrom > 0) {
      if (this.#dropsText) this.hidden.add(text);
      return;
    }
    if (this.#title !== undefined && this.#title !== endedTitle) {
      if (this.#title.length < 1_000) this.#title += text;
      return;
    }
    if (this.#visibility.isHidden && text.trim() !== '') {
      this.hidden.add(text);
      this.hidden.interrupt();
      return;
    }
    if (this.#formulas.add(text)) return;
    this.#append(text);
    // A very long block is written in pieces.
    const length = this.#line.length + (this.#link?.label.length ?? 0);
    if (length > 256 * 1024 && this.#pre === 0) this.#flush();
  }

  #mark(text = ''): void {
    // A block of code has marks of its own.
    if (this.#isPlain || (text === '`' && this.#pre > 0)) return;
    if (!this.#visibility.isHidden) this.#append(text);
  }

  #append(text: string): void {
    if (this.#link) this.#link.label += text;
    else this.#line += text;
  }

  #endTitle(): void {
    const title = tidy(this.#title ?? '');
    const isTitle = this.#title !== endedTitle && title !== '' && !this.#isPlain;
    this.#title = endedTitle;
    if (isTitle) this.#emit(`Title: ${title}`, 'block');
  }

  #image({ alt = '', width, height }: Record<string, string>): void {
    if (width === '1' && height === '1') return;
    this.images += 1;
    if (tidy(alt) !== '' && !this.#isPlain) this.#append(` [image: ${tidy(alt)}] `);
  }

  #beginLink(href: string): void {
    this.#endLink();
    const target = href.trim();
    if (isUsefulLink(target) && !this.#isPlain) this.#link = { href: target, label: '' };
  }

  #endLink(): void {
    const link = this.#link;
    this.#link = undefined;
    if (!link) return;
    this.#line += linkText(link.href, link.label, this.#tidy(link.label));
  }

  #endBlock(name: string): void {
    if (!blockTags.has(name)) return;
    this.#flush();
    if (!lineTags.has(name)) this.#gap = true;
  }

  #tidy(text: string): string {
    return this.#ofWord ? text.replaceAll('\u2028', '\n').trim() : tidy(text);
  }

  /** Ends the current block. */
  #flush(): void {
    this.#endLink();
    const raw = this.#line;
    this.#line = '';
    if (this.#pre > 0) {
      const code = raw.replace(/^\n/, '').trimEnd();
      const lines = code.replaceAll('\u2028', '\n');
      if (code !== '') this.#emit(this.#isPlain ? lines : `\`\`\`\n${lines}\n\`\`\``, 'block');
      return;
    }
    const text = this.#tidy(raw);
    if (text === '') {
      // `<div><br></div>` is how mail programs write an empty line.
      this.#gap ||= raw.includes('\u2028');
      return;
    }
    if (this.#heading > 0 && !this.#isPlain) {
      const title = text.replaceAll('\n', ' ');
      this.#emit(`${'#'.repeat(this.#heading)} ${title}`, 'block');
      return;
    }
    const indent = '  '.repeat(Math.min(20, Math.max(0, this.#lists.length - 1)));
    if (this.#marker !== '') {
      const rest = ' '.repeat(this.#marker.length);
      this.#emit(indent + this.#marker + text.replaceAll('\n', `\n${indent}${rest}`), 'item');
      this.#marker = '';
    } else if (this.#items > 0 && this.#lists.length > 0) {
      this.#emit(`${indent}  ${text.replaceAll('\n', `\n${indent}  `)}`, 'item');
    } else {
      this.#emit(text, 'block');
    }
  }

  #emit(block: string, kind: 'item' | 'row' | 'block'): void {
    const table = this.#tables.at(-1);
    if (table?.inCell) {
      table.add(block);
      if (table.cellLength > 8_000 && !this.#ofWord) this.#leaveCell();
      return;
    }
    if (this.#last !== 'none') {
      const isNext = this.#last === kind && (kind !== 'block' || !this.#gap);
      this.#out.push(isNext ? '\n' : '\n\n');
    }
    this.#last = kind;
    this.#gap = false;
    const prefix = this.#isPlain ? '' : '> '.repeat(Math.min(8, this.#quotes));
    this.#out.push(prefix === '' ? block : prefix + block.replaceAll('\n', `\n${prefix}`));
  }

  /**
   * The current cell holds something that a row of text cannot: a heading, another table, the content
   * of a whole page. So its row is layout, and its contents are written as blocks.
   */
  #leaveCell(): void {
    for (const table of this.#tables) {
      for (const block of table.dissolveRow()) {
        this.#gap = true;
        this.#emit(block, 'block');
        this.#gap = true;
      }
    }
  }

  #endRow(): void {
    const table = this.#tables.at(-1);
    if (!table) return;
    const isFirst = !table.hasRows;
    for (const { text, isRow } of table.endRow()) {
      if (isRow && isFirst && this.#last === 'row') this.#last = 'block';
      this.#emit(text, isRow ? 'row' : 'block');
    }
  }

  #endTable(): void {
    this.#endRow();
    this.#tables.pop();
    if (this.#last === 'row') this.#last = 'block';
  }
}
