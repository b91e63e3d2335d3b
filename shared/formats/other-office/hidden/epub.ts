import path from 'node:path/posix';
import { type SheetText, StyleSheet } from '../../html/css/style-sheet.ts';
import { mediaOf, StyleCollector } from '../../html/style-collector.ts';
import { HtmlVisibility } from '../../html/visibility.ts';
import type { Limits } from '../../limits.ts';
import type { HiddenWords } from '../../safety/visibility.ts';
import type { SafeZip } from '../../safety/zip.ts';
import { type CutParts, cutHidden, type Follower, partText } from './cut.ts';

/** Cuts the hidden text out of the chapters of an EPUB, by the style sheets in the book. */
export async function cutEpub(zip: SafeZip, limits: Limits, words: HiddenWords): Promise<CutParts> {
  const parts: CutParts = new Map();
  for (const { name } of zip.entries) {
    if (!/\.x?html?$/i.test(name)) continue;
    const xml = await partText(zip, name, limits);
    const sheet = await sheetOf(zip, name, xml, limits);
    const cut = cutHidden(xml, new ChapterFollower(sheet), words);
    if (cut !== undefined) parts.set(name, cut);
  }
  return parts;
}

async function sheetOf(
  zip: SafeZip,
  chapter: string,
  xml: string,
  limits: Limits,
): Promise<StyleSheet> {
  const collector = new StyleCollector();
  collector.push(xml);
  const sheets = collector
    .sheets()
    .map(({ css, media }) => ({ css: css.replace(/<!\[CDATA\[|\]\]>/g, ''), media }));
  const linked: SheetText[] = [];
  let isForeign = false;
  for (const link of collector.links) {
    const href = /\bhref\s*=\s*["']([^"']*)["']/i.exec(link)?.[1] ?? '';
    const target = path.join(path.dirname(chapter), href);
    const entry = zip.find(target) ?? zip.find(decoded(target));
    if (!entry) isForeign = true;
    else {
      const css = (await zip.read(entry, limits.maxXmlBytes)).toString('utf8');
      linked.push({ css, media: mediaOf(link) });
    }
  }
  const sheet = new StyleSheet([...linked, ...sheets]);
  sheet.hasForeign ||= isForeign;
  return sheet;
}

function decoded(target: string): string {
  try {
    return decodeURI(target);
  } catch {
    return target;
  }
}

class ChapterFollower implements Follower {
  readonly #visibility: HtmlVisibility;
  #depth = 0;
  /** Depth of the outermost element that is not seen at all; 0 when none is open. */
  #removedFrom = 0;

  constructor(sheet: StyleSheet) {
    this.#visibility = new HtmlVisibility(sheet);
  }

  get isHidden(): boolean {
    return this.#removedFrom > 0 || this.#visibility.isHidden;
  }

  open(name: string, attributes: Record<string, string>): void {
    this.#depth += 1;
    const tag = name.slice(name.indexOf(':') + 1).toLowerCase();
    const isRemoved = this.#visibility.enter(tag, attributes);
    if (isRemoved && this.#removedFrom === 0) this.#removedFrom = this.#depth;
  }

  close(): void {
    if (this.#removedFrom === this.#depth) this.#removedFrom = 0;
    this.#visibility.leave();
    this.#depth -= 1;
  }
}
