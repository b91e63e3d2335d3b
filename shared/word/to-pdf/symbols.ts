import { symbolOf } from '../model/symbols.ts';

/** Typefaces whose characters are pictures, so that their code points are not text. */
const symbolTypefaces = /^(symbol|wingdings( [23])?|webdings|zapf ?dingbats|monotype sorts)$/i;
/** Typefaces without a table of their own, shown as Wingdings. */
const likeWingdings = /^(zapf ?dingbats|monotype sorts)$/i;

export function isSymbolTypeface(name: string | undefined): name is string {
  return name !== undefined && symbolTypefaces.test(name.trim());
}

/**
 * Text in a symbol typeface as the characters it shows. Word stores such characters in the private
 * use area (U+F020 to U+F0FF, ECMA-376 part 1, 17.3.3.30) or as plain Latin letters.
 * A private character without a counterpart becomes a bullet: no text font could show it.
 */
export function symbolsToText(text: string, typeface: string): string {
  const name = likeWingdings.test(typeface.trim()) ? 'Wingdings' : typeface;
  let shown = '';
  for (const sign of text) {
    const point = sign.codePointAt(0) ?? 0;
    const isPrivate = point >= 0xf020 && point <= 0xf0ff;
    if (!isPrivate && (point <= 0x20 || point > 0xff)) {
      shown += sign;
      continue;
    }
    shown += symbolOf(name, point) ?? (isPrivate ? '•' : sign);
  }
  return shown;
}
