import { createReadStream } from 'node:fs';
import Anthropic from '@anthropic-ai/sdk';
import { report } from './report.ts';

await report(async ({ baseUrl, path }) => {
  const client = new Anthropic({ baseURL: baseUrl, apiKey: 'bench' });
  const file = await client.files.upload({ file: createReadStream(path) });
  return file.size_bytes;
});
