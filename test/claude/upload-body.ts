import type { UploadFile } from '../../shared/claude/client.ts';

export const chunkBytes = 64 * 1024;

/** An upload of `a.pdf` with this body. */
export function upload(body: AsyncIterable<Uint8Array>, sizeBytes: number): UploadFile {
  return { filename: 'a.pdf', mimeType: 'application/pdf', sizeBytes, body };
}

/** An endless body of equal chunks, which yields to the event loop between them. */
export async function* endless(onPull: () => void = () => undefined): AsyncGenerator<Uint8Array> {
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    onPull();
    yield Buffer.alloc(chunkBytes);
  }
}
