import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Assets, findAssets } from '../../shared/print/assets.ts';
import { dropRadicals } from '../../shared/print/cjk-fonts.ts';
import { findBrowser } from '../../shared/print/find-browser.ts';
import { unpackChromium } from '../../shared/print/unpack-chromium.ts';

let dir: string;
let assets: Assets;

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'render-unpack-'));
  const at = (name: string) => path.join(dir, name);
  assets = {
    ...findAssets(),
    chromium: at('chromium.br'),
    libraries: at('libraries.tar.br'),
    chromiumVersion: at('package.json'),
  };
  await writeFile(assets.chromium, brotliCompressSync('#!/bin/sh\nexit 3\n'));
  await writeFile(assets.libraries, brotliCompressSync(Buffer.alloc(1024)));
  await writeFile(assets.chromiumVersion, '{"version":"1.2.3"}');
});

afterEach(() => rm(dir, { recursive: true, force: true }));

it('unpacks once, however many ask at once, into a file that only its user may run', async () => {
  const cache = path.join(dir, 'cache');

  const paths = await Promise.all([1, 2, 3].map(() => unpackChromium(assets, cache)));

  expect(new Set(paths)).toEqual(new Set([path.join(cache, '1.2.3', 'chromium')]));
  expect(await readFile(paths[0] ?? '', 'utf8')).toContain('exit 3');
  expect((await stat(paths[0] ?? '')).mode & 0o777).toBe(0o700);
  expect(await readdir(path.join(cache, '1.2.3'))).toEqual(['chromium']);
});

it('does not use what an earlier run left half unpacked', async () => {
  const cache = path.join(dir, 'cache');
  await mkdir(path.join(cache, '1.2.3', 'unpack-dead'), { recursive: true });
  await writeFile(path.join(cache, '1.2.3', 'unpack-dead', 'chromium'), 'hal');
  await chmod(path.join(cache, '1.2.3', 'unpack-dead', 'chromium'), 0o700);

  const unpacked = await unpackChromium(assets, cache);

  expect(await readFile(unpacked, 'utf8')).toContain('exit 3');
});

it('leaves nothing behind when the packed browser is damaged', async () => {
  await writeFile(assets.chromium, 'not brotli');
  const cache = path.join(dir, 'cache');

  await expect(unpackChromium(assets, cache)).rejects.toThrow();

  expect(await readdir(path.join(cache, '1.2.3'))).toEqual([]);
});

it('a packaged browser that does not start is unavailable or replaced by an installed one', async () => {
  const cache = path.join(dir, 'cache');

  const found = await findBrowser(assets, cache).catch((error: unknown) => error);

  expect(found).not.toMatchObject({ packaged: true });
});

it('removes the radicals from a character map and nothing else', async () => {
  const [cjk = ''] = findAssets().cjkFontDirs;
  const [name = ''] = (await readdir(cjk)).filter((file) => file.endsWith('.ttf'));
  const font = await readFile(path.join(cjk, name));
  const before = charactersOf(font);

  const after = charactersOf(dropRadicals(font));

  const isRadical = (point: number) => point >= 0x2e80 && point <= 0x2fdf;
  expect(before.filter(isRadical).length).toBeGreaterThan(0);
  expect(after).toEqual(before.filter((point) => !isRadical(point)));
});

/** Every character of the format 12 subtables. */
function charactersOf(font: Buffer): number[] {
  const tables = font.readUInt16BE(4);
  const records = Array.from({ length: tables }, (_, at) => 12 + at * 16);
  const record = records.find((at) => font.toString('latin1', at, at + 4) === 'cmap') ?? 0;
  const cmap = font.readUInt32BE(record + 8);
  const points: number[] = [];
  for (let at = 0; at < font.readUInt16BE(cmap + 2); at++) {
    const subtable = cmap + font.readUInt32BE(cmap + 8 + at * 8);
    if (font.readUInt16BE(subtable) !== 12) continue;
    for (let group = 0; group < font.readUInt32BE(subtable + 12); group++) {
      const start = subtable + 16 + group * 12;
      for (let point = font.readUInt32BE(start); point <= font.readUInt32BE(start + 4); point++) {
        points.push(point);
      }
    }
  }
  return points;
}
