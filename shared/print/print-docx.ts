import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Browser, Page } from 'puppeteer-core';
import {
  breakStyle,
  endnoteStyle,
  lostParagraphs,
  noteStyle,
  type Prepared,
  pageCountMark,
  pageNumberMark,
} from '../word/to-pdf/index.ts';
import type { Assets } from './assets.ts';
import { fallbacks } from './fonts.ts';
import {
  append,
  drawDocx,
  finishPictures,
  fitTables,
  markHeadings,
  nameFallbacks,
  numberFootnotes,
  numberPages,
  receivePart,
  shownText,
  sizeSheets,
} from './page-script.ts';

/** The outcome of printing a document in the browser. */
export interface Printed {
  /** Pictures that the browser could not decode. */
  imagesBroken: number;
  /** Paragraphs that were missing from the page and were added at its end. */
  appended: number;
  /** Addresses that the page requested. None was answered. */
  refused: string[];
}

/** The CSS property that holds the list of `fallbacks`. */
const fallbackVariable = '--dropline-fallbacks';

/** Bytes of the docx in one message to the browser. */
const partBytes = 6 * 1024 * 1024;

/**
 * Prints a prepared docx as a tagged PDF. No request of the page is answered: scripts and the docx come
 * through the debugging pipe, pictures are blobs of the page itself.
 */
export async function printDocx(
  browser: Browser,
  assets: Assets,
  prepared: Prepared,
  pdfPath: string,
): Promise<Printed> {
  const page = await browser.newPage();
  const refused: string[] = [];
  try {
    await refuseRequests(page, refused);
    await page.emulateMediaType('print');
    await page.setContent(shell(prepared));
    // A bundler may wrap functions in this helper to keep their names.
    await page.evaluate('globalThis.__name = (f) => f');
    await page.evaluate(await readFile(assets.jszip, 'utf8'));
    await page.evaluate(await readFile(assets.docxPreview, 'utf8'));
    for (let at = 0; at < prepared.docx.byteLength; at += partBytes) {
      const part = prepared.docx.subarray(at, at + partBytes);
      await page.evaluate(receivePart, Buffer.from(part).toString('base64'));
    }
    const { text, imagesBroken } = await layOut(page, prepared);
    const lost = lostParagraphs(prepared.paragraphs, text);
    if (lost.length > 0) {
      await page.evaluate(append, '[Text that could not be shown in its place]', lost);
    }
    const stream = await page.createPDFStream({
      tagged: true,
      outline: true,
      printBackground: true,
      preferCSSPageSize: true,
      width: `${prepared.page.width}pt`,
      height: `${prepared.page.height}pt`,
      timeout: 0,
    });
    await pipeline(Readable.fromWeb(stream), createWriteStream(pdfPath));
    return { imagesBroken, appended: lost.length, refused };
  } finally {
    await page.close().catch(() => undefined);
  }
}

/** Draws the docx that the page has received and lays it out for print: see the single functions. */
async function layOut(
  page: Page,
  { headings }: Prepared,
): Promise<{ text: string; imagesBroken: number }> {
  await page.evaluate(drawDocx, className(breakStyle));
  await page.evaluate(nameFallbacks, fallbackVariable);
  const { broken } = await page.evaluate(finishPictures);
  const levels = Object.entries(headings).map(([id, level]) => [className(id), level]);
  await page.evaluate(markHeadings, Object.fromEntries(levels));
  await page.evaluate(numberFootnotes, className(noteStyle));
  await page.evaluate(fitTables);
  const sheets = await page.evaluate(sizeSheets);
  await page.evaluate(numberPages, sheets, { pageNumberMark, pageCountMark });
  return { text: await page.evaluate(shownText), imagesBroken: broken };
}

async function refuseRequests(page: Page, refused: string[]): Promise<void> {
  page.on('dialog', (dialog) => void dialog.dismiss().catch(() => undefined));
  page.on('request', (request) => {
    const url = request.url();
    if (url === 'about:blank' || /^(blob|data):/.test(url)) {
      void request.continue().catch(() => undefined);
    } else {
      refused.push(url);
      void request.abort('blockedbyclient').catch(() => undefined);
    }
  });
  await page.setRequestInterception(true);
}

/** The class that docx-preview gives to a style (`processStyleName` of 0.4.1), escaped for a selector. */
function className(styleId: string): string {
  const name = styleId.replace(/[ .]+/g, '-').replace(/&+/g, 'and').toLowerCase();
  return `docx_${name}`.replace(/[^\w\u0080-\uffff-]/g, (sign) => `\\${sign}`);
}

function shell(prepared: Prepared): string {
  // Joined and kerned pairs of Arabic letters are read back from a PDF in the wrong order.
  const arabic = 'font-feature-settings: "rlig" 0, "kern" 0 !important; font-kerning: none;';
  const policy = "default-src 'none'; img-src blob: data:; style-src 'unsafe-inline'";
  return `<!doctype html><html lang="${prepared.language}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<style>
@page { margin: 0; }
:root { ${fallbackVariable}: ${fallbacks(prepared.language)}; font-variant-emoji: text; }
body { margin: 0; font-family: Arial; }
section.docx { overflow: visible !important; }
/* Otherwise notes are painted, and read back, before the text they belong to. */
section.docx > article, section.docx > footer { z-index: auto !important; }
section.docx:not(:last-of-type) { break-after: page; }
.docx { hyphens: manual !important; font-variant-ligatures: none !important; ${prepared.arabic ? arabic : ''} }
/* A gap, so that the word and the number are not read back as one word. */
[class*="${className(noteStyle)}"] sup, .${className(endnoteStyle)} sup { margin-inline-start: 0.25em; }
.docx img { object-fit: fill; }
.docx tr { break-inside: auto; }
math { font-family: "Noto Sans Math"; math-style: normal; }
</style></head><body></body></html>`;
}
