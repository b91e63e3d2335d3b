import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import puppeteer from 'puppeteer-core';
import { RejectDocument } from '../journey/errors.ts';
import type { Assets } from './assets.ts';
import { unpackChromium, unpackLibraries } from './unpack-chromium.ts';

/** A browser that runs on this machine. */
export interface FoundBrowser {
  path: string;
  /** Directory of libraries that the machine lacks. */
  libraries?: string;
  /** The packaged one: a bare headless shell, run as AWS Lambda allows it. */
  packaged: boolean;
}

/** Where puppeteer does not look: browsers of Debian, Fedora, Arch, Alpine, macOS and Windows. */
const otherPlaces = [
  '/usr/bin/google-chrome-stable',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/lib/chromium/chromium',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/**
 * The browser to print with: the one in the settings, else the packaged one on Linux x64, else an
 * installed Chrome, Chromium or Edge.
 * @throws RejectDocument `render.unavailable`, with what is missing
 */
export async function findBrowser(
  assets: Assets,
  cacheDir: string,
  browserPath?: string,
): Promise<FoundBrowser> {
  if (browserPath !== undefined) {
    if (existsSync(browserPath)) return { path: browserPath, packaged: false };
    throw unavailable(`The browser in the settings does not exist: ${browserPath}.`);
  }
  let missing = `The packaged browser runs on Linux x64 only, not on ${process.platform} ${process.arch}`;
  if (process.platform === 'linux' && process.arch === 'x64') {
    const packaged = await tryPackaged(assets, cacheDir);
    if (typeof packaged !== 'string') return packaged;
    missing = packaged;
  }
  const installed = await findInstalled();
  if (installed !== undefined) return { path: installed, packaged: false };
  throw unavailable(`${missing}, and no Chrome or Chromium is installed.`);
}

async function tryPackaged(assets: Assets, cacheDir: string): Promise<FoundBrowser | string> {
  let path: string;
  try {
    path = await unpackChromium(assets, cacheDir);
  } catch (error) {
    return `The packaged browser could not be unpacked (${messageOf(error)})`;
  }
  if ((await whyNotStarting(path)) === undefined) return { path, packaged: true };
  const libraries = await unpackLibraries(assets, cacheDir);
  const why = await whyNotStarting(path, libraries);
  return why === undefined
    ? { path, libraries, packaged: true }
    : `The packaged browser did not start (${why})`;
}

/** Asks for its version; the loader's message names a missing library. */
async function whyNotStarting(path: string, libraries?: string): Promise<string | undefined> {
  try {
    await promisify(execFile)(path, ['--version'], {
      timeout: 20_000,
      env: libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries },
    });
    return undefined;
  } catch (error) {
    return (
      /error while loading shared libraries: ([^\n]*)/.exec(messageOf(error))?.[1] ??
      messageOf(error)
    );
  }
}

async function findInstalled(): Promise<string | undefined> {
  const chrome = await Promise.resolve()
    .then(() => puppeteer.executablePath('chrome'))
    .catch(() => undefined);
  return [chrome, ...otherPlaces].find((path) => path !== undefined && existsSync(path));
}

export function unavailable(message: string): RejectDocument {
  return new RejectDocument({ code: 'render.unavailable', message });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
