import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { extract } from 'tar-fs';
import type { Assets } from './assets.ts';

/**
 * Unpacks the packaged browser once per machine (200 MB in about 2 s) and returns its path. The
 * package's own code is not used: after a crash it takes a half-written file for a complete one, it
 * depends on environment variables, and it always writes to the process's TMPDIR.
 * @param cacheDir a directory that belongs to this user
 */
export async function unpackChromium(assets: Assets, cacheDir: string): Promise<string> {
  const home = await versionDir(assets, cacheDir);
  const browser = path.join(home, 'chromium');
  if (await exists(browser)) return browser;
  const work = await mkdtemp(path.join(home, 'unpack-'));
  try {
    const file = path.join(work, 'chromium');
    await pipeline(
      createReadStream(assets.chromium),
      createBrotliDecompress({ chunkSize: 2 ** 21 }),
      createWriteStream(file),
    );
    await chmod(file, 0o700);
    // Renamed, so that it is complete or absent, even when two processes unpack at once.
    await rename(file, browser);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return browser;
}

/** Unpacks the system libraries that come with the browser and returns their directory. */
export async function unpackLibraries(assets: Assets, cacheDir: string): Promise<string> {
  const home = await versionDir(assets, cacheDir);
  const libraries = path.join(home, 'libraries');
  if (await exists(libraries)) return path.join(libraries, 'lib');
  const work = await mkdtemp(path.join(home, 'unpack-'));
  try {
    await pipeline(
      createReadStream(assets.libraries),
      createBrotliDecompress(),
      extract(path.join(work, 'libraries')),
    );
    await rename(path.join(work, 'libraries'), libraries).catch((error: unknown) => {
      // Another process was faster.
      if (!isCode(error, 'ENOTEMPTY') && !isCode(error, 'EEXIST')) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return path.join(libraries, 'lib');
}

/** The directory for what is unpacked of this version of the browser. */
export async function versionDir(assets: Assets, cacheDir: string): Promise<string> {
  const { version } = JSON.parse(await readFile(assets.chromiumVersion, 'utf8')) as {
    version: string;
  };
  await mkdir(cacheDir, { recursive: true, mode: 0o700 });
  const { uid } = await lstat(cacheDir);
  // Names in the temporary directory can be guessed: run nothing that another user put there.
  if (process.getuid && uid !== process.getuid()) {
    throw new Error(`${cacheDir} belongs to another user`);
  }
  const home = path.join(cacheDir, version);
  await mkdir(home, { recursive: true, mode: 0o700 });
  return home;
}

async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
