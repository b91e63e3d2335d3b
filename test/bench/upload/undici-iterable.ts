import { createReadStream } from 'node:fs';
import { request } from 'undici';
import { report } from './report.ts';

async function* chunksOf(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* body;
}

/** Like `undici-stream`, but iterating over the stream, which undici happens to send faster. */
await report(async ({ baseUrl, path, sizeBytes }) => {
  const { body } = await request(`${baseUrl}/v1/files`, {
    method: 'POST',
    headers: { 'content-length': String(sizeBytes) },
    // undici accepts any async iterable as a body; its types only allow streams.
    body: chunksOf(createReadStream(path)) as never,
  });
  const file = (await body.json()) as { size_bytes: number };
  return file.size_bytes;
});
