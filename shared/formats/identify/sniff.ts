import { isUtf8 } from 'node:buffer';

/** Guesses about bytes that carry no signature: are they text, and of which kind. */

export type Bom = 'utf-8' | 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be';

/** The encoding a byte order mark declares. */
export function bomOf(bytes: Buffer): { encoding: Bom; length: number } | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', length: 3 };
  if (a === 0xff && b === 0xfe && c === 0 && d === 0) return { encoding: 'utf-32le', length: 4 };
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return { encoding: 'utf-32be', length: 4 };
  if (a === 0xff && b === 0xfe) return { encoding: 'utf-16le', length: 2 };
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', length: 2 };
  return undefined;
}

/** `bytes` without a multi-byte character that is cut at its end. */
export function withoutCutCharacter(bytes: Buffer): Buffer {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needs > back ? bytes.subarray(0, bytes.length - back) : bytes;
    }
  }
  return bytes;
}

/** Control characters that text does not have: all but tab, line feeds, escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const controls = /[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]/g;

/** How many bytes of `bytes` are control characters, read as an ASCII-compatible encoding. */
export function countControls(bytes: Buffer): number {
  return bytes.toString('latin1').match(controls)?.length ?? 0;
}

/** Valid UTF-8 without control characters: text beyond doubt, whatever a weak signature says. */
export function isCleanText(head: Buffer): boolean {
  return isUtf8(withoutCutCharacter(head)) && countControls(head) === 0;
}

/** Clean text but for NULs, which some programs pad their fields with. */
export function isTextWithNuls(head: Buffer): boolean {
  const rest = withoutNuls(head);
  return rest.length * 2 >= head.length && isCleanText(rest);
}

/**
 * UTF-16 or UTF-32 without a mark. UTF-32 by its empty top bytes; UTF-16 by NULs that stand on one
 * side only and text on decoding. A text wholly in ideographs without a line break is not found.
 */
export function wideEncodingOf(head: Buffer): Exclude<Bom, 'utf-8'> | undefined {
  const bytes = head.subarray(0, Math.min(head.length, 65_536) & ~3);
  if (bytes.length >= 8) {
    if (isUtf32(bytes, (at) => bytes.readUInt32LE(at))) return 'utf-32le';
    if (isUtf32(bytes, (at) => bytes.readUInt32BE(at))) return 'utf-32be';
  }
  const pairs = head.subarray(0, Math.min(head.length, 65_536) & ~1);
  let even = 0;
  let odd = 0;
  for (let at = 0; at < pairs.length; at += 2) {
    if (pairs[at] === 0) even += 1;
    if (pairs[at + 1] === 0) odd += 1;
  }
  // A few NULs in what is ASCII or UTF-8 without them are dirt, and no sign of another encoding.
  const isDirty =
    Math.max(odd, even) * 8 < pairs.length && isUtf8(withoutCutCharacter(withoutNuls(pairs)));
  if (isDirty) return undefined;
  if (odd > 0 && even * 20 <= odd && isUtf16Text(pairs, 'utf-16le', odd)) return 'utf-16le';
  if (even > 0 && odd * 20 <= even && isUtf16Text(pairs, 'utf-16be', even)) return 'utf-16be';
  return undefined;
}

function withoutNuls(bytes: Buffer): Buffer {
  return Buffer.from(bytes.filter((byte) => byte !== 0));
}

/** Every group of four is a character, and hardly one of them a rare one or a control. */
function isUtf32(bytes: Buffer, read: (at: number) => number): boolean {
  let odd = 0;
  for (let at = 0; at < bytes.length; at += 4) {
    const point = read(at);
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
    const isControl = point < 0x20 && point !== 0x0a && point !== 0x0d && point !== 0x09;
    if (isControl || point > 0xffff) odd += 1;
  }
  return odd * 10 <= bytes.length / 4;
}

function isUtf16Text(bytes: Buffer, encoding: 'utf-16le' | 'utf-16be', nuls: number): boolean {
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(withoutCutPair(bytes, encoding));
  } catch {
    return false;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  const bad = text.match(/[\0-\x08\x0e-\x1f\ufffe\uffff\ue000-\uf8ff]/g)?.length ?? 0;
  // Ideographic text has NULs only at its spaces and line breaks: one in a hundred will do.
  return bad * 50 <= text.length && nuls * 100 >= text.length;
}

/** `bytes` without the first half of a surrogate pair at its end. */
function withoutCutPair(bytes: Buffer, encoding: 'utf-16le' | 'utf-16be'): Buffer {
  const high = bytes[bytes.length - (encoding === 'utf-16le' ? 1 : 2)] ?? 0;
  return high >= 0xd8 && high <= 0xdb ? bytes.subarray(0, bytes.length - 2) : bytes;
}

/** Text kinds that announce themselves. */
export function sniffTextKind(
  head: Buffer,
): 'html' | 'eml' | 'spreadsheet-xml' | 'rtf' | undefined {
  const start = head
    .toString('latin1', 0, 8_192)
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart();
  if (/^\{\\rtf/.test(start)) return 'rtf';
  if (/^(?:<\?xml[^>]*>\s*)?<\?mso-application\s+progid="Excel\.Sheet"/i.test(start)) {
    return 'spreadsheet-xml';
  }
  if (
    /^(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->)[\s\S])*-->\s*)*<(?:!doctype\s+html|html)\b/i.test(start)
  ) {
    return 'html';
  }
  return looksLikeMail(start) ? 'eml' : undefined;
}

/** Header fields of RFC 5322 from the first line on, among them those only mails have. */
function looksLikeMail(start: string): boolean {
  const header = start.split(/\r?\n\r?\n/, 1)[0] ?? '';
  const lines = header.split(/\r?\n/);
  if (/^From /.test(lines[0] ?? '')) lines.shift();
  const fields = new Set<string>();
  for (const line of lines) {
    if (/^[ \t]/.test(line)) continue;
    const name = /^([!-9;-~]+):/.exec(line)?.[1];
    if (!name) return false;
    fields.add(name.toLowerCase());
  }
  if (fields.has('mime-version') && fields.has('content-type')) return true;
  const telling = [
    'received',
    'return-path',
    'message-id',
    'delivered-to',
    'from',
    'date',
    'subject',
    'to',
  ];
  return telling.filter((name) => fields.has(name)).length >= 3;
}

/** Several lines with the same number (at least one) of one delimiter: a table under a wrong name. */
export function looksDelimited(head: Buffer): boolean {
  const lines = head
    .toString('latin1', 0, 16_384)
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '')
    .slice(0, 20);
  if (lines.length < 2) return false;
  return ['\t', ';', ',', '|'].some((delimiter) => {
    const counts = lines.slice(0, -1).map((line) => line.split(delimiter).length);
    return (counts[0] ?? 0) > 1 && counts.every((count) => count === counts[0]);
  });
}
