import os from 'node:os';
import path from 'node:path';
import type { Browser } from 'puppeteer-core';
import { displayName } from '../journey/display-name.ts';
import { DroplineError, RejectDocument } from '../journey/errors.ts';
import { type Prepared, prepareDocx } from '../word/to-pdf/index.ts';
import { startBrowser } from './browser.ts';
import { bundledTypefaces } from './fonts.ts';
import { printWithLibreOffice } from './libreoffice.ts';
import { type Printed, printDocx } from './print-docx.ts';
import { proven, timeout } from './proof.ts';
import type { Rendered, RenderInput } from './types.ts';
import { keepWarm } from './warm-browser.ts';
import { warningsOf } from './warnings.ts';

/** Prints documents one at a time, in a browser that stays warm between them. */
export interface Renderer {
  /**
   * Makes a PDF of a docx. Calls are queued.
   * @throws RejectDocument with a code of `render.*`; the next document gets a fresh browser
   */
  render(input: RenderInput): Promise<Rendered>;
  /** Ends the browser. The next call of `render` starts another. */
  close(): Promise<void>;
  /** Process id of the browser while one runs. */
  readonly browserPid: number | undefined;
}

export interface RendererOptions {
  /** For the unpacked browser and its profile; the system's temporary directory by default. */
  tempDir?: string;
  /** Documents after which the browser is replaced, because its memory grows. */
  documentsPerBrowser?: number;
  /** How a browser is started, for tests with a browser that fails. */
  start?: typeof startBrowser;
}

export function createRenderer(options: RendererOptions = {}): Renderer {
  const { tempDir = os.tmpdir(), documentsPerBrowser = 100, start = startBrowser } = options;
  const warm = keepWarm({ tempDir, documentsPerBrowser, start });
  let last: Promise<unknown> = Promise.resolve();

  const printInBrowser = async (
    input: RenderInput,
    prepared: Prepared,
    title: string,
    pdf: string,
    signal: AbortSignal,
  ): Promise<Printed> => {
    const { assets, browser, isFresh } = await warm.browserFor(input);
    signal.throwIfAborted();
    try {
      return await whileConnected(browser, printDocx(browser, assets, prepared, title, pdf));
    } catch (cause) {
      signal.throwIfAborted();
      if (browser.connected) throw unreadable(cause);
      if (isFresh) throw crashed(cause);
      // It may have died because of an earlier document, or while idle: a fresh browser shows which.
      await warm.end();
      return printInBrowser(input, prepared, title, pdf, signal);
    }
  };

  const print = async (input: RenderInput, signal: AbortSignal): Promise<Rendered> => {
    const prepared = await prepare(input);
    signal.throwIfAborted();
    const title = displayName(
      prepared.title ?? path.basename(input.name, path.extname(input.name)),
    );
    const pdf = path.join(input.outDir, 'rendered.pdf');
    const printed = await printInBrowser(input, prepared, title, pdf, signal);
    return check(prepared, printed, pdf);
  };

  const renderNow = async (input: RenderInput): Promise<Rendered> => {
    if (input.renderer === 'libreoffice') return printWithLibreOffice(input, tempDir);
    const stop = new AbortController();
    const work = print(input, stop.signal);
    try {
      return await within(input.timeoutMs, work);
    } catch (error) {
      // The browser may be in any state: the next document gets a fresh one.
      stop.abort(error);
      await warm.end();
      await work.catch(() => undefined);
      await warm.end();
      throw error instanceof DroplineError ? error : unreadable(error);
    }
  };

  return {
    render(input) {
      const result = last.then(() => renderNow(input));
      last = result.catch(() => undefined);
      return result;
    },
    async close() {
      await last;
      await warm.end();
    },
    get browserPid() {
      return warm.pid;
    },
  };
}

async function prepare(input: RenderInput): Promise<Prepared> {
  try {
    return await prepareDocx(input.path, bundledTypefaces);
  } catch (cause) {
    throw unreadable(cause);
  }
}

async function check(prepared: Prepared, printed: Printed, pdf: string): Promise<Rendered> {
  const pages = await proven(prepared.paragraphs, pdf);
  const { imagesFound, imagesLost } = prepared.facts;
  return {
    path: pdf,
    mimeType: 'application/pdf',
    pages,
    imagesFound,
    imagesKept: Math.max(0, imagesFound - imagesLost - printed.imagesBroken),
    warnings: warningsOf(prepared.facts, printed),
  };
}

/**
 * The result of the work, or an error when the browser ends first: Puppeteer then never settles some
 * of its calls (`newPage` of 25.16 can wait for a target that will not come).
 */
async function whileConnected<T>(browser: Browser, work: Promise<T>): Promise<T> {
  const ended = Promise.withResolvers<never>();
  const end = () => ended.reject(new Error('The browser exited.'));
  browser.once('disconnected', end);
  if (!browser.connected) end();
  try {
    return await Promise.race([work, ended.promise]);
  } finally {
    browser.off('disconnected', end);
  }
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const ends = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timeout(milliseconds)), milliseconds);
  });
  try {
    return await Promise.race([work, ends]);
  } finally {
    clearTimeout(timer);
  }
}

function unreadable(cause: unknown): RejectDocument {
  const detail = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
  return new RejectDocument({
    code: 'render.unreadable',
    message: `The document could not be laid out: ${detail}`,
    cause,
  });
}

function crashed(cause: unknown): RejectDocument {
  return new RejectDocument({
    code: 'render.crashed',
    message: 'The browser exited while printing the document.',
    cause,
  });
}
