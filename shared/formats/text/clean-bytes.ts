/** Bytes below the space that occur in text: tab, line feed, form feed, carriage return. */
const allowed = new Uint8Array(256).fill(1);
for (let byte = 0; byte < 0x20; byte += 1) allowed[byte] = 0;
for (const byte of [0x09, 0x0a, 0x0c, 0x0d]) allowed[byte] = 1;
allowed[0x7f] = 0;

/** How Unicode's tag characters (U+E0000 to U+E007F) begin. */
const tagBytes = ['\xf3\xa0\x80', '\xf3\xa0\x81'];

/**
 * Whether valid UTF-8 holds nothing that `TextCleaner` would change: no control or tag character and nothing
 * from U+FFC0 to U+FFFF, a range with the replacement character and the noncharacters.
 * Reads four bytes at a time; a regular expression over the text takes five times as long.
 */
export function isCleanUtf8(bytes: Buffer): boolean {
  if (bytes.includes('\xef\xbf', 0, 'latin1')) return false;
  if (tagBytes.some((tag) => bytes.includes(tag, 0, 'latin1'))) return false;
  const head = Math.min(bytes.length, -bytes.byteOffset & 3);
  const words = (bytes.length - head) >> 2;
  if (!areAllowed(bytes, 0, head) || !areAllowed(bytes, head + words * 4, bytes.length))
    return false;
  const view = new Uint32Array(bytes.buffer, bytes.byteOffset + head, words);
  for (let index = 0; index < words; index += 1) {
    const word = view[index] ?? 0;
    const del = word ^ 0x7f7f7f7f;
    // The classic test for a byte below n, which may report one too many but misses none.
    const suspects = ((word - 0x20202020) & ~word) | ((del - 0x01010101) & ~del);
    if ((suspects & 0x80808080) !== 0) {
      const at = head + index * 4;
      if (!areAllowed(bytes, at, at + 4)) return false;
    }
  }
  return true;
}

function areAllowed(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    if (allowed[bytes[at] ?? 0] === 0) return false;
  }
  return true;
}
