import { codePoint } from 'dingbat-to-unicode';

/** Typefaces whose characters stand for pictures, so that their code points say nothing. */
const symbolTypefaces = /^(symbol|wingdings( [23])?|webdings|zapf ?dingbats|monotype sorts)$/i;

export function isSymbolTypeface(name: string | undefined): name is string {
  return name !== undefined && symbolTypefaces.test(name.trim());
}

/**
 * Text in a symbol typeface as the characters it shows. Word stores such characters in the private
 * use area (U+F020 to U+F0FF, ECMA-376 part 1, 17.3.3.30) or as plain Latin letters.
 * What has no counterpart becomes a bullet: no text font would show it.
 */
export function symbolsToText(text: string, typeface: string): string {
  const name = canonical(typeface);
  let shown = '';
  for (const sign of text) {
    const point = sign.codePointAt(0) ?? 0;
    const isPrivate = point >= 0xf020 && point <= 0xf0ff;
    if (!isPrivate && (point <= 0x20 || point > 0xff)) {
      shown += sign;
      continue;
    }
    const found = codePoint(name, isPrivate ? point - 0xf000 : point);
    shown += found?.string ?? (isPrivate ? '•' : sign);
  }
  return shown;
}

function canonical(typeface: string): string {
  const name = typeface.trim().toLowerCase();
  if (name === 'zapf dingbats' || name === 'zapfdingbats' || name === 'monotype sorts') {
    return 'Wingdings';
  }
  return name.replace(/(^|\s)\w/g, (letter) => letter.toUpperCase());
}
