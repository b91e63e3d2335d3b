import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { readAssembly } from './template/assembly.ts';
import type { Assembly } from './template/resources.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cacheDir = join(root, '.build', 'local');

/** The app's sources. The lock file stands for the packages. */
const sources = ['infra', 'functions', 'shared', 'cdk.json', 'package-lock.json'];
const notSources = join(root, 'infra', 'local');
const keptAssemblies = 3;

/** The CDK app could not be synthesised. */
export class SynthesisFailed extends Error {
  override name = 'SynthesisFailed';
}

/**
 * Synthesises the CDK app as `cdk synth` does, bundles included. If no source has changed since an earlier
 * run, reuses its assembly. Safe to call from several processes at once.
 * @param onWork called before an actual synthesis, which takes some seconds
 * @throws {SynthesisFailed} with the app's error output
 */
export async function synthesize(onWork: () => void = () => {}): Promise<Assembly> {
  const target = join(cacheDir, hashSources());
  if (existsSync(target)) return readAssembly(target);
  mkdirSync(cacheDir, { recursive: true });
  // SQLite releases its lock when the process that holds it ends, however it ends.
  const lock = new DatabaseSync(join(cacheDir, 'lock.db'), { timeout: 180_000 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    if (!existsSync(target)) {
      onWork();
      await runApp(target);
      prune(target);
    }
  } finally {
    lock.close();
  }
  return readAssembly(target);
}

async function runApp(target: string): Promise<void> {
  const outdir = `${target}.making`;
  rmSync(outdir, { recursive: true, force: true });
  const { app, context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));
  const [command, ...args] = String(app).split(' ');
  const child = spawn(command === 'node' ? process.execPath : String(command), args, {
    cwd: root,
    // The user's environment is not passed on, so the same sources give the same assembly.
    env: { CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify(context ?? {}) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errorOutput = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errorOutput += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) {
    rmSync(outdir, { recursive: true, force: true });
    throw new SynthesisFailed(`The CDK app failed (exit ${code}):\n${errorOutput.trim()}`);
  }
  // On Lambda a bundle's index.js is CommonJS; below this repository Node would treat it as ESM.
  writeFileSync(join(outdir, 'package.json'), '{ "type": "commonjs" }\n');
  renameSync(outdir, target);
}

function hashSources(): string {
  const hash = createHash('sha256').update(process.version);
  const visit = (path: string) => {
    if (path === notSources || !existsSync(path)) return;
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) visit(join(path, name));
      return;
    }
    const content = readFileSync(path);
    hash.update(`${relative(root, path)}\0${content.length}\0`).update(content);
  };
  for (const source of sources) visit(join(root, source));
  return hash.digest('hex').slice(0, 20);
}

/** Deletes old assemblies but the newest, which help when switching branches and may still be running. */
function prune(current: string): void {
  const old = readdirSync(cacheDir)
    .map((name) => join(cacheDir, name))
    .filter((path) => path !== current && statSync(path).isDirectory())
    .map((path) => ({ path, at: statSync(path).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of old.slice(keptAssemblies - 1))
    rmSync(path, { recursive: true, force: true });
}
