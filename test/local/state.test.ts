import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { DataDirUnavailable, openState } from '../../infra/local/state/database.ts';

async function temporary(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'dropline-state-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

test('a data directory that cannot be created is reported with the reason', async () => {
  const file = join(await temporary(), 'file');
  await writeFile(file, 'in the way');

  const open = () => openState(join(file, 'data'));

  expect(open).toThrow(DataDirUnavailable);
  expect(open).toThrow(/cannot keep data in .*ENOTDIR.*; use another --data/);
});

test('a data directory whose state.db is not a database is reported with the reason', async () => {
  const dir = await temporary();
  await writeFile(join(dir, 'state.db'), 'no database '.repeat(1000));

  const open = () => openState(dir);

  expect(open).toThrow(DataDirUnavailable);
  expect(open).toThrow(/cannot keep data in .*not a database/);
});
