import { createReadStream } from 'node:fs';
import { ClaudeClient } from '../../../shared/claude/client.ts';
import { report } from './report.ts';

await report(async ({ baseUrl, path, sizeBytes }) => {
  const client = new ClaudeClient({ baseUrl, apiKey: 'bench', dialect: 'ga' });
  const file = await client.uploadFile({
    filename: 'bench.bin',
    mimeType: 'application/octet-stream',
    sizeBytes,
    body: createReadStream(path),
  });
  return file.sizeBytes;
});
