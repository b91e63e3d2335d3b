import { type SheetText, StyleSheet } from './css/style-sheet.ts';

/** Characters of style sheets that are read; those of the largest frameworks are shorter. */
const longest = 2_000_000;

/**
 * Collects the style sheets of a page before it is read: a sheet at its end applies to its beginning.
 * Comments (with the style sheets for Outlook in them) and scripts are passed over.
 */
export class StyleCollector {
  readonly #isXhtml: boolean;
  #rest = '';
  readonly #sheets: SheetText[] = [];
  #length = 0;
  #media = '';
  /** The attributes of links to other style sheets. */
  readonly links: string[] = [];
  /** What ends the element or comment that is open. */
  #until: RegExp | undefined;
  #isStyle = false;
  #hasScripts = false;

  /** @param isXhtml `<style/>` is an element without content; in HTML it begins one */
  constructor(isXhtml = false) {
    this.#isXhtml = isXhtml;
  }

  push(chunk: string): void {
    this.#rest += chunk;
    while (this.#step());
    // Enough to hold a tag that is cut; the content of a style element is kept until it ends.
    const most = this.#isStyle ? longest : 4_096;
    if (this.#rest.length > most) this.#rest = this.#rest.slice(-4_096);
  }

  /** @returns the style sheets together; those that the page links to are not read */
  end(): StyleSheet {
    const sheet = new StyleSheet(this.sheets());
    sheet.hasForeign ||= this.links.length > 0;
    sheet.hasScripts = this.#hasScripts;
    return sheet;
  }

  /** The page's own style sheets, at its end. */
  sheets(): SheetText[] {
    return this.#isStyle
      ? [...this.#sheets, { css: this.#rest, media: this.#media }]
      : [...this.#sheets];
  }

  /** Passes one tag, or the end of what is open; false when more text is needed. */
  #step(): boolean {
    if (this.#until) {
      const end = this.#until.exec(this.#rest);
      if (!end) return false;
      if (this.#isStyle && this.#length < longest) {
        const css = this.#rest.slice(0, end.index);
        this.#length += css.length;
        this.#sheets.push({ css, media: this.#media });
      }
      this.#rest = this.#rest.slice(end.index + end[0].length);
      this.#until = undefined;
      this.#isStyle = false;
      return true;
    }
    const start = /<!--|<(style|script|link)\b([^<>]{0,2000})>/i.exec(this.#rest);
    if (!start) return false;
    const [all, tag = '', attributes = ''] = start;
    this.#rest = this.#rest.slice(start.index + all.length);
    if (this.#isXhtml && attributes.endsWith('/') && !/^link$/i.test(tag)) return true;
    switch (tag.toLowerCase()) {
      case 'style':
        this.#isStyle = true;
        this.#until = /<\/style/i;
        this.#media = mediaOf(attributes);
        break;
      case 'script':
        this.#hasScripts ||= !/json/i.test(attributes);
        this.#until = /<\/script/i;
        break;
      case 'link':
        if (/stylesheet/i.test(attributes)) this.links.push(attributes);
        break;
      default:
        this.#until = /-->/;
    }
    return true;
  }
}

/** The media that a style sheet is for, from the attributes of its element. */
export function mediaOf(attributes: string): string {
  const media = /\bmedia\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i.exec(attributes);
  return media?.[1] ?? media?.[2] ?? media?.[3] ?? '';
}

/** The style sheets of a page that is in memory. */
export function stylesOf(page: string): StyleSheet {
  const collector = new StyleCollector(isXhtml(page));
  collector.push(page);
  return collector.end();
}

/**
 * Whether a page is XHTML, by its beginning: an XML declaration, or the namespace on its root. Then `<script/>` is a whole element, where
 * HTML takes the rest of the page for the script.
 */
export const isXhtml = (beginning: string): boolean =>
  /^\s*<\?xml\b/.test(beginning) ||
  /<html\b[^>]{0,1000}\bxmlns\s*=\s*["']http:\/\/www\.w3\.org\/1999\/xhtml["']/i.test(
    beginning.slice(0, 4_096),
  );
