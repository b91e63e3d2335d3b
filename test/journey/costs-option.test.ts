import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

/* `npm start -- --costs`, as a person runs it: with nothing else at work, and beside a host. */

const main = fileURLToPath(new URL('../../infra/local/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'dropline-costs-option-'));
const data = join(folder, 'data');
let host: ChildProcess | undefined;
afterAll(async () => {
  if (host) await stopped(host);
  rmSync(folder, { recursive: true });
});

function started(...args: string[]): ChildProcess {
  return spawn(process.execPath, [main, '--data', data, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => child.once('close', resolve));

async function stopped(child: ChildProcess): Promise<void> {
  const end = ended(child);
  child.kill('SIGINT');
  await end;
}

async function run(...args: string[]): Promise<{ code: number | null; stdout: string }> {
  const child = started(...args);
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const code = await ended(child);
  return { code, stdout };
}

test('costs are printed from a data directory, also while a host is using it', async () => {
  const note = join(folder, 'a.txt');
  writeFileSync(note, 'A note about pumps. They are old. Nobody minds.');
  await run('--once', '--json', '--port', '0', note);

  const { code, stdout } = await run('--costs', '--by', 'model');
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^model +calls .*USD +unknown\nclaude-haiku-5-5 +1 .*0\.0000\d\d +0\ntotal/,
  );
  const json = await run('--costs', '--by', 'prefix', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ group: '', calls: 1, unknownCalls: 0 });

  const before = readFileSync(join(data, 'host.txt'), 'utf8');
  // Into a new inbox the host would put a sample, and pay for it.
  const inbox = join(folder, 'inbox');
  mkdirSync(inbox);
  host = started('--port', '0', '--inbox', inbox);
  while (readFileSync(join(data, 'host.txt'), 'utf8') === before) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(await run('--costs', '--by', 'model')).toEqual({ code, stdout });
  expect(await run('--costs', '--from', '2026-01-01', '--to', '2026-01-02')).toEqual({
    code: 0,
    stdout: 'No paid calls from 2026-01-01 to 2026-01-02.\n',
  });
}, 180_000);
