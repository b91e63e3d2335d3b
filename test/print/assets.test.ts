import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { renderAssets } from '../../shared/print/index.ts';
import { docxOf, paragraph } from './docx-fixture.ts';
import { readPdf } from './pdf.ts';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'render-assets-'));
});

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

it('lists existing files, each once, with the licence of each font', () => {
  const assets = renderAssets();

  expect(assets.filter(({ from }) => !existsSync(from))).toEqual([]);
  expect(new Set(assets.map(({ to }) => to)).size).toBe(assets.length);
  expect(assets.filter(({ to }) => to.endsWith('LICENSE.txt')).length).toBeGreaterThan(25);
});

it('a bundle prints with the files beside it, without node_modules', async () => {
  const entry = path.join(dir, 'entry.ts');
  const renderer = path.resolve('shared/print/index.ts');
  await writeFile(
    entry,
    `import { renderDocx } from ${JSON.stringify(renderer)};
     const [path, outDir] = process.argv.slice(2);
     const { pages } = await renderDocx({ path, outDir, timeoutMs: 60000, renderer: 'chromium' });
     console.log(pages);`,
  );
  const bundle = path.join(dir, 'bundle');
  await build({
    entryPoints: { index: entry },
    outdir: bundle,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    minifySyntax: true,
    keepNames: true,
    external: ['sharp'],
    logLevel: 'silent',
    banner: {
      // As in infra/bundle.ts: fflate declares `createRequire` itself.
      js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);",
    },
  });
  for (const { from, to } of renderAssets()) {
    await mkdir(path.dirname(path.join(bundle, to)), { recursive: true });
    await symlink(from, path.join(bundle, to));
  }
  const docx = path.join(dir, 'in.docx');
  await writeFile(docx, docxOf(paragraph('from a bundle')));

  const { stdout } = await promisify(execFile)(process.execPath, [
    path.join(bundle, 'index.mjs'),
    docx,
    dir,
  ]);

  expect(stdout.trim()).toBe('1');
  expect((await readPdf(path.join(dir, 'rendered.pdf'))).text).toBe('from a bundle');
});
