import { open } from 'node:fs/promises';

const chunkBytes = 256 * 1024;

/**
 * The file's bytes from `start`, 256 KiB at a time. Every chunk is the same buffer, so copy what is
 * needed after the next chunk.
 */
export async function* chunksOf(path: string, start = 0): AsyncGenerator<Buffer> {
  const file = await open(path);
  try {
    const buffer = Buffer.allocUnsafeSlow(chunkBytes);
    for (let position = start; ; ) {
      const { bytesRead } = await file.read(buffer, 0, chunkBytes, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
