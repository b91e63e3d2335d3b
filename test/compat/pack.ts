import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';

/** Packs a directory into one compressed file: path → content in base64, without logs and temporary files. */
export async function packDataDir(dir: string, target: string): Promise<void> {
  const files: Record<string, string> = {};
  for (const path of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    if (/^(logs|tmp)(\/|$)/.test(path) || !statSync(join(dir, path)).isFile()) continue;
    files[path] = readFileSync(join(dir, path)).toString('base64');
  }
  writeFileSync(target, brotliCompressSync(JSON.stringify(files)));
}

/** Writes the files of a packed directory below `dir`. */
export function unpackDataDir(packed: string | URL, dir: string): void {
  const text = brotliDecompressSync(readFileSync(packed)).toString();
  for (const [path, content] of Object.entries(JSON.parse(text) as Record<string, string>)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), Buffer.from(content, 'base64'));
  }
}
