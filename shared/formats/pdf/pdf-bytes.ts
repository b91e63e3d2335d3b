import type { FileHandle } from 'node:fs/promises';

/** What the bytes of a PDF show, without a parser and in constant memory. */

export interface Tail {
  /** It ends with `%%EOF` and says where its index is (ISO 32000-1, 7.5.5). */
  isComplete: boolean;
  /** There is an index (cross-reference table or stream) there. */
  hasSoundIndex: boolean;
}

/** Viewers search this far for the end, because mail gateways and web servers append to files. */
const tailBytes = 64 * 1024;

/** Reads the trailer of a PDF of `size` bytes. */
export async function readTail(file: FileHandle, size: number): Promise<Tail> {
  const length = Math.min(size, tailBytes);
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  const text = buffer.toString('latin1');
  const ends = [...text.matchAll(/startxref\s+(\d+)\s+%%EOF/g)];
  const offset = Number(ends.at(-1)?.[1] ?? 0);
  // Linearized files say 0 in their first part; if that is the last part, the rest was cut off.
  if (ends.length === 0 || offset === 0) {
    return { isComplete: /%%EOF\s*$/.test(text), hasSoundIndex: false };
  }
  return { isComplete: true, hasSoundIndex: await hasIndexAt(file, offset) };
}

async function hasIndexAt(file: FileHandle, offset: number): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, offset);
  const text = buffer.toString('latin1', 0, bytesRead);
  return /^\s*(xref\b|\d+\s+\d+\s+obj\b)/.test(text);
}

/** Which of `tokens` occur anywhere in the file. */
export async function scanTokens(file: FileHandle, tokens: string[]): Promise<Set<string>> {
  const wanted = tokens.map((token) => ({ token, bytes: Buffer.from(token, 'latin1') }));
  const overlap = Math.max(...tokens.map((token) => token.length)) - 1;
  const found = new Set<string>();
  const chunk = Buffer.alloc(1024 * 1024);
  let position = 0;
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    const filled = chunk.subarray(0, bytesRead);
    for (const { token, bytes } of wanted) if (filled.includes(bytes)) found.add(token);
    if (bytesRead < chunk.length || found.size === wanted.length) return found;
    position += bytesRead - overlap;
  }
}
