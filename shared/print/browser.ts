import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import puppeteer, { type Browser } from 'puppeteer-core';
import { type Assets, holdsFonts } from './assets.ts';
import { withoutRadicals } from './cjk-fonts.ts';
import { type FoundBrowser, findBrowser, unavailable } from './find-browser.ts';
import { writeFontConfig } from './fonts.ts';
import { killGroup } from './process-group.ts';
import { versionDir } from './unpack-chromium.ts';

/** Which browser and fonts to use; each choice needs a process of its own. */
export interface BrowserChoice {
  assets: Assets;
  browserPath: string | undefined;
}

/** A browser that we started. */
export interface RunningBrowser {
  browser: Browser;
  /** Kills the process and all its children, and removes what it wrote. */
  kill(): Promise<void>;
}

/**
 * No name is resolved and no connection is made. Every request is intercepted too, but interception does
 * not see WebSocket, prefetch and WebRTC: a proxy that does not exist stops these.
 */
const offline = [
  '--host-resolver-rules=MAP * ~NOTFOUND',
  '--proxy-server=socks5://127.0.0.1:9',
  '--proxy-bypass-list=<-loopback>',
  '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
  '--disable-features=WebRtcHideLocalIpsWithMdns,DialMediaRouteProvider',
];

/** As in @sparticuz/chromium 153 for Lambda, which forbids the browser's own sandbox and zygote. */
const packagedArguments = [
  '--no-sandbox',
  '--disable-setuid-sandbox',
  '--no-zygote',
  '--single-process',
  '--in-process-gpu',
  '--disable-gpu',
  // Without it the single process exits when it finds no graphics driver.
  '--disable-software-rasterizer',
];

/**
 * Starts a browser (0.05 s once unpacked). Its environment has only what it needs, without the
 * credentials of the function it runs in.
 * @param tempDir for the unpacked browser, which is kept, and its profile
 * @throws RejectDocument `render.unavailable`
 */
export async function startBrowser(
  { assets, browserPath }: BrowserChoice,
  tempDir: string,
): Promise<RunningBrowser> {
  const cacheDir = path.join(tempDir, `dropline-chromium-${process.getuid?.() ?? 'user'}`);
  const found = await findBrowser(assets, cacheDir, browserPath);
  const fontDirs: string[] = [];
  for (const directory of assets.fontDirs)
    if (await holdsFonts(directory)) fontDirs.push(directory);
  if (fontDirs.length === 0) {
    throw unavailable(`There are no fonts in ${assets.fontDirs[0] ?? 'the install'}.`);
  }
  if (assets.cjkFontDirs.length > 0) {
    const home = await versionDir(assets, cacheDir);
    fontDirs.push(await withoutRadicals(assets.cjkFontDirs, path.join(home, 'cjk-fonts')));
  }
  const workDir = await mkdtemp(path.join(tempDir, 'dropline-render-'));
  const remove = () => rm(workDir, { recursive: true, force: true, maxRetries: 5 });
  try {
    const browser = await launch(found, await writeFontConfig(fontDirs, workDir), workDir);
    const pid = browser.process()?.pid;
    return {
      browser,
      async kill() {
        const exited = exitOf(browser);
        // Puppeteer starts the browser as leader of a process group of its own.
        killGroup(pid);
        await exited;
        await remove();
      },
    };
  } catch (cause) {
    await remove();
    throw unavailable(
      `The browser ${found.path} did not start: ${cause instanceof Error ? cause.message : cause}`,
    );
  }
}

function launch(found: FoundBrowser, fontConfig: string, workDir: string): Promise<Browser> {
  const asRoot = process.getuid?.() === 0;
  return puppeteer.launch({
    executablePath: found.path,
    headless: found.packaged ? 'shell' : true,
    pipe: true,
    userDataDir: path.join(workDir, 'profile'),
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    protocolTimeout: 0,
    timeout: 30_000,
    args: [
      ...offline,
      '--font-render-hinting=none',
      // Not the machine's: it has a say in which font a character gets.
      '--lang=en-US',
      '--no-pings',
      ...(found.packaged ? packagedArguments : asRoot ? ['--no-sandbox'] : []),
    ],
    // On Linux, fonts come from fontconfig, and the browser needs nothing else of the environment.
    ...(process.platform === 'linux'
      ? {
          env: {
            HOME: workDir,
            TMPDIR: workDir,
            FONTCONFIG_FILE: fontConfig,
            ...(found.libraries === undefined ? {} : { LD_LIBRARY_PATH: found.libraries }),
          },
        }
      : {}),
  });
}

function exitOf(browser: Browser): Promise<void> {
  const child = browser.process();
  if (!child || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
