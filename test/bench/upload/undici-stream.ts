import { createReadStream } from 'node:fs';
import { request } from 'undici';
import { report } from './report.ts';

/** The minimum: no form around the file, no client around the request. */
await report(async ({ baseUrl, path, sizeBytes }) => {
  const { body } = await request(`${baseUrl}/v1/files`, {
    method: 'POST',
    headers: { 'content-length': String(sizeBytes) },
    body: createReadStream(path),
  });
  const file = (await body.json()) as { size_bytes: number };
  return file.size_bytes;
});
