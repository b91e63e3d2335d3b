import type { Browser } from 'puppeteer-core';
import { type Assets, findAssets } from './assets.ts';
import type { RunningBrowser, startBrowser } from './browser.ts';
import type { RenderInput } from './types.ts';

/** A browser that is kept between documents. */
export interface WarmBrowser {
  /**
   * The running browser, or a new one when it has ended, is due for replacement, or was started with
   * other settings.
   * @throws RejectDocument `render.unavailable`
   */
  browserFor(input: RenderInput): Promise<{ assets: Assets; browser: Browser; isFresh: boolean }>;
  /** Ends the browser, if one runs. The next document starts another. */
  end(): Promise<void>;
  /** Process id of the browser while one runs. */
  readonly pid: number | undefined;
}

interface WarmOptions {
  /** Where the unpacked browser and its profile go. */
  tempDir: string;
  /** Documents after which the browser is replaced, because its memory grows. */
  documentsPerBrowser: number;
  start: typeof startBrowser;
}

export function keepWarm({ tempDir, documentsPerBrowser, start }: WarmOptions): WarmBrowser {
  let running: (RunningBrowser & { key: string; documents: number }) | undefined;

  const end = async () => {
    const ended = running;
    running = undefined;
    await ended?.kill();
  };

  return {
    async browserFor(input) {
      const key = JSON.stringify([input.browserPath, input.fontsDir]);
      const usable = running?.browser.connected && running.key === key;
      if (!usable || (running?.documents ?? 0) >= documentsPerBrowser) await end();
      const assets = findAssets(input.fontsDir);
      if (!running) {
        const started = await start({ assets, browserPath: input.browserPath }, tempDir);
        running = { ...started, key, documents: 0 };
      }
      running.documents++;
      return { assets, browser: running.browser, isFresh: running.documents === 1 };
    },
    end,
    get pid() {
      return running?.browser.process()?.pid;
    },
  };
}
