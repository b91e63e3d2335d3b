import { isUtf8 } from 'node:buffer';

/** Guesses about bytes without a signature: whether they are text, and of which kind. */

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

/** `bytes` without a multi-byte UTF-8 character that is cut off at the end. */
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

/** Control characters that do not occur in text: all but tab, line breaks and escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const controls = /[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]/g;

/** How many of the bytes are control characters in ASCII-compatible encodings. */
export function countControls(bytes: Buffer): number {
  return bytes.toString('latin1').match(controls)?.length ?? 0;
}

/** Valid UTF-8 without control characters is certainly text, whatever a weak signature says. */
export function isCleanText(head: Buffer): boolean {
  return isUtf8(withoutCutCharacter(head)) && countControls(head) === 0;
}

/** Clean text except for NULs, with which some programs pad fields. */
export function isTextWithNuls(head: Buffer): boolean {
  const rest = withoutNuls(head);
  return rest.length * 2 >= head.length && isCleanText(rest);
}

/**
 * UTF-16 or UTF-32 without a byte order mark. UTF-32 is known by its zero top bytes, UTF-16 by NULs
 * in only one half of its units and by decoding to text. Text that is all ideographs, without a line
 * break, is not recognised.
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
  // A few NULs in what is otherwise ASCII or UTF-8 are dirt, not a sign of another encoding.
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

/** Every four bytes are a character, and few of these are rare or control characters. */
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
  // Ideographic text has NULs only in its spaces and line breaks, so one in a hundred is enough.
  return bad * 50 <= text.length && nuls * 100 >= text.length;
}

/** `bytes` without the first half of a surrogate pair at its end. */
function withoutCutPair(bytes: Buffer, encoding: 'utf-16le' | 'utf-16be'): Buffer {
  const high = bytes[bytes.length - (encoding === 'utf-16le' ? 1 : 2)] ?? 0;
  return high >= 0xd8 && high <= 0xdb ? bytes.subarray(0, bytes.length - 2) : bytes;
}

/** The kind of a text that says at its beginning what it is. */
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

/** Whether it begins with header fields (RFC 5322), including some that only mails have. */
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

/** Several lines, each with the same number of one delimiter: a table with the wrong extension. */
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
