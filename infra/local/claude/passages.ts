/**
 * Finds passages of a text to quote. No understanding: sentences whose words are frequent in the text
 * rank high. What matters is that every passage is an exact slice of the text.
 */

/** A slice of the text: 0-based, `end` exclusive, in UTF-16 units as JavaScript counts them. */
export interface Span {
  start: number;
  end: number;
}

interface Passage extends Span {
  score: number;
}

/** Of a longer text only windows at the beginning, in the middle and at the end are read. */
const wholeUpTo = 120_000;
const windowSize = 40_000;
const longestPassage = 300;

const sentences = new Intl.Segmenter('und', { granularity: 'sentence' });

/** The parts of `text` that are read. */
function windowsOf(text: string): Span[] {
  if (text.length <= wholeUpTo) return [{ start: 0, end: text.length }];
  const starts = [0, (text.length - windowSize) / 2, text.length - windowSize].map(Math.floor);
  return starts.map((start) => {
    // Starts after a line break, so that no window starts inside a sentence.
    const from = start === 0 ? 0 : text.indexOf('\n', start) + 1 || start;
    return { start: Math.min(from, start + windowSize / 2), end: start + windowSize };
  });
}

/** Sentences and lines of `text` in order, without bullets, hashes, bars and white space. */
export function unitsOf(text: string): Span[] {
  const tabular = isTabular(text);
  return windowsOf(text).flatMap((window) =>
    paragraphsOf(text, window, tabular).flatMap((paragraph) => {
      if (tabular) return trimmed(text, paragraph);
      // Same length, so that offsets in it are offsets in the text.
      const flat = text.slice(paragraph.start, paragraph.end).replace(/[\r\n\t]/g, ' ');
      return [...sentences.segment(flat)].flatMap(({ index, segment }) => {
        const start = paragraph.start + index;
        return trimmed(text, { start, end: start + segment.length });
      });
    }),
  );
}

/** Rows of delimited text: the same number of the same separator in each of the first lines. */
function isTabular(text: string): boolean {
  const lines = text
    .slice(0, 4_000)
    .split(/\r?\n/)
    .slice(0, 6)
    .filter((line) => line !== '');
  if (lines.length < 3) return false;
  return [',', ';', '\t', '|'].some((separator) => {
    const counts = lines.slice(0, 5).map((line) => line.split(separator).length - 1);
    return (counts[0] ?? 0) >= 1 && counts.every((count) => count === counts[0]);
  });
}

/** Lines that belong together, as one span each. */
function paragraphsOf(text: string, window: Span, tabular: boolean): Span[] {
  const found: Span[] = [];
  let open: Span | undefined;
  let before = '';
  const line = /[^\r\n]*(?:\r\n|\r|\n|$)/gy;
  line.lastIndex = window.start;

  while (line.lastIndex < window.end) {
    const start = line.lastIndex;
    const content = line.exec(text)?.[0] ?? '';
    if (content === '') break;
    const end = Math.min(line.lastIndex, window.end);
    const blank = content.trim() === '';
    const standsAlone = tabular || /^\s*(#{1,6}\s|[-*•·]\s|\||>|\d{1,3}[.)]\s)/.test(content);

    if (blank || standsAlone) {
      if (open) found.push(open);
      open = undefined;
      if (!blank) open = { start, end };
      if (tabular || /^\s*(#|\|)/.test(content)) {
        if (open) found.push(open);
        open = undefined;
      }
    } else if (open && endsBefore(before, content)) {
      found.push(open);
      open = { start, end };
    } else {
      open = { start: open?.start ?? start, end };
    }
    before = content;
  }
  if (open) found.push(open);
  return found;
}

/** Whether a line break ends a paragraph: after a short line that is not a sentence, as a heading. */
function endsBefore(before: string, next: string): boolean {
  const last =
    before
      .trimEnd()
      .split(/\r\n|\r|\n/)
      .at(-1) ?? '';
  return last.length < 60 && !/[,;:\-–—(]$/.test(last) && /^\s*[\p{Lu}\p{N}]/u.test(next);
}

/** Trims marks and space around the words, and cuts what is too long to quote. */
function trimmed(text: string, span: Span): Span[] {
  let { start, end } = span;
  const lead = /^[\s#>*•·|\-–—]*(?:\d{1,3}[.)]\s+)?/.exec(text.slice(start, end))?.[0] ?? '';
  start += lead.length;
  // A pattern for the tail would be tried at every offset: quadratic on long runs of such characters.
  while (end > start && /[\s|*#]/.test(text.charAt(end - 1))) end--;

  if (end - start > longestPassage) {
    const space = text.lastIndexOf(' ', start + longestPassage);
    end = space > start + longestPassage / 2 ? space : start + longestPassage;
    // Not between the halves of a surrogate pair.
    if (/[\ud800-\udbff]/.test(text.charAt(end - 1))) end--;
  }
  return /[\p{L}\p{N}]/u.test(text.slice(start, end)) ? [{ start, end }] : [];
}

/** The units with a score each, in the order of the text. A higher score is better to quote. */
export function rank(text: string, units: readonly Span[]): Passage[] {
  const frequency = new Map<string, number>();
  const words = units.map((unit) => wordsOf(text.slice(unit.start, unit.end)));
  for (const word of words.flat()) frequency.set(word, (frequency.get(word) ?? 0) + 1);

  return units.map((unit, index) => {
    const own = words[index] ?? [];
    const weight = own.reduce((sum, word) => sum + Math.log(1 + (frequency.get(word) ?? 0)), 0);
    const content = text.slice(unit.start, unit.end);
    const length = content.length;
    let score = own.length === 0 ? 0 : weight / Math.sqrt(own.length + 4);
    if (length < 25 && !/\p{Script=Han}|\p{Script=Hangul}/u.test(content)) score *= 0.3;
    if (/[.!?。！？]["')\]]*$/.test(content)) score *= 1.4;
    return { ...unit, score };
  });
}

/** Words of four letters or more; scripts without spaces are split in pairs of letters. */
function wordsOf(text: string): string[] {
  const lower = text.toLowerCase();
  const words = lower.match(/[\p{L}\p{N}]{4,}/gu) ?? [];
  if (!/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Thai}]/u.test(lower)) return words;
  const letters = lower.match(/\p{L}/gu) ?? [];
  return letters.slice(1).map((letter, index) => `${letters[index]}${letter}`);
}

/** A passage on one line, as shown; the citation holds the exact slice. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
