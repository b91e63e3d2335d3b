import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Papa from 'papaparse';
import { convertCsv } from '../../shared/formats/csv/csv.ts';
import { defaultLimits } from '../../shared/formats/limits.ts';

/**
 * `npm run bench -- csv`: the whole CSV conversion (encoding, parsing, writing) against papaparse, which
 * only parses. Each measurement runs in its own process: MB per second of CPU time, so that other work on the
 * machine does not count, and peak resident memory.
 */

/** A file a hundred times as large may take twice the memory: garbage that V8 has not collected yet. */
const goals = { speed: 0.8, growth: 2 };
const runners = ['dropline', 'papa-step', 'papa-stream'] as const;
type Runner = (typeof runners)[number];
const kinds = ['plain', 'quoted', 'semicolons'] as const;
type Kind = (typeof kinds)[number];

interface Measure {
  mbPerSecond: number;
  peakMb: number;
}

/** Writes a table of about `megabytes`; a fifth of the rows of `quoted` need quotes. */
async function generate(path: string, megabytes: number, kind: Kind): Promise<void> {
  const file = createWriteStream(path);
  const delimiter = kind === 'semicolons' ? ';' : ',';
  const rowOf = (id: number): string => {
    const amount = ((id * 7919) % 100_000) / 100;
    const name = kind === 'quoted' && id % 5 === 0 ? `"Name, ${id}"` : `Name ${id}`;
    const note = kind === 'quoted' && id % 5 === 0 ? `"a ""note"" of ${id}"` : `plain note ${id}`;
    const decimal = kind === 'semicolons' ? `${amount}`.replace('.', ',') : `${amount}`;
    return [id, name, 'Berlin', decimal, '2026-01-15', note].join(delimiter);
  };
  file.write(`${['id', 'name', 'city', 'amount', 'date', 'note'].join(delimiter)}\n`);
  let written = 0;
  for (let id = 1; written < megabytes * 1e6; id += 2_000) {
    const rows = Array.from({ length: 2_000 }, (_, offset) => rowOf(id + offset));
    const text = `${rows.join('\n')}\n`;
    written += text.length;
    if (!file.write(text)) await once(file, 'drain');
  }
  await new Promise<void>((done) => file.end(done));
}

const run: Record<Runner, (path: string, outDir: string) => Promise<void>> = {
  dropline: async (path, outDir) => {
    const { size: sizeBytes } = await stat(path);
    await convertCsv({ path, name: 'a.csv', sizeBytes, outDir, limits: defaultLimits });
  },
  'papa-step': async (path) => {
    Papa.parse(await readFile(path, 'utf8'), { step: () => {} });
  },
  'papa-stream': (path) =>
    new Promise((done, fail) => {
      Papa.parse(createReadStream(path), { step: () => {}, complete: () => done(), error: fail });
    }),
};

/** Measures in this process: the best of three runs. */
async function measureHere(runner: Runner, path: string): Promise<Measure> {
  const { size } = await stat(path);
  const outDir = await mkdtemp(join(tmpdir(), 'dropline-bench-'));
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round += 1) {
    const before = process.cpuUsage();
    await run[runner](path, outDir);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, user + system);
  }
  await rm(outDir, { recursive: true });
  return { mbPerSecond: size / best, peakMb: process.resourceUsage().maxRSS / 1024 };
}

function measure(runner: Runner, path: string): Measure {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [fileURLToPath(import.meta.url), '--measure', runner, path],
    { encoding: 'utf8' },
  );
  if (stdout === '') throw new Error(`${runner} failed: ${stderr}`);
  return JSON.parse(stdout) as Measure;
}

async function main(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'dropline-bench-'));
  const path = join(dir, 'table.csv');
  let missed = false;
  for (const kind of kinds) {
    const peaks: number[] = [];
    // Decimal commas have to be quoted in the output, so papaparse, which writes nothing, is no fair comparison.
    const hasGoal = kind !== 'semicolons';
    for (const megabytes of [2, 20, 200]) {
      await generate(path, megabytes, kind);
      const [ours, step, stream] = runners.map((runner) => measure(runner, path));
      if (!ours || !step || !stream) throw new Error('a runner is missing');
      const ratio = ours.mbPerSecond / Math.max(step.mbPerSecond, stream.mbPerSecond);
      peaks.push(ours.peakMb);
      // For small files the start of the conversion dominates.
      if (hasGoal && megabytes >= 20 && ratio < goals.speed) missed = true;
      process.stdout.write(
        `${kind.padEnd(10)} ${`${megabytes} MB`.padStart(6)}: dropline ${shown(ours)}, papaparse step ${shown(step)}, stream ${shown(stream)}; ${ratio.toFixed(2)} of the faster papaparse\n`,
      );
    }
    const growth = (peaks.at(-1) ?? 0) / (peaks[0] ?? 1);
    if (hasGoal && growth > goals.growth) missed = true;
    process.stdout.write(
      `${kind.padEnd(10)} memory grows ${growth.toFixed(2)} times from 2 to 200 MB\n`,
    );
  }
  await rm(dir, { recursive: true });
  process.stdout.write(
    `goals for comma-separated files: at least ${goals.speed} of papaparse's speed from 20 MB, memory growth at most ${goals.growth} times: ${missed ? 'missed' : 'met'}\n`,
  );
  if (missed) process.exitCode = 1;
}

function shown({ mbPerSecond, peakMb }: Measure): string {
  return `${mbPerSecond.toFixed(0)} MB/s (${peakMb.toFixed(0)} MB)`;
}

const [flag, runner, path] = process.argv.slice(2);
if (flag === '--measure') {
  const known = runners.find((name) => name === runner);
  if (!known || !path) throw new Error(`unknown runner ${runner}`);
  process.stdout.write(JSON.stringify(await measureHere(known, path)));
} else {
  await main();
}
