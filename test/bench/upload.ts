import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import type { Run } from './upload/report.ts';

/**
 * Time and peak memory of one upload by Dropline, bare undici and the official SDK. Each run has its own process,
 * bundled as the functions are, and uploads to a sink in another process.
 *
 * `npm run bench -- upload [--sizes 5,50,500] [--runs 5] [--only dropline,undici-stream]`; sizes in
 * MB (10⁶ bytes), memory in MiB (2²⁰ bytes) of the whole process.
 */
const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '5,50,500' },
    runs: { type: 'string', default: '5' },
    only: {
      type: 'string',
      default: 'dropline,dropline-hashed,undici-stream,undici-iterable,sdk-stream,sdk-to-file',
    },
  },
});
const sizes = values.sizes.split(',').map(Number);
const runs = Number(values.runs);
const subjects = values.only.split(',');

const dir = mkdtempSync(join(tmpdir(), 'dropline-bench-upload-'));
const sink: ChildProcess = spawn(process.execPath, [`${import.meta.dirname}/upload/sink.ts`], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
try {
  const port = await firstLine(sink);
  await bundle();
  const table: Row[] = [];
  for (const size of sizes) {
    const path = join(dir, `${size}.bin`);
    fill(path, size * 1_000_000);
    const results = new Map<string, Run[]>(subjects.map((subject) => [subject, []]));
    // Subjects take turns, so that a slow moment of the machine does not affect only one of them.
    for (let run = 0; run < runs; run++) {
      for (const [subject, list] of results) {
        list.push(measure(subject, `http://127.0.0.1:${port}`, path));
      }
    }
    for (const [subject, list] of results) {
      table.push({
        subject,
        size,
        ms: median(list.map(({ ms }) => ms)),
        peakMiB: median(list.map(({ peakMiB }) => peakMiB)),
        worstMiB: Math.max(...list.map(({ peakMiB }) => peakMiB)),
      });
    }
    rmSync(path);
  }
  print(table);
} finally {
  sink.kill();
  rmSync(dir, { recursive: true, force: true });
}

interface Row {
  subject: string;
  size: number;
  ms: number;
  peakMiB: number;
  worstMiB: number;
}

async function bundle(): Promise<void> {
  await build({
    entryPoints: subjects.map((subject) => `${import.meta.dirname}/upload/${subject}.ts`),
    outdir: dir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    banner: {
      js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
}

function measure(subject: string, baseUrl: string, path: string): Run {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(dir, `${subject}.mjs`), baseUrl, path],
    { encoding: 'utf8', env: {} },
  );
  if (status !== 0) throw new Error(`${subject} failed: ${stderr}`);
  return JSON.parse(stdout) as Run;
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the sink has no output');
  const [data] = (await once(child.stdout, 'data')) as [Buffer];
  return data.toString().trim();
}

/** Fills a file with one repeated random block; the content makes no difference to any subject. */
function fill(path: string, bytes: number): void {
  const block = randomBytes(1_000_000);
  const file = openSync(path, 'w');
  for (let written = 0; written < bytes; written += block.length) writeSync(file, block);
  closeSync(file);
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function print(table: Row[]): void {
  const [model] = cpus();
  const lines = [
    `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus().length} × ${model?.model}, medians of ${runs} runs`,
    '',
    '| subject | MB | ms | peak MiB | highest peak MiB |',
    '|---|--:|--:|--:|--:|',
    ...table.map(
      ({ subject, size, ms, peakMiB, worstMiB }) =>
        `| ${subject} | ${size} | ${ms.toFixed(0)} | ${peakMiB.toFixed(1)} | ${worstMiB.toFixed(1)} |`,
    ),
    '',
    ...goals(table),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Compares the measured figures with the goals, for the sizes that were measured. */
function goals(table: Row[]): string[] {
  const row = (subject: string, size: number) =>
    table.find((candidate) => candidate.subject === subject && candidate.size === size);
  const large = row('dropline', 500);
  if (large === undefined) return [];
  const small = row('dropline', 5);
  const lines = [verdict('peak at 500 MB in MiB', large.peakMiB, '≤', 128)];
  if (small) {
    lines.push(
      verdict('peak at 500 MB over that at 5 MB', large.peakMiB / small.peakMiB, '≤', 1.5),
    );
  }
  for (const bare of ['undici-stream', 'undici-iterable']) {
    const other = row(bare, 500);
    if (other) lines.push(verdict(`speed at 500 MB over ${bare}`, other.ms / large.ms, '≥', 0.9));
  }
  return lines;
}

function verdict(what: string, value: number, relation: '≤' | '≥', goal: number): string {
  const met = relation === '≤' ? value <= goal : value >= goal;
  return `${met ? 'met   ' : 'MISSED'} ${what}: ${value.toFixed(2)} (goal ${relation} ${goal})`;
}
