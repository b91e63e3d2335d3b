import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import type { DocumentRecord } from '../../shared/client/index.ts';

/* `npm start -- --once --config FILE`, as a person runs it. */

const main = fileURLToPath(new URL('../../infra/local/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'dropline-config-option-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function once(...args: string[]): Promise<{ code: number | null; stdout: string }> {
  const data = join(folder, 'data');
  const child = spawn(
    process.execPath,
    [main, '--once', '--json', '--data', data, '--port', '0', ...args],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout };
}

test('documents have the profiles of the file, of which the functions have a copy', async () => {
  const config = join(folder, 'profiles.json');
  const dropped = join(folder, 'dropped');
  mkdirSync(join(dropped, 'contracts'), { recursive: true });
  writeFileSync(join(dropped, 'a.txt'), 'A note about pumps. They are old. Nobody minds.');
  writeFileSync(join(dropped, 'contracts/b.txt'), 'The mill is let. The lease ends in May 2031.');
  const profiles = [{ prefix: 'contracts/', effort: 'high', title: true }];
  writeFileSync(config, JSON.stringify({ profiles }));

  const { code, stdout } = await once('--config', config, '--model', 'claude-opus-5-5', dropped);

  const records = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as DocumentRecord);
  expect(code).toBe(0);
  expect(records.map(({ key, profile, summary }) => [key, profile, summary?.model])).toEqual([
    ['a.txt', 'default', 'claude-opus-5-5'],
    ['contracts/b.txt', 'contracts', 'claude-opus-5-5'],
  ]);
  expect(readFileSync(join(folder, 'data/dropline.config.json'), 'utf8')).toBe(
    readFileSync(config, 'utf8'),
  );
}, 180_000);
