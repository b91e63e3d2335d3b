import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defaultLimits, type Limits } from '../../../shared/formats/limits.ts';
import { ConversionSandbox } from '../../../shared/formats/sandbox/sandbox.ts';

const worker = fileURLToPath(new URL('../../../shared/convert/worker.ts', import.meta.url));
const shared = fileURLToPath(new URL('../../../shared', import.meta.url));
const evilWorker = fileURLToPath(new URL('./evil-worker.ts', import.meta.url));

let dir: string;
let sandbox: ConversionSandbox;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dropline-test-'));
});

afterEach(async () => {
  await sandbox.close();
  await rm(dir, { recursive: true, force: true });
});

async function inputOf(name: string, content: string, limits: Partial<Limits> = {}) {
  const path = join(dir, name);
  const outDir = join(dir, 'out');
  await mkdir(outDir, { recursive: true });
  await writeFile(path, content);
  return { path, name, sizeBytes: content.length, outDir, limits: { ...defaultLimits, ...limits } };
}

/** What happened to the evil worker's attempt. */
async function attempt(command: string, limits: Partial<Limits> = {}): Promise<string> {
  const result = await sandbox.attempt(await inputOf('command.txt', command, limits));
  if (!('error' in result)) throw new Error('the evil worker converted something');
  const { code } = result.error as { code?: string };
  return code === 'evil.done' ? result.error.message : `${code}`;
}

describe('a conversion in the sandbox', () => {
  test('puts its files into the directory of the caller', async () => {
    sandbox = new ConversionSandbox({ entry: worker, workDir: join(dir, 'work') });

    const conversion = await sandbox.convert(await inputOf('a.csv', '"a",b\n1,2\n'));

    expect(conversion).toMatchObject({ outcome: 'file', fidelity: { rowsFound: 2 } });
    if (conversion.outcome !== 'file') throw new Error('no file was made');
    expect(conversion.path.startsWith(join(dir, 'out'))).toBe(true);
    expect(await readFile(conversion.path, 'utf8')).toBe('a,b\n1,2\n');
    expect(conversion.measured.peakRssMb).toBeGreaterThan(20);
  });

  test('throws the error of the converter, with the same class', async () => {
    sandbox = new ConversionSandbox({ entry: worker });

    const rejected = sandbox.convert(await inputOf('a.txt', ''));
    await expect(rejected).rejects.toMatchObject({
      name: 'RejectDocument',
      code: 'normalize.empty',
    });
    const skipped = sandbox.convert(await inputOf('a.xyz', '\0\x01\x02\x03'.repeat(50)));
    await expect(skipped).rejects.toMatchObject({
      name: 'SkipDocument',
      code: 'normalize.unsupported',
    });
  });

  test('leaves no trace of the document', async () => {
    const workDir = join(dir, 'work');
    sandbox = new ConversionSandbox({ entry: worker, workDir });

    await sandbox.convert(await inputOf('a.csv', 'a,b\n'));

    const [root] = await readdir(workDir);
    expect(await readdir(join(workDir, `${root}`))).toEqual([]);
    await sandbox.close();
    expect(await readdir(workDir)).toEqual([]);
  });

  test('waits for a free process, and every document gets its own answer', async () => {
    sandbox = new ConversionSandbox({ entry: worker, size: 2 });
    const inputs = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => ({
        ...(await inputOf(`${index}.csv`, 'a,b\n'.repeat(index + 1))),
        outDir: await mkdtemp(join(dir, 'out-')),
      })),
    );

    const conversions = await Promise.all(inputs.map((input) => sandbox.convert(input)));

    expect(conversions.map(({ fidelity }) => fidelity.rowsFound)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('gives up waiting where another worker may be free, and the next document has its turn', async () => {
    // No process starts within a millisecond.
    sandbox = new ConversionSandbox({ entry: worker, patienceMs: 1 });
    const first = sandbox.convert(await inputOf('a.csv', 'a,b\n'));

    const second = sandbox.convert(await inputOf('b.csv', 'a,b\n'));

    await expect(second).rejects.toMatchObject({ name: 'Defer', code: 'normalize.busy' });
    await expect(first).resolves.toMatchObject({ outcome: 'file' });
    await expect(sandbox.convert(await inputOf('c.csv', 'a,b\n'))).resolves.toBeDefined();
  });

  test('fails because of the machine, not the document, if no process starts', async () => {
    sandbox = new ConversionSandbox({ entry: join(dir, 'missing.ts') });

    const converting = sandbox.convert(await inputOf('a.txt', 'x'));

    await expect(converting).rejects.toMatchObject({
      name: 'Error',
      message: expect.stringContaining('did not start'),
    });
  });
});

describe('a converter gone wrong', () => {
  beforeEach(() => {
    sandbox = new ConversionSandbox({
      entry: evilWorker,
      execArgv: [`--allow-fs-read=${join(shared, '*')}`],
    });
  });

  test.each([
    ['read', '/etc/passwd'],
    ['read', '/proc/self/environ'],
    ['read', fileURLToPath(new URL('../../../package-lock.json', import.meta.url))],
    ['link', '/etc/passwd'],
    ['spawn', ''],
    ['thread', ''],
  ])('cannot %s %s', async (command, argument) => {
    expect(await attempt(`${command} ${argument}`)).toBe('ERR_ACCESS_DENIED');
  });

  test('cannot write outside its own directory', async () => {
    expect(await attempt(`write ${join(dir, 'other')}`)).toBe('ERR_ACCESS_DENIED');
    expect(await readdir(dir)).not.toContain('other');
  });

  test('sees nothing of our environment', async () => {
    expect(await attempt('env')).toBe('succeeded: {}');
  });

  test('cannot hand over a file that it did not make', async () => {
    const converting = sandbox.convert(await inputOf('command.txt', 'outside'));

    await expect(converting).rejects.toThrow('outside its directory');
  });

  test('reaches no network, and its attempts are recorded', async () => {
    let hits = 0;
    const server = createServer((_, response) => {
      hits += 1;
      response.end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;

    const connected = await sandbox.attempt(await inputOf('command.txt', `connect ${port}`));
    const fetched = await sandbox.attempt(
      await inputOf('command.txt', `fetch http://127.0.0.1:${port}/`),
    );

    expect(connected.measured.refused).toEqual(['net.connect']);
    expect(fetched.measured.refused).toEqual(['globalThis.fetch']);
    expect(hits).toBe(0);
    await new Promise((done) => server.close(done));
  });

  test.each<[string, string, Partial<Limits>]>([
    ['loop', 'normalize.timeout', { maxSeconds: 0.3 }],
    ['hoard', 'normalize.out_of_memory', { maxMemoryMb: 200 }],
    ['heap', 'normalize.out_of_memory', { maxMemoryMb: 200 }],
    ['die', 'normalize.crashed', {}],
  ])('that will %s ends as %s, and the next document passes', async (command, code, limits) => {
    const wrong = await attempt(command, limits);
    const next = await attempt('say hello');

    expect(wrong).toBe(code);
    expect(next).toBe('succeeded: hello');
  });
});
