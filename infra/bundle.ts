import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** One Lambda's bundle: what goes into its zip. */
export interface Bundle {
  /** Folder below `functions/`; its `index.ts` is the entry point. */
  name: string;
  /** More entry points beside it: output name without extension → source file in the repository. */
  also?: Record<string, string>;
  /** Files copied as they are: absolute source → destination inside the bundle. */
  assets?: { from: string; to: string }[];
  /** Packages that esbuild leaves alone, because they come as assets. */
  external?: string[];
}

/**
 * Bundles a function with esbuild into `.build/<name>`, the AWS SDK included, so that what runs is
 * what was tested and not what the runtime happens to ship. Code that only some documents need is
 * split off and loaded on demand.
 * @returns the absolute directory to make a Lambda asset of
 */
export function bundleFunction({ name, also = {}, assets = [], external = [] }: Bundle): string {
  const outdir = join(root, '.build', name);
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  buildSync({
    absWorkingDir: root,
    entryPoints: {
      index: `functions/${name}/index.ts`,
      ...also,
    },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    legalComments: 'none',
    mainFields: ['module', 'main'],
    external,
    // CommonJS packages inside the bundle call require() for Node's own modules.
    banner: {
      js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);",
    },
    logLevel: 'warning',
  });
  for (const { from, to } of assets) cpSync(from, join(outdir, to), { recursive: true });
  return outdir;
}
