import { isUtf8 } from 'node:buffer';
import { bomOf, wideEncodingOf, withoutCutCharacter } from '../identify/sniff.ts';
import { chunksOf } from './chunks.ts';
import { isCleanUtf8 } from './clean-bytes.ts';

/**
 * The character encoding of a text file, found from the whole file: byte order mark, strict UTF-8,
 * UTF-16/32 without a mark, a declaration in the text or the content type, and last jschardet.
 */

export interface Encoding {
  /** WHATWG label, or `utf-32le`, `utf-32be`, `utf-8+windows-1252` (see `decodeMixed`). */
  label: string;
  /** Length of the byte order mark in bytes, to skip. */
  bomBytes: number;
  /** False if it is a guess. */
  sure: boolean;
  /** The text is UTF-8 with nothing to clean. */
  isClean: boolean;
}

const sampleBytes = 128 * 1024;

/**
 * Reads the file once.
 * @param path local file
 * @param contentType may carry `charset=…`
 */
export async function detectEncoding(path: string, contentType?: string): Promise<Encoding> {
  const scan = await scanFile(path);
  const found = (label: string, sure = true): Encoding => ({
    label,
    bomBytes: scan.bom?.length ?? 0,
    sure,
    isClean: label === 'utf-8' && scan.isClean,
  });
  if (scan.bom) return found(scan.bom.encoding);
  // Wide encodings are full of NULs, so clean text is not in one.
  const wide = scan.isClean ? undefined : wideEncodingOf(scan.head);
  if (wide) return found(wide);
  if (scan.invalid === 0) {
    // ISO-2022-JP is seven-bit and so also valid UTF-8; its escape sequences show it (RFC 1468).
    const escapes =
      scan.head.includes('\x1b$B', 'latin1') || scan.head.includes('\x1b$@', 'latin1');
    return found(escapes ? 'iso-2022-jp' : 'utf-8');
  }
  if (scan.invalid * 10 <= scan.multiByte) {
    return found('utf-8+windows-1252', false);
  }
  const declared = declaredEncoding(scan.head, contentType);
  if (declared) return found(declared);
  // jschardet's tables are slow to load, so they are loaded only when needed.
  const { guessEncoding } = await import('./encoding-guess.ts');
  return found(guessEncoding(scan.sample), false);
}

interface Scan {
  head: Buffer;
  bom: ReturnType<typeof bomOf>;
  /** Valid UTF-8 with nothing to clean, so far; not checked if there is a mark. */
  isClean: boolean;
  /** Bytes that are not valid UTF-8. */
  invalid: number;
  /** Characters beyond ASCII that are valid UTF-8. */
  multiByte: number;
  /** Bytes beyond ASCII and those around them, for jschardet. */
  sample: Buffer;
}

async function scanFile(path: string): Promise<Scan> {
  const scan: Scan = {
    head: Buffer.alloc(0),
    bom: undefined,
    isClean: true,
    invalid: 0,
    multiByte: 0,
    sample: Buffer.alloc(0),
  };
  let carry = Buffer.alloc(0);
  let first = true;
  for await (const chunk of chunksOf(path)) {
    if (first) {
      scan.head = Buffer.from(chunk.subarray(0, 64 * 1024));
      scan.bom = bomOf(chunk);
      if (scan.bom) return { ...scan, isClean: false };
      first = false;
    }
    const bytes = carry.length > 0 ? Buffer.concat([carry, chunk]) : chunk;
    const whole = withoutCutCharacter(bytes);
    carry = Buffer.from(bytes.subarray(whole.length));
    countCharacters(whole, scan);
  }
  if (carry.length > 0) countCharacters(carry, scan);
  return scan;
}

function countCharacters(bytes: Buffer, scan: Scan): void {
  if (isUtf8(bytes)) {
    scan.isClean &&= isCleanUtf8(bytes);
    // Only compared with the number of invalid bytes, so the start of each chunk is enough.
    scan.multiByte += beyondAscii(bytes.subarray(0, 4096).toString('utf8'));
    return;
  }
  scan.isClean = false;
  const text = bytes.toString('utf8');
  const replaced = text.match(/\ufffd/g)?.length ?? 0;
  scan.invalid += replaced;
  scan.multiByte += Math.max(0, beyondAscii(text) - replaced);
  if (scan.sample.length < sampleBytes) addToSample(bytes, scan);
}

function beyondAscii(text: string): number {
  return text.match(/[^\0-\x7f]/gu)?.length ?? 0;
}

/** jschardet is slow on ASCII, so it gets only the pieces that hold other bytes. */
function addToSample(bytes: Buffer, scan: Scan): void {
  const pieces: Buffer[] = [scan.sample];
  let size = scan.sample.length;
  for (let at = 0; at < bytes.length && size < sampleBytes; at += 256) {
    const piece = bytes.subarray(at, at + 256);
    if (piece.some((byte) => byte >= 0x80)) {
      pieces.push(piece);
      size += piece.length;
    }
  }
  scan.sample = Buffer.concat(pieces);
}

/** The declared encoding: XML declaration, HTML meta, `charset` of the content type. */
function declaredEncoding(head: Buffer, contentType: string | undefined): string | undefined {
  const start = head.toString('latin1', 0, 2_048);
  const named =
    /^\s*<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]+)["']/i.exec(start)?.[1] ??
    /<meta[^>]*\scharset\s*=\s*["']?([\w.:-]+)/i.exec(start)?.[1] ??
    /<meta[^>]*\scontent\s*=\s*["'][^"'>]*charset=([\w.:-]+)/i.exec(start)?.[1] ??
    /charset\s*=\s*"?([\w.:-]+)/i.exec(contentType ?? '')?.[1];
  const label = named && labelOf(named);
  // The file is not UTF-8, and a wide encoding would have been recognised.
  return label && !label.startsWith('utf-') ? label : undefined;
}

/** The WHATWG name of an encoding, or undefined if TextDecoder does not know it. */
function labelOf(name: string): string | undefined {
  try {
    return new TextDecoder(name).encoding;
  } catch {
    return undefined;
  }
}

/** Decodes a file in chunks: `push` the bytes in order, then call `end`. */
export interface Decoder {
  push(bytes: Buffer): string;
  end(): string;
}

/** @param label as in `Encoding.label`. Bytes that are invalid in it become U+FFFD. */
export function createDecoder(label: string): Decoder {
  if (label === 'utf-32le' || label === 'utf-32be') return utf32Decoder(label === 'utf-32le');
  if (label === 'utf-8+windows-1252') return mixedDecoder();
  const decoder = new TextDecoder(label, { ignoreBOM: true });
  return {
    push: (bytes) => decoder.decode(bytes, { stream: true }),
    end: () => decoder.decode(),
  };
}

/** TextDecoder has no UTF-32 (the WHATWG Encoding Standard left it out). */
function utf32Decoder(littleEndian: boolean): Decoder {
  let carry = Buffer.alloc(0);
  return {
    push(chunk) {
      const bytes = carry.length > 0 ? Buffer.concat([carry, chunk]) : chunk;
      const end = bytes.length & ~3;
      const units: number[] = [];
      let text = '';
      for (let at = 0; at < end; at += 4) {
        const point = littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
        const isScalar = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
        units.push(isScalar ? point : 0xfffd);
        if (units.length === 4_096) text += String.fromCodePoint(...units.splice(0));
      }
      carry = Buffer.from(bytes.subarray(end));
      return text + String.fromCodePoint(...units);
    },
    end: () => (carry.length > 0 ? '\ufffd' : ''),
  };
}

/** UTF-8 with some bytes of windows-1252, as in files pasted together from two sources. */
function mixedDecoder(): Decoder {
  let carry = Buffer.alloc(0);
  return {
    push(chunk) {
      const bytes = carry.length > 0 ? Buffer.concat([carry, chunk]) : chunk;
      const whole = withoutCutCharacter(bytes);
      carry = Buffer.from(bytes.subarray(whole.length));
      return decodeMixed(whole);
    },
    end: () => decodeMixed(carry),
  };
}

const windows1252 = new TextDecoder('windows-1252');

/**
 * Decodes UTF-8, and each byte outside a valid sequence as windows-1252. Surrogate pairs in three-byte
 * form (CESU-8) become their character, lone surrogates U+FFFD.
 */
export function decodeMixed(bytes: Buffer): string {
  let text = '';
  let from = 0;
  let at = 0;
  while (at < bytes.length) {
    const next = sequenceEnd(bytes, at);
    if (next > at) {
      at = next;
      continue;
    }
    text += bytes.toString('utf8', from, at);
    const unit = surrogateAt(bytes, at);
    if (unit === undefined) {
      text += windows1252.decode(bytes.subarray(at, at + 1));
      at += 1;
    } else {
      text += String.fromCharCode(unit);
      at += 3;
    }
    from = at;
  }
  return (text + bytes.toString('utf8', from)).toWellFormed();
}

/** The end of the valid UTF-8 sequence at `at`, or `at` if there is none (RFC 3629, section 4). */
function sequenceEnd(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return at + 1;
  if (lead < 0xc2 || lead > 0xf4) return at;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  const second = bytes[at + 1] ?? 0;
  if (second < lowest || second > highest) return at;
  for (let next = at + 2; next < at + length; next += 1) {
    if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return at;
  }
  return at + length;
}

function surrogateAt(bytes: Buffer, at: number): number | undefined {
  const [a, b, c] = [bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0];
  if (a !== 0xed || b < 0xa0 || b > 0xbf || c < 0x80 || c > 0xbf) return undefined;
  return 0xd000 | ((b & 0x3f) << 6) | (c & 0x3f);
}
