import { detectAll } from 'jschardet';

/**
 * The most likely legacy encoding of bytes that are not Unicode. jschardet ranks the encodings, and
 * the text that each gives is checked for what jschardet does not see: letters of two scripts in one
 * word ("cafй"), ideographs in the middle of Latin words, characters that are never typed.
 */

/** Encodings that jschardet and TextDecoder call by different names. */
const aliases: Record<string, string> = {
  // jschardet takes short windows-1252 texts for this; Macs have not written it for 25 years.
  maclatin2: 'windows-1252',
  macroman: 'macintosh',
  maccyrillic: 'x-mac-cyrillic',
  cp932: 'shift_jis',
  cp949: 'euc-kr',
  cp874: 'windows-874',
  'tis-620': 'windows-874',
  'iso8859-15': 'iso-8859-15',
  'iso8859-16': 'iso-8859-16',
};

/** Tried whatever jschardet says, with their initial confidence. */
const always: Record<string, number> = {
  'windows-1252': 0.05,
  shift_jis: 0.02,
  gb18030: 0.02,
  big5: 0.02,
  'euc-jp': 0.02,
  'euc-kr': 0.02,
};

/** The WHATWG name of an encoding, or undefined if TextDecoder does not know it. */
function supportedLabel(name: string): string | undefined {
  try {
    return new TextDecoder(aliases[name.toLowerCase()] ?? name).encoding;
  } catch {
    return undefined;
  }
}

/** @param sample pieces of the text that hold bytes beyond ASCII */
export function guessEncoding(sample: Buffer): string {
  const confidences = new Map(Object.entries(always));
  for (const { encoding, confidence } of detectAll(sample).slice(0, 12)) {
    const label = encoding ? supportedLabel(encoding) : undefined;
    if (!label || /^utf-|^x-user/.test(label)) continue;
    confidences.set(label, Math.max(confidences.get(label) ?? 0, confidence));
  }
  let best = { label: 'windows-1252', score: 0 };
  for (const [label, confidence] of confidences) {
    const text = new TextDecoder(label).decode(sample);
    // Hardly anything but Japanese decodes to hiragana.
    const score = Math.max(confidence, kanaShare(text) / 2) * plausibility(text);
    if (score > best.score) best = { label, score };
  }
  return best.label;
}

const otherScripts =
  /[\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Thai}]/u;
const lonelyIdeograph = /[a-z][\p{Script=Han}\p{Script=Hangul}][a-z]/iu;
/** C1 controls, private use, box drawing, half-width katakana, U+FFFD. */
const unlikely = /[\u0080-\u009f\ue000-\uf8ff\u2500-\u259f\uff61-\uff9f\ufffd]/gu;

function kanaShare(text: string): number {
  const kana = text.match(/[\u3041-\u3096]/g)?.length ?? 0;
  return kana / Math.max(1, text.match(/[^\0-\x7f]/gu)?.length ?? 0);
}

/** From 0 for what cannot be text to 1 for what looks like text in one script. */
function plausibility(text: string): number {
  const beyond = text.match(/[^\0-\x7f]/gu)?.length ?? 0;
  if (beyond === 0) return 0;
  const words = text.match(/[\p{L}\p{M}]*[^\0-\x7f][\p{L}\p{M}]*/gu) ?? [];
  const mixed = words.filter(
    (word) => (/[a-z]/i.test(word) && otherScripts.test(word)) || lonelyIdeograph.test(word),
  ).length;
  const odd = text.match(unlikely)?.length ?? 0;
  const isCut = /\ufffd/.test(text.slice(-2)) ? 1 : 0;
  return (
    (1 - mixed / Math.max(1, words.length)) ** 3 * Math.max(0, 1 - (4 * (odd - isCut)) / beyond)
  );
}
