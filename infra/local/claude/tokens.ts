/**
 * How the emulator counts tokens. An estimate, as count_tokens itself is: one token per 4 bytes of UTF-8
 * (about 4 Latin letters or 1.3 Chinese characters), 1,500 for the image of each PDF page in addition to
 * its text, and width × height / 750 for images, which the API scales to fit 1,568 px.
 */

const bytesPerToken = 4;
const longestEdge = 1568;

/** The tokens of an almost empty request. */
export const frameTokens = 8;
export const messageTokens = 4;
export const pageTokens = 1_500;

export function textTokens(text: string): number {
  return byteTokens(Buffer.byteLength(text));
}

export function byteTokens(bytes: number): number {
  return Math.ceil(bytes / bytesPerToken);
}

export function imageTokens(width: number, height: number): number {
  const scale = Math.min(1, longestEdge / Math.max(width, height, 1));
  return Math.max(1, Math.ceil((width * scale * height * scale) / 750));
}

/** The longest prefix of `text` of at most `tokens`, never ending inside a character. */
export function cutToTokens(text: string, tokens: number): string {
  const bytes = Buffer.from(text);
  let end = Math.min(bytes.length, tokens * bytesPerToken);
  while (end > 0 && end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
