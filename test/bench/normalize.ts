import { spawnSync } from 'node:child_process';

/**
 * All benches of conversions in turn: docx to text against mammoth and pandoc, CSV against papaparse,
 * docx to PDF against LibreOffice. `npm run bench -- normalize`; each also runs by its own name.
 */
for (const bench of ['docx', 'csv', 'render']) {
  process.stderr.write(`bench ${bench}\n`);
  const path = `${import.meta.dirname}/${bench}.ts`;
  const { status } = spawnSync(process.execPath, [path], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = status ?? 1;
}
