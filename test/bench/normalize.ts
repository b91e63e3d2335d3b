import { spawnSync } from 'node:child_process';

/**
 * All conversion benches, one after the other: docx to text against mammoth and pandoc, CSV against papaparse,
 * docx to PDF against LibreOffice. `npm run bench -- normalize`; each can also be run on its own.
 */
for (const bench of ['docx', 'csv', 'render']) {
  process.stderr.write(`bench ${bench}\n`);
  const path = `${import.meta.dirname}/${bench}.ts`;
  const { status } = spawnSync(process.execPath, [path], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = status ?? 1;
}
