/**
 * An RTF file with what its parser loses written as plain text (RTF 1.9.1): dashes and spaces that are control words, raised, lowered and
 * struck text, page breaks between words, results of embedded objects, check boxes, and the text of shapes, once. What a tracked
 * change deleted is left out, and styles that are no headings are not taken for headings by their number.
 */

/** What came of it. */
export interface RtfSigns {
  /** The file as Latin-1. */
  rtf: string;
  /** Pieces of text that tracked changes had deleted. */
  deletions: number;
}

const tokens = /\\([a-z]+)(-?\d+)? ?|\\'([0-9a-f]{2})|\\([^a-z])|([{}])|([\r\n]+)|([^\\{}\r\n]+)/gi;

/** Control words that stand for one character. */
const characters: Readonly<Record<string, number>> = {
  endash: 0x2013,
  emdash: 0x2014,
  bullet: 0x2022,
  enspace: 0x2002,
  emspace: 0x2003,
  qmspace: 0x2005,
  lquote: 0x2018,
  rquote: 0x2019,
  ldblquote: 0x201c,
  rdblquote: 0x201d,
};

/** Destinations whose content is no text of the document, or is left to the parser as it is. */
const foreign = new Set(
  'fonttbl colortbl stylesheet info pict listtext pntext xe tc datafield themedata bkmkstart bkmkend'.split(
    ' ',
  ),
);

/** A group, with the state that ends with it. */
interface Group {
  /** `copied`: its text is looked at; `foreign`: passed on as it is; `dropped`: left out. */
  way: 'copied' | 'foreign' | 'dropped';
  isDeleted: boolean;
  mark: '' | '^' | '_';
  isStruck: boolean;
  /** Where it ends, the text of a shape is complete. */
  isShape: boolean;
  /** An embedded object, of which only the result is text. */
  isObject: boolean;
  isField: boolean;
}

const whole: Group = {
  way: 'copied',
  isDeleted: false,
  mark: '',
  isStruck: false,
  isShape: false,
  isObject: false,
  isField: false,
};

const character = (code: number): string => `{\\uc1\\u${code}?}`;

/** @param rtf the bytes as Latin-1 */
export function withSigns(rtf: string): RtfSigns {
  const pass = new Pass(headingsOf(rtf));
  tokens.lastIndex = 0;
  for (let found = tokens.exec(rtf); found; found = tokens.exec(rtf)) {
    const [all, word, number, hex, symbol, bracket] = found;
    if (bracket === '{') pass.open();
    else if (bracket === '}') pass.close();
    else if (word === 'bin') {
      const length = Math.max(0, Number(number ?? 0));
      pass.passOn(all + rtf.slice(tokens.lastIndex, tokens.lastIndex + length));
      tokens.lastIndex += length;
    } else if (word !== undefined) pass.control(word, number, all);
    else if (symbol !== undefined) pass.symbol(symbol, all);
    else if (hex !== undefined) pass.text(all);
    else pass.text(all, /^[\r\n]/.test(all));
  }
  return pass.end();
}

class Pass {
  readonly #headings: ReadonlyMap<string, string>;
  readonly #groups: Group[] = [];
  #group = whole;
  /** Outputs: the document, and the text of each shape that is open. */
  readonly #outputs: string[][] = [[]];
  /** Texts of shapes, which go behind the paragraph that they are anchored in. */
  #shapes: string[] = [];
  #isStarred = false;
  #isStart = false;
  /** Marks that the text before had. */
  #mark = '';
  #isStruck = false;
  #deletions = 0;
  #wasDeleted = false;
  /** The check box of the field that is open: its value, and the value of a new form. */
  #box: { isBox: boolean; value?: string; initial?: string } = { isBox: false };

  constructor(headings: ReadonlyMap<string, string>) {
    this.#headings = headings;
  }

  open(): void {
    this.#groups.push(this.#group);
    this.#group = { ...this.#group, isShape: false, isField: false };
    this.#isStart = true;
    this.#isStarred = false;
    this.passOn('{');
  }

  close(): void {
    const { isShape, isField } = this.#group;
    this.passOn('}');
    this.#group = this.#groups.pop() ?? whole;
    this.#isStart = false;
    if (isField && this.#box.isBox) {
      const { value = '25', initial = '0' } = this.#box;
      // 25 says that nobody has changed it.
      this.text(character((value === '25' ? initial : value) === '1' ? 0x2612 : 0x2610));
    }
    if (isField) this.#box = { isBox: false };
    if (!isShape || this.#outputs.length === 1) return;
    const text = this.#outputs.pop()?.join('') ?? '';
    this.#shapes.push(`{\\pard ${text.replace(/}$/, '')}\\par}`);
  }

  control(word: string, number: string | undefined, all: string): void {
    const isStart = this.#isStart;
    const isStarred = this.#isStarred;
    this.#isStart = false;
    this.#isStarred = false;
    if (this.#begins(word, isStart, isStarred)) return;
    const { way } = this.#group;
    if (word === 'ffres') this.#box.value = number ?? '0';
    if (word === 'ffdefres') this.#box.initial = number ?? '0';
    if (way !== 'copied') {
      this.passOn(all);
      return;
    }
    const isOn = number !== '0';
    switch (word) {
      case 'deleted':
        this.#group = { ...this.#group, isDeleted: isOn };
        return;
      case 'super':
        this.#group = { ...this.#group, mark: isOn ? '^' : '' };
        break;
      case 'sub':
        this.#group = { ...this.#group, mark: isOn ? '_' : '' };
        break;
      case 'nosupersub':
        this.#group = { ...this.#group, mark: '' };
        break;
      case 'strike':
      case 'striked':
        this.#group = { ...this.#group, isStruck: isOn };
        break;
      case 'plain':
        this.#group = { ...this.#group, mark: '', isStruck: false, isDeleted: false };
        break;
      case 's': {
        const level = this.#headings.get(number ?? '');
        if (level !== undefined) this.#emit(`\\s${level} `);
        return;
      }
      case 'page':
      case 'column':
        this.#emit('\\par ');
        return;
      case 'par':
      case 'sect':
      case 'cell':
        this.#endMarks();
        this.#emit(word === 'sect' ? '\\par ' : all);
        this.#emitShapes();
        return;
      case 'u':
        this.text(all);
        return;
    }
    const code = characters[word];
    if (code !== undefined) this.text(character(code));
    else this.#emit(all);
  }

  symbol(symbol: string, all: string): void {
    this.#isStarred = this.#isStart && symbol === '*';
    this.#isStart = this.#isStarred;
    if (this.#group.way !== 'copied' || this.#isStarred) this.passOn(all);
    else if (symbol === '~') this.text(character(0xa0));
    // A hyphen that does not break a line is one; an optional one is none.
    else if (symbol === '_') this.text('-');
    else if (symbol !== '-') this.text(all);
  }

  /** Text of the document, as RTF writes it. */
  text(all: string, isBreak = false): void {
    this.#isStart = false;
    const { way, isDeleted, mark, isStruck } = this.#group;
    if (way !== 'copied' || isBreak) {
      this.passOn(all);
      return;
    }
    if (isDeleted) {
      if (!this.#wasDeleted) this.#deletions += 1;
      this.#wasDeleted = true;
      return;
    }
    this.#wasDeleted = false;
    if (this.#isStruck && !isStruck) this.#emit('~~');
    if (!this.#isStruck && isStruck) this.#emit('~~');
    if (mark !== '' && mark !== this.#mark) this.#emit(mark);
    this.#isStruck = isStruck;
    this.#mark = mark;
    this.#emit(all);
  }

  passOn(all: string): void {
    if (this.#group.way !== 'dropped') this.#emit(all);
  }

  end(): RtfSigns {
    this.#emitShapes();
    return { rtf: (this.#outputs[0] ?? []).join(''), deletions: this.#deletions };
  }

  /** What the first word of a group makes of it. @returns whether the word is dealt with */
  #begins(word: string, isStart: boolean, isStarred: boolean): boolean {
    if (word === 'shptxt') {
      this.#group = { ...this.#group, way: 'copied', isShape: true, isObject: false };
      this.#outputs.push([]);
      return true;
    }
    if (word === 'result' && this.#group.isObject) {
      this.#group = { ...this.#group, way: 'copied', isObject: false };
      this.#emit('{');
      return true;
    }
    if (!isStart) return false;
    if (/^(?:footnote|header|footer)/.test(word)) {
      this.#group = { ...this.#group, mark: '', isStruck: false };
    }
    if (word === 'field') this.#group = { ...this.#group, isField: true };
    if (word === 'shp' || word === 'nonshppict') return this.#drop('{', false);
    if (word === 'object') return this.#drop('{', true);
    if (isStarred || foreign.has(word)) {
      if (this.#group.way === 'copied') this.#group = { ...this.#group, way: 'foreign' };
    }
    return false;
  }

  /** Leaves a group out whose opening bracket is written already. */
  #drop(bracket: string, isObject: boolean): boolean {
    const output = this.#outputs.at(-1);
    if (this.#group.way !== 'dropped' && output?.at(-1) === bracket) output.pop();
    this.#group = { ...this.#group, way: 'dropped', isObject };
    return true;
  }

  #endMarks(): void {
    if (this.#isStruck) this.#emit('~~');
    this.#isStruck = false;
    this.#mark = '';
  }

  #emitShapes(): void {
    // The text of a shape within a shape stays in it.
    if (this.#outputs.length > 1) return;
    for (const shape of this.#shapes) this.#emit(shape);
    this.#shapes = [];
  }

  #emit(all: string): void {
    const output = this.#outputs.at(-1) ?? [];
    // What stood between a control word and this text may be left out: then a space ends the word.
    if (/^[a-z0-9 -]/i.test(all) && /\\[a-z]+-?\d*$/i.test(output.at(-1) ?? '')) output.push(' ');
    output.push(all);
    if (all.includes('FORMCHECKBOX')) this.#box.isBox = true;
  }
}

/** Characters of a style sheet that are read: that of a large template has some hundred thousand. */
const longestSheet = 2_000_000;

/** The number of each paragraph style that is a heading by its name, with its level. */
function headingsOf(rtf: string): Map<string, string> {
  const headings = new Map<string, string>();
  const start = rtf.indexOf('{\\stylesheet');
  if (start < 0) return headings;
  const end = Math.min(rtf.length, start + longestSheet);
  let depth = 0;
  /** What stands in the group of one style, without the groups in it. */
  let style = '';
  for (let at = start; at < end; at += 1) {
    const sign = rtf[at];
    if (sign === '{') {
      depth += 1;
      if (depth === 2) style = '';
    } else if (sign === '}') {
      if (depth === 2) {
        const number = /\\s(\d+)/.exec(style)?.[1];
        const level = / ?heading (\d)\s*;?\s*$/i.exec(style.slice(-40))?.[1];
        if (number !== undefined && level !== undefined) headings.set(number, level);
      }
      depth -= 1;
      if (depth === 0) break;
    } else if (depth === 2) style += sign;
  }
  return headings;
}
