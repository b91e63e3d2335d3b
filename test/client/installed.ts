import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** What `npm pack` needs of the repository. */
const sources = [
  'package.json',
  'tsconfig.json',
  'tsconfig.client.json',
  'tsconfig.client-cjs.json',
  'shared',
  'docs/record.schema.json',
  'README.md',
  'LICENSE',
];

/** An app in a temporary folder outside the repository, with the packed client installed. */
export interface App {
  dir: string;
  /** Paths in the tarball, sorted. */
  packed: string[];
  /** Runs Node with these arguments in the app's folder and returns what it prints. */
  node(args: string[], env?: Record<string, string>): Promise<string>;
  remove(): void;
}

/**
 * Packs the client with `npm pack` and lays out what `npm install` would make of the tarball, without
 * the network. It packs a copy of the sources: several test processes may pack at once, and the
 * checkout's `dist/` stays as it is.
 */
export async function installClient(): Promise<App> {
  const temporary = mkdtempSync(join(tmpdir(), 'dropline-client-'));
  const copy = join(temporary, 'copy');
  for (const path of sources) cpSync(join(root, path), join(copy, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  await run('npm', ['pack', '--pack-destination', temporary], { cwd: copy });
  const tarball = readdirSync(temporary).find((name) => name.endsWith('.tgz')) ?? '';
  await run('tar', ['-xzf', tarball], { cwd: temporary });

  const app = join(temporary, 'app');
  const installed = join(app, 'node_modules/dropline-aws');
  mkdirSync(dirname(installed), { recursive: true });
  renameSync(join(temporary, 'package'), installed);
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    mkdirSync(dirname(join(app, 'node_modules', name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(app, 'node_modules', name));
  }
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }');

  return {
    dir: app,
    packed: filesBelow(installed),
    node: async (args, env = {}) =>
      (await run(process.execPath, args, { cwd: app, env: { AWS_REGION: 'us-east-1', ...env } }))
        .stdout,
    remove: () => rmSync(temporary, { recursive: true, force: true }),
  };
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(dir, path)).isFile())
    .sort();
}
