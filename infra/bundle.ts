import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** What goes into a Lambda's zip. */
export interface Bundle {
  /** Folder below `functions/`; its `index.ts` is the entry point. */
  name: string;
  /** More entry points: output name without extension → source file in the repository. */
  also?: Record<string, string>;
  /** Files copied unchanged: absolute source → destination inside the bundle. */
  assets?: { from: string; to: string }[];
  /** Packages that cannot be bundled (native code, data files): copied with their dependencies. */
  packages?: string[];
}

/**
 * Bundles a function with esbuild. The AWS SDK is included, so what runs is what was tested, not what the
 * runtime happens to ship. Code that only some documents need is split off and loaded on demand.
 * @returns absolute path of the directory to make a Lambda asset of
 */
export function bundleFunction({ name, also = {}, assets = [], packages = [] }: Bundle): string {
  const outdir = join(bundlesDir(), name);
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
    external: packages,
    // CommonJS packages in the bundle call require() for Node's own modules.
    banner: {
      js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);",
    },
    logLevel: 'warning',
  });
  for (const name of closure(packages)) {
    cpSync(packageDir(name), join(outdir, 'node_modules', name), {
      recursive: true,
      dereference: true,
    });
  }
  for (const { from, to } of assets) cpSync(from, join(outdir, to), { recursive: true });
  return outdir;
}

let ownDir: string | undefined;

/**
 * A folder that only this process uses, deleted when it ends: `cdk synth`, the local host and the tests may
 * bundle at the same time. CDK copies a bundle when its asset is made.
 */
function bundlesDir(): string {
  if (ownDir === undefined) {
    mkdirSync(join(root, '.build'), { recursive: true });
    const made = mkdtempSync(join(root, '.build', 'bundles-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    ownDir = made;
  }
  return ownDir;
}

const packageDir = (name: string): string => join(root, 'node_modules', name);

/** The packages and all their dependencies that are installed on this machine. */
function closure(packages: string[]): Set<string> {
  const all = new Set<string>();
  const queue = [...packages];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const manifest = join(packageDir(name), 'package.json');
    if (all.has(name) || !existsSync(manifest)) continue;
    all.add(name);
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      dependencies?: Record<string, string>;
      optionalDependencies?: Record<string, string>;
    };
    queue.push(...Object.keys({ ...dependencies, ...optionalDependencies }));
  }
  return all;
}
