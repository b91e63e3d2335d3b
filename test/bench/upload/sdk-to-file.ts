import { createReadStream } from 'node:fs';
import Anthropic, { toFile } from '@anthropic-ai/sdk';
import { report } from './report.ts';

await report(async ({ baseUrl, path }) => {
  const client = new Anthropic({ baseURL: baseUrl, apiKey: 'bench' });
  const file = await client.files.upload({
    file: await toFile(createReadStream(path), 'bench.bin', { type: 'application/octet-stream' }),
  });
  return file.size_bytes;
});
