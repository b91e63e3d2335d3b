import type { Warning } from '../../journey/record.ts';
import { counted } from '../text/wording.ts';

/**
 * What a reader cannot see, for all formats (decision 0043). A text that is called hidden is left
 * out, so each rule is on the safe side: what may be visible is kept.
 */

/** A colour as `0xRRGGBB`. */
export type Colour = number;

/** What is behind a text; `unknown` where something that is not read, such as a picture, may be. */
export type Backdrop = Colour | 'unknown';

export const white: Colour = 0xffffff;

/**
 * Text of at most this size, in points, is not seen. People with normal sight resolve 5 minutes of
 * arc, which is 0.58 mm at a reading distance of 40 cm; a capital letter takes 0.7 of its size:
 * 0.49 mm at 2 points, 0.74 mm at 3.
 */
export const unreadablePoints = 2;

/** Colours whose channels all differ by no more than this, of 255, look the same side by side. */
const sameShade = 8;

/** Whether text of this colour cannot be told from what is behind it. */
export function isLost(colour: Colour, backdrop: Backdrop): boolean {
  if (backdrop === 'unknown') return false;
  return [16, 8, 0].every((shift) => {
    const difference = ((colour >> shift) & 0xff) - ((backdrop >> shift) & 0xff);
    return Math.abs(difference) <= sameShade;
  });
}

/** Reads `RRGGBB`, with or without `#`; undefined for anything else. */
export function hexColour(text: string | undefined): Colour | undefined {
  const digits = /^#?([0-9a-f]{6})$/i.exec(text?.trim() ?? '')?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}

/** Counts the words of hidden text, also where a word is split over several runs. */
export class HiddenWords {
  count = 0;
  #inWord = false;

  /** Takes the next piece of hidden text. */
  add(text: string): void {
    for (const [at, word] of text.split(/\s+/).entries()) {
      if (at > 0) this.#inWord = false;
      if (word !== '' && !this.#inWord) this.count += 1;
      if (word !== '') this.#inWord = true;
    }
  }

  /** Visible text, or the end of a paragraph, comes between. */
  interrupt(): void {
    this.#inWord = false;
  }
}

/** The flag of a part of a country, which is written with tags (Unicode TR 51, annex C), or any tag. */
const tags =
  /\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{3,6}\u{e007f}|[\u{e0000}-\u{e007f}]/gu;

/**
 * Text without Unicode's tag characters, which show nothing, but which programs read as letters.
 * @param hide takes what they spell
 */
export function withoutTags(text: string, hide: (spelt: string) => void): string {
  // All of them begin with this surrogate; few texts hold it.
  if (!text.includes('\udb40')) return text;
  let spelt = '';
  const kept = text.replace(tags, (found) => {
    if (found.length > 2) return found;
    spelt += String.fromCodePoint((found.codePointAt(0) ?? 0) & 0x7f);
    return '';
  });
  if (spelt !== '') hide(spelt);
  return kept;
}

/** The warning about text that was left out; none for no words. */
export function hiddenTextWarnings(words: number): Warning[] {
  if (words === 0) return [];
  return [
    {
      code: 'normalize.hidden_text',
      message: `${counted(words, 'word')} of hidden text left out: marked as hidden, too small to read, in the colour of the background, outside the page, or in invisible characters.`,
    },
  ];
}
