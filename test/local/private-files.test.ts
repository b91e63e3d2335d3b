import { execFile } from 'node:child_process';
import { chmodSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openState } from '../../infra/local/state/database.ts';
import { temporaryDir } from './support.ts';

const main = fileURLToPath(new URL('../../infra/local/main.ts', import.meta.url));

/** Files and folders that another user of the machine could read, write or enter. */
function open(root: string): string[] {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name));
  return [root, ...paths]
    .filter((path) => (statSync(path).mode & 0o077) !== 0)
    .map((path) => relative(root, path));
}

test('everything that a run keeps is for its user only', { timeout: 180_000 }, async () => {
  const dir = temporaryDir();
  const data = join(dir.path, 'data');
  writeFileSync(join(dir.path, 'note.md'), '# A note\n\nIt has one sentence.\n');

  const args = [main, '--once', '--port', '0', '--data', data, join(dir.path, 'note.md')];
  await promisify(execFile)(process.execPath, args, { env: { PATH: process.env.PATH } });

  expect(readdirSync(data)).toEqual(
    expect.arrayContaining(['claude', 'dynamodb', 'logs', 'objects', 'state.db']),
  );
  expect(open(data)).toEqual([]);
  dir.remove();
});

test('a data directory that others could enter is closed to them', () => {
  const dir = temporaryDir();
  chmodSync(dir.path, 0o755);

  openState(dir.path).close();

  expect(statSync(dir.path).mode & 0o777).toBe(0o700);
  dir.remove();
});

test('a folder that users share, such as /tmp, cannot be the data directory', () => {
  const dir = temporaryDir();
  chmodSync(dir.path, 0o1777);

  expect(() => openState(dir.path)).toThrow('it is a folder that users share');

  expect(statSync(dir.path).mode & 0o7777).toBe(0o1777);
  dir.remove();
});
