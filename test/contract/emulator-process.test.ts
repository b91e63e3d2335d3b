import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { boundary, emulate, multipart, plainHeaders, sdkClient, textUpload } from './support.ts';

const main = fileURLToPath(new URL('../../infra/local/claude/main.ts', import.meta.url));
const started: ChildProcess[] = [];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropline-test-'));
});

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
  await rm(folder, { recursive: true, force: true });
});

interface Run {
  child: ChildProcess;
  /** First line of stdout, or all of stdout if it ended before a line break. */
  line: Promise<string>;
  end: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
}

function run(...args: string[]): Run {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  let stdout = '';
  let stderr = '';
  const line = new Promise<string>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk;
      if (stdout.includes('\n')) resolve(stdout.split('\n')[0] ?? '');
    });
    child.stdout.on('end', () => resolve(stdout));
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const end = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }));
  return { child, line, end };
}

describe('the emulator on its own', () => {
  it('prints its URL, answers, and exits cleanly on a signal', async () => {
    const { child, line, end } = run('--port', '0', '--data', folder, '--dialect', 'beta');
    const url = await line;

    const answer = await request(`${url}/v1/files`, { headers: plainHeaders });
    await answer.body.dump();
    child.kill('SIGTERM');

    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(answer.statusCode).toBe(400);
    expect(await end).toEqual({ code: 0, signal: null, stdout: `${url}\n`, stderr: '' });
  });

  it.each([
    [['--port', 'x']],
    [['--port', '70000']],
    [['--dialect', 'gamma']],
    [['--colour', 'red']],
    [['extra']],
  ])('exits with 2 and one line on a usage error: %j', async (args) => {
    const { code, stdout, stderr } = await run(...args).end;

    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^emulator: [^\n]+\n$/);
  });

  it('exits with the shell that npm started it in', async () => {
    const command = `"${process.execPath}" "${main}" --data "${folder}"; true`;
    const env = { ...process.env, npm_lifecycle_event: 'emulator' };
    const shell = spawn('sh', ['-c', command], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    started.push(shell);
    await once(shell.stdout, 'data');

    shell.kill('SIGTERM');

    // The pipe closes when the last process that holds it, the emulator, is gone.
    await once(shell, 'close');
    expect(shell.signalCode).toBe('SIGTERM');
  });

  it('has the faults of its command line from the start', async () => {
    const { child, line } = run('--data', folder, '--fault', '{"kind":"credit_balance"}');
    const url = await line;

    const answer = await request(`${url}/v1/files`, { headers: plainHeaders });
    const text = await answer.body.text();
    child.kill('SIGTERM');

    expect(answer.statusCode).toBe(400);
    expect(text).toContain('Your credit balance is too low');
  });

  it.each(['{"kind":"no such fault"}', 'no JSON'])('refuses the fault %s', async (fault) => {
    const { end } = run('--fault', fault);

    expect(await end).toMatchObject({ code: 2, stdout: '' });
  });

  it('prints its help', async () => {
    const { code, stdout, stderr } = await run('--help').end;

    expect(code).toBe(0);
    expect(stdout).toContain('--dialect ga|beta');
    expect(stderr).toBe('');
  });

  it('keeps complete files and drops incomplete ones when it is killed', async () => {
    const first = run('--data', folder);
    const url = await first.line;
    const client = sdkClient({ url });
    const kept = await client.files.upload({ file: await textUpload('kept', 'kept.txt') });
    const whole = multipart([
      {
        disposition: 'name="file"; filename="half.txt"',
        type: 'text/plain',
        content: Buffer.alloc(4_000_000),
      },
    ]);
    async function* half() {
      yield whole.subarray(0, 3_000_000);
      // The rest never comes: the process is killed once it has a part of the file.
      while ((await readdir(join(folder, 'tmp'))).length === 0) await new Promise(setImmediate);
      first.child.kill('SIGKILL');
      await first.end;
    }

    const upload = request(`${url}/v1/files`, {
      method: 'POST',
      headers: { ...plainHeaders, 'content-type': `multipart/form-data; boundary=${boundary}` },
      body: Readable.from(half()),
    });
    await expect(upload).rejects.toThrow();
    const again = await emulate({ dataDir: folder });

    expect(again.files()).toMatchObject([{ id: kept.id, filename: 'kept.txt', sizeBytes: 4 }]);
    expect(await readdir(join(folder, 'tmp'))).toEqual([]);
  });

  it('has every file that it acknowledged, whenever it is killed', async () => {
    const { child, line, end } = run('--data', folder, '--files-per-minute', '0');
    const client = sdkClient({ url: await line });
    const acknowledged = new Set<string>();
    const worker = async (name: number) => {
      for (let i = 0; ; i++) {
        const file = await client.files.upload({ file: await textUpload(`${name} ${i}`) });
        acknowledged.add(file.id);
        if (acknowledged.size === 25) child.kill('SIGKILL');
      }
    };

    await Promise.allSettled([1, 2, 3, 4].map(worker));
    await end;
    const again = await emulate({ dataDir: folder });

    const files = again.files();
    const ids = new Set(files.map(({ id }) => id));
    expect([...acknowledged].filter((id) => !ids.has(id))).toEqual([]);
    for (const { id, sha256 } of files) {
      const bytes = await readFile(join(folder, 'files', `${id}.bin`));
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    }
  });
});

describe('the files of the emulator on disk', () => {
  it('are unchanged and in order after a restart', async () => {
    const first = await emulate({ dataDir: folder });
    const client = sdkClient(first);
    const ids: string[] = [];
    for (const name of ['a.txt', 'ü.txt', 'c.txt']) {
      const file = await textUpload(name, name);
      ids.push((await client.files.upload({ file, expires_in_seconds: 7_200 })).id);
    }
    await client.files.delete(ids[0] ?? '');
    const before = await client.files.list();
    await first.close();

    const second = await emulate({ dataDir: folder });
    const after = await sdkClient(second).files.list();
    const next = await sdkClient(second).files.upload({ file: await textUpload('later') });

    expect(after.data).toEqual(before.data);
    expect(second.files().map(({ id }) => id)).toEqual([ids[1], ids[2], next.id]);
  });

  it('are ignored and deleted when incomplete', async () => {
    const first = await emulate({ dataDir: folder });
    const { id } = await sdkClient(first).files.upload({ file: await textUpload('whole') });
    await first.close();
    await writeFile(join(folder, 'files', 'file_orphan.bin'), 'bytes without metadata');
    await writeFile(join(folder, 'files', 'file_bare.json'), '{"id":"file_bare"}');
    await writeFile(join(folder, 'tmp', '1.part'), 'half');

    const second = await emulate({ dataDir: folder });

    expect(second.files().map((file) => file.id)).toEqual([id]);
    expect((await readdir(join(folder, 'files'))).toSorted()).toEqual([`${id}.bin`, `${id}.json`]);
  });

  it('have unique ids even when the random source starts over', async () => {
    const first = await emulate({ dataDir: folder, random: sequence() });
    const a = await sdkClient(first).files.upload({ file: await textUpload('a') });
    await first.close();

    const second = await emulate({ dataDir: folder, random: sequence() });
    const b = await sdkClient(second).files.upload({ file: await textUpload('b') });

    expect(b.id).not.toBe(a.id);
    expect(second.files()).toHaveLength(2);
  });
});

/** The same numbers every time. */
function sequence(): () => number {
  let next = 0;
  return () => (next++ * 0.618_034) % 1;
}
