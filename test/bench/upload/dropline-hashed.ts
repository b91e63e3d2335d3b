import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { ClaudeClient } from '../../../shared/claude/client.ts';
import { report } from './report.ts';

/** Hashes the bytes while they are sent, as the upload step does. */
async function* hashed(body: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of body) {
    hash.update(chunk);
    yield chunk;
  }
}

await report(async ({ baseUrl, path, sizeBytes }) => {
  const client = new ClaudeClient({ baseUrl, apiKey: 'bench', dialect: 'ga' });
  const hash = createHash('sha256');
  const file = await client.uploadFile({
    filename: 'bench.bin',
    mimeType: 'application/octet-stream',
    sizeBytes,
    body: hashed(createReadStream(path), hash),
    ownsChunks: true,
  });
  hash.digest('hex');
  return file.sizeBytes;
});
