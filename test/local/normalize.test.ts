import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FileReport } from '../../infra/local/normalize/file-normalizer.ts';
import { rawZip } from '../formats/raw-zip.ts';

const cli = fileURLToPath(new URL('../../infra/local/normalize/main.ts', import.meta.url));

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dropline-test-'));
});

afterEach(() => rm(dir, { recursive: true, force: true }));

interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs the command in `dir`, as npm does: with the user's folder in `INIT_CWD`. */
function run(...args: string[]): Promise<Ran> {
  return new Promise((done) => {
    const env = { ...process.env, INIT_CWD: dir };
    execFile(process.execPath, [cli, ...args], { env }, (error, stdout, stderr) => {
      done({ status: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

async function reports(...args: string[]): Promise<FileReport[]> {
  const { status, stdout } = await run('--json', ...args);
  expect(status).toBe(0);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as FileReport);
}

describe('npm run normalize', () => {
  test('prints one JSON line for each file, in order, and never stops at a bad one', async () => {
    await writeFile(join(dir, 'a.csv'), 'a;b\n1;2\n');
    await writeFile(join(dir, 'bad.docx'), 'PK\x03\x04 and no more');
    await writeFile(join(dir, 'a.xyz'), Buffer.from([0, 1, 2, 3, 0xff, 0xfe, 0, 0, 1]));

    const lines = await reports('a.csv', 'bad.docx', 'a.xyz', 'missing.txt', '.');

    expect(lines.map(({ file, status, error }) => [file, status, error?.code])).toEqual([
      ['a.csv', 'normalized', undefined],
      ['bad.docx', 'failed', 'normalize.corrupt'],
      ['a.xyz', 'skipped', 'normalize.unsupported'],
      ['missing.txt', 'failed', 'normalize.not_found'],
      ['.', 'failed', 'normalize.not_a_file'],
    ]);
    expect(lines[0]).toEqual({
      file: 'a.csv',
      status: 'normalized',
      route: 'csv→text',
      mimeType: 'text/plain',
      sizeBytes: 8,
      fidelity: {
        route: 'csv→text',
        encoding: 'utf-8',
        rowsFound: 2,
        rowsKept: 2,
        warnings: [],
      },
      ms: expect.any(Number),
      peakRssMb: expect.any(Number),
      outputs: [],
    });
    for (const { error } of lines.slice(1)) expect(error?.advice).not.toBe('');
  });

  test('writes the results of files and of the files in them, each under a free name', async () => {
    await writeFile(join(dir, 'notes.md'), '# Notes\n');
    await writeFile(join(dir, 'a.csv'), 'a;b\n1;2\n');
    await writeFile(
      join(dir, 'files.zip'),
      rawZip([
        { name: 'sub/a.csv', content: 'x;y\n1;2\n' },
        { name: 'broken.pdf', content: '%PDF-1.7' },
      ]),
    );

    const lines = await reports('--out', 'made', 'notes.md', 'a.csv', './a.csv', 'files.zip');

    const made = (await readdir(join(dir, 'made'), { recursive: true })).sort();
    expect(made).toEqual([
      'a.csv (2).txt',
      'a.csv.txt',
      'files.zip.parts',
      join('files.zip.parts', 'sub'),
      join('files.zip.parts', 'sub', 'a.csv.txt'),
      'notes.md',
    ]);
    expect(lines[3]).toMatchObject({
      status: 'normalized',
      route: 'zip→files',
      outputs: [join(dir, 'made', 'files.zip.parts', 'sub', 'a.csv.txt')],
      parts: [
        { file: 'sub/a.csv', status: 'normalized' },
        { file: 'broken.pdf', status: 'failed', error: { code: 'normalize.corrupt' } },
      ],
    });
    expect(await readFile(join(dir, 'made', 'a.csv.txt'), 'utf8')).toBe('a,b\n1,2\n');
  });

  test('opens no more parts of a file than would become documents, and says so', async () => {
    const inner = rawZip([
      { name: 'a.csv', content: 'x,y\n1,2\n' },
      { name: 'b.csv', content: 'x,y\n3,4\n' },
    ]);
    await writeFile(
      join(dir, 'files.zip'),
      rawZip([
        { name: 'inner.zip', content: inner },
        { name: 'c.csv', content: 'x,y\n5,6\n' },
      ]),
    );

    const [report] = await reports('--limits', '{"maxParts":3}', 'files.zip');

    const below = report?.parts?.[0];
    expect(report?.parts?.map(({ file }) => file)).toEqual(['inner.zip', 'c.csv']);
    expect(below?.parts?.map(({ file }) => file)).toEqual(['a.csv']);
    expect(below?.fidelity?.warnings.map(({ code }) => code)).toEqual(['normalize.parts_left_out']);
  });

  test('prints a table for people without --json', async () => {
    await writeFile(join(dir, 'a.csv'), 'a,b\n1,2,3\n');

    const { stdout } = await run('a.csv');

    expect(stdout).toMatch(/^normalized csv→text .* a\.csv {2}\(2 of 2 rows\)\n/);
    expect(stdout).toContain('! normalize.ragged_rows: ');
  });

  test('overrides limits', async () => {
    await writeFile(join(dir, 'a.txt'), 'more than ten bytes');

    const [line] = await reports('--limits', '{"maxBytes":10}', 'a.txt');

    expect(line).toMatchObject({ status: 'failed', error: { code: 'normalize.too_large' } });
  });

  test('shows the usage and exits with 0 for --help', async () => {
    const { status, stdout, stderr } = await run('--help');

    expect(status).toBe(0);
    expect(stdout).toMatch(/^usage: npm run normalize/);
    expect(stderr).toBe('');
  });

  test.each([
    ['no file', [], 'no input files given'],
    ['an unknown option', ['--nonsense', 'a.txt'], "Unknown option '--nonsense'"],
    ['an unknown limit', ['--limits', '{"maxBites":1}', 'a.txt'], 'invalid --limits: '],
    ['limits that are not JSON', ['--limits', 'maxBytes', 'a.txt'], 'invalid --limits: '],
    ['an unknown renderer', ['--renderer', 'word', 'a.txt'], 'unknown renderer word'],
  ])('for %s exits with 2 and shows why and the usage', async (_, args, reason) => {
    const { status, stdout, stderr } = await run(...args);

    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(reason);
    expect(stderr).toContain('usage: npm run normalize');
  });
});
