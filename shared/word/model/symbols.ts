import { codePoint } from 'dingbat-to-unicode';

/** Where Word stores the characters of symbol typefaces (ECMA-376 part 1, 17.3.3.30). */
const privateUse = { first: 0xf000, last: 0xf0ff };

/**
 * The Unicode text for a character of Symbol, Webdings or Wingdings. Undefined when the typeface is
 * another one, or the character has no counterpart in Unicode.
 * @param point as the file has it: below 0x100, or moved to the private use area from U+F000
 */
export function symbolOf(typeface: string, point: number): string | undefined {
  const isPrivate = point >= privateUse.first && point <= privateUse.last;
  return codePoint(typeface.trim(), isPrivate ? point - privateUse.first : point)?.string;
}
