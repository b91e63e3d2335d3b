import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { printedIn, writeDocuments } from './documents.ts';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'same-prints-'));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

it('a docx is printed to the same bytes at any time, in any zone and locale, after any other document', async () => {
  const files = await writeDocuments(dir);

  const first = await printedIn({ TZ: 'UTC', LANG: 'C' }, 'chromium', files, dir);
  const second = await printedIn(
    { TZ: 'Pacific/Kiritimati', LANG: 'ja_JP.UTF-8', LC_ALL: 'ja_JP.UTF-8' },
    'chromium',
    [...files.toReversed(), ...files],
    dir,
  );

  expect(Object.values(first).flat()).toHaveLength(files.length);
  expect(second).toEqual(first);
}, 120_000);
