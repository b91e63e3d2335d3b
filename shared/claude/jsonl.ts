/** Longest line accepted, in characters: far above any message, too short to exhaust memory. */
const maxLineChars = 64 * 1024 * 1024;

/**
 * The non-empty lines of a UTF-8 stream, without their line ends; the last line needs none. Throws
 * RangeError for a line of more than 64 Mi characters, and whatever the stream throws.
 */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const text = decoder.decode(chunk, { stream: true });
    const lines = text.split('\n');
    lines[0] = rest + (lines[0] ?? '');
    rest = lines.pop() ?? '';
    if (rest.length > maxLineChars)
      throw new RangeError(`A line exceeds ${maxLineChars} characters.`);
    for (const line of lines) if (line.trim() !== '') yield line;
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield rest;
}
