/**
 * Finds quotes in a text: first as they are, then by a normal form in which only the looks of a text differ. What is not
 * there is not found; there is no nearest guess.
 */

/** Where a quote stands, in UTF-16 units of the text, and how it was found. */
interface FoundQuote {
  /** `normalised`: whitespace, quotation marks, dashes, ligatures, accents' encoding or hyphenation differ. */
  match: 'exact' | 'normalised';
  start: number;
  /** After the last unit. */
  end: number;
  /** How often it stands in the text, counted up to 100; the place is that of the first. */
  occurrences: number;
}

const mostCounted = 100;

/** Places that are looked at: a quote of one letter stands inside very many words. */
const mostLooks = 20_000;

/** A text in which quotes are looked for, many times. */
export class QuotedText {
  readonly text: string;
  readonly #forms = new Map<Hyphens, Normal>();

  constructor(text: string) {
    this.text = text;
  }

  /** @returns `undefined` when the quote does not stand in the text */
  find(quote: string): FoundQuote | undefined {
    const wanted = quote.trim();
    if (wanted === '') return undefined;
    const exact = placesOf(wanted, this.text);
    if (exact.first !== undefined) {
      const start = exact.first;
      return {
        match: 'exact',
        start,
        end: start + wanted.length,
        occurrences: exact.count,
      };
    }
    for (const hyphens of ['joined', 'kept'] as const) {
      const { text: needle } = normalised(wanted, hyphens);
      const trimmed = needle.trim();
      if (trimmed === '') return undefined;
      const form = this.#form(hyphens);
      const { first, count } = placesOf(trimmed, form.text);
      if (first === undefined) continue;
      return {
        match: 'normalised',
        start: form.startOf(first),
        end: form.endOf(first + trimmed.length - 1, this.text),
        occurrences: count,
      };
    }
    return undefined;
  }

  #form(hyphens: Hyphens): Normal {
    const known = this.#forms.get(hyphens);
    if (known) return known;
    const made = normalised(this.text, hyphens);
    this.#forms.set(hyphens, made);
    return made;
  }
}

/** Where `wanted` stands as words of its own. */
function placesOf(wanted: string, text: string): { first: number | undefined; count: number } {
  let first: number | undefined;
  let count = 0;
  let looks = 0;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    looks += 1;
    if (looks > mostLooks) break;
    if (!standsAlone(text, at, at + wanted.length)) continue;
    first ??= at;
    count += 1;
    if (count >= mostCounted) break;
  }
  return { first, count };
}

const wordEnd = /[\p{L}\p{N}\p{M}]$/u;
const wordStart = /^[\p{L}\p{N}\p{M}]/u;
/** Scripts that put no spaces between words. */
const spaceless =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const mark = /^\p{M}/u;

/** Whether a passage begins and ends where a word or number does: "5" does not stand in "1,500". */
function standsAlone(text: string, start: number, end: number): boolean {
  return isBound(text, start) && isBound(text, end) && !isPartOfNumber(text, start, end);
}

function isBound(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return true;
  if (isHigh(text.charCodeAt(at - 1)) && isLow(text.charCodeAt(at))) return false;
  const before = text.slice(Math.max(0, at - 2), at);
  const after = text.slice(at, at + 2);
  if (mark.test(after)) return false;
  if (!wordEnd.test(before) || !wordStart.test(after)) return true;
  return spaceless.test(before.slice(-1)) || spaceless.test(after.slice(0, 1));
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/** Digits with separators between thousands, or one decimal separator. Dates have other groups. */
const numeral = /^(?:\d{1,3}(?:[.,'’]\d{3})+(?:[.,]\d+)?|\d+[.,]\d+)$/;
const ofNumber = /[\d.,'’]/;

/** Longer runs of digits are no number. */
const longestNumber = 40;

/** Whether a passage begins or ends inside a number that goes on beyond it. */
function isPartOfNumber(text: string, start: number, end: number): boolean {
  const cuts = (at: number): boolean => {
    const [from, to] = numberAround(text, at);
    const run = text.slice(from, to);
    const whole = run.replace(/^[.,'’]+/, '');
    const begins = from + run.length - whole.length;
    const token = whole.replace(/[.,'’]+$/, '');
    const ends = begins + token.length;
    return numeral.test(token) && at > begins && at < ends;
  };
  return cuts(start) || cuts(end);
}

function numberAround(text: string, at: number): [number, number] {
  let from = at;
  let to = at;
  while (from > 0 && at - from < longestNumber && ofNumber.test(text[from - 1] ?? '')) from -= 1;
  while (to < text.length && to - at < longestNumber && ofNumber.test(text[to] ?? '')) to += 1;
  return [from, to];
}

/** What becomes of a hyphen at the end of a line: the word goes on without it, or with it. */
type Hyphens = 'joined' | 'kept';

/** A text in its normal form, with the way back. */
class Normal {
  readonly text: string;
  /** For each UTF-16 unit of the normal form, where the character that it is made of begins. */
  readonly #starts: Uint32Array;

  constructor(text: string, starts: Uint32Array) {
    this.text = text;
    this.#starts = starts;
  }

  startOf(at: number): number {
    return this.#starts[at] ?? 0;
  }

  /** After the character that the unit is made of. */
  endOf(at: number, original: string): number {
    const start = this.startOf(at);
    return start + lengthAt(original, start);
  }
}

const lengthAt = (text: string, at: number): number => {
  const isPair = isHigh(text.charCodeAt(at)) && isLow(text.charCodeAt(at + 1));
  return isPair ? 2 : 1;
};

const alike: Record<string, string> = {
  '‘': "'",
  '’': "'",
  '‚': "'",
  '‛': "'",
  '′': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '‟': '"',
  '″': '"',
  '«': '"',
  '»': '"',
  '‐': '-',
  '‑': '-',
  '‒': '-',
  '–': '-',
  '—': '-',
  '―': '-',
  '−': '-',
  '…': '...',
  ﬀ: 'ff',
  ﬁ: 'fi',
  ﬂ: 'fl',
  ﬃ: 'ffi',
  ﬄ: 'ffl',
  ﬅ: 'st',
  ﬆ: 'st',
};

/** Soft hyphens, joiners and marks without width. */
const invisible = /[\u00AD\u200B-\u200F\u2060\uFEFF]/;
const space = /\s/;
const letterEnd = /\p{L}\p{M}*$/u;
const letterStart = /^\p{L}/u;
const cjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;

/** Collects a normal form. */
class Builder {
  #pieces: string[] = [];
  #starts = new Uint32Array(1_024);
  #length = 0;
  /** The end of what was added. */
  tail = '';

  /** @param step 1 where each unit is a character of the original, 0 where all are made of the one at `start` */
  add(text: string, start: number, step: 0 | 1 = 0): void {
    if (this.#length + text.length > this.#starts.length) {
      const wider = new Uint32Array((this.#length + text.length) * 2);
      wider.set(this.#starts);
      this.#starts = wider;
    }
    for (let unit = 0; unit < text.length; unit += 1) {
      this.#starts[this.#length + unit] = start + step * unit;
    }
    this.#length += text.length;
    this.#pieces.push(text);
    this.tail = (this.tail + text).slice(-8);
  }

  /** Takes the last unit back. */
  drop(): void {
    this.#pieces.push((this.#pieces.pop() ?? '').slice(0, -1));
    this.#length -= 1;
    this.tail = this.tail.slice(0, -1);
  }

  done(): Normal {
    return new Normal(this.#pieces.join(''), this.#starts);
  }
}

/**
 * Whitespace is one space, and none between Chinese or Japanese characters; quotation marks and dashes are the plain
 * ones; characters are decomposed; a word that a hyphen divides at the end of a line is one word again. Numbers, case and
 * accents stay: they are part of what a quote says.
 */
function normalised(text: string, hyphens: Hyphens): Normal {
  const made = new Builder();
  for (let at = 0; at < text.length; ) {
    const run = asciiRun(text, at);
    if (run !== '') {
      made.add(run, at, 1);
      at += run.length;
      continue;
    }
    const character = text.slice(at, at + lengthAt(text, at));
    if (space.test(character)) {
      at = addSpace(made, text, at, hyphens);
      continue;
    }
    if (!invisible.test(character)) {
      made.add(alike[character] ?? character.normalize('NFD'), at);
    }
    at += character.length;
  }
  return made.done();
}

const asciiWord = /[\x21-\x7e]*/y;

/** What stands here and is the same in the normal form. */
function asciiRun(text: string, at: number): string {
  asciiWord.lastIndex = at;
  return asciiWord.exec(text)?.[0] ?? '';
}

/** @returns where the text goes on after the whitespace */
function addSpace(made: Builder, text: string, at: number, hyphens: Hyphens): number {
  let next = at;
  let breaks = false;
  while (next < text.length && space.test(text[next] ?? '')) {
    breaks ||= text[next] === '\n' || text[next] === '\r';
    next += 1;
  }
  const after = text.slice(next, next + 2);
  const { tail } = made;
  if (
    breaks &&
    tail.endsWith('-') &&
    letterEnd.test(tail.slice(0, -1)) &&
    letterStart.test(after)
  ) {
    if (hyphens === 'joined') made.drop();
    return next;
  }
  if (cjk.test(tail.slice(-1)) && cjk.test(after.slice(0, 1))) return next;
  made.add(' ', at);
  return next;
}
