/**
 * Functions that run inside the browser's page. Puppeteer sends their source text there, so each must
 * be self-contained and use nothing else of this module. The DOM types that they need are declared
 * here; the rest of the project does without DOM types.
 */

interface Style {
  [property: string]: string;
}
interface PageElement {
  style: Style;
  className: string;
  id: string;
  textContent: string | null;
  innerText: string;
  parentElement: PageElement | null;
  children: ArrayLike<PageElement>;
  firstElementChild: PageElement | null;
  nextElementSibling: PageElement | null;
  offsetWidth: number;
  offsetHeight: number;
  clientWidth: number;
  scrollWidth: number;
  start: number;
  naturalWidth: number;
  src: string;
  alt: string;
  decode(): Promise<void>;
  remove(): void;
  append(...nodes: (PageElement | string)[]): void;
  before(...nodes: PageElement[]): void;
  closest(selector: string): PageElement | null;
  querySelectorAll(selector: string): ArrayLike<PageElement>;
  querySelector(selector: string): PageElement | null;
  setAttribute(name: string, value: string): void;
  getBoundingClientRect(): { width: number; height: number };
}
interface StyleRule {
  style?: Style;
}
interface PageWindow {
  droplineParts?: Uint8Array[];
  docx: {
    renderAsync(
      data: Uint8Array,
      body: PageElement,
      styles: PageElement,
      options: Record<string, unknown>,
    ): Promise<unknown>;
  };
  atob(text: string): string;
}
declare const window: PageWindow;
declare const document: PageElement & {
  body: PageElement;
  head: PageElement;
  styleSheets: ArrayLike<{ cssRules: ArrayLike<StyleRule> }>;
  createElement(name: string): PageElement;
  createTreeWalker(
    root: PageElement,
    what: number,
  ): { nextNode(): { nodeValue: string | null } | null };
};
declare function getComputedStyle(element: PageElement): Style;

/** Receives a part of the docx, in base64: in one message it could be too long for the pipe. */
export function receivePart(base64: string): void {
  const binary = window.atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  window.droplineParts ??= [];
  window.droplineParts.push(bytes);
}

/** Renders the docx received before. Empty paragraphs of the class `breakClass` only ended pages. */
export async function drawDocx(breakClass: string): Promise<void> {
  const parts = window.droplineParts ?? [];
  let length = 0;
  for (const part of parts) length += part.length;
  const data = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    data.set(part, offset);
    offset += part.length;
  }
  window.droplineParts = [];
  // docx-preview empties both elements, so the page's own style sheet is in neither.
  const styles = document.createElement('div');
  const root = document.createElement('main');
  document.head.append(styles);
  document.body.append(root);
  await window.docx.renderAsync(data, root, styles, {
    className: 'docx',
    inWrapper: false,
    breakPages: true,
    ignoreLastRenderedPageBreak: false,
    // Fonts in the document are untrusted, and the browser parses fonts without a sandbox here.
    ignoreFonts: true,
    renderAltChunks: false,
    renderComments: false,
    renderChanges: false,
  });
  for (const mark of Array.from(document.querySelectorAll(`.${breakClass}`))) mark.remove();
}

/** Adds the list of fonts in `variable` to every list of fonts, see `fallbacks` in `fonts.ts`. */
export function nameFallbacks(variable: string): void {
  const styles: (Style | undefined)[] = [];
  for (const sheet of Array.from(document.styleSheets)) {
    for (const rule of Array.from(sheet.cssRules)) styles.push(rule.style);
  }
  for (const element of Array.from(document.querySelectorAll('[style*="font-family"]'))) {
    styles.push(element.style);
  }
  for (const style of styles) {
    if (style?.fontFamily) style.fontFamily += `, var(${variable})`;
  }
}

/** Waits until all pictures are decoded, removes broken ones and corrects cropped ones. */
export async function finishPictures(): Promise<{ broken: number }> {
  let broken = 0;
  for (const image of Array.from(document.querySelectorAll('img'))) {
    image.alt = '';
    await image.decode().catch(() => undefined);
    if (image.naturalWidth === 0) {
      broken++;
      image.remove();
      continue;
    }
    // docx-preview scales a cropped picture about its middle, which shifts it out of its box.
    const cut = /rect\(([\d.]+)% ([\d.]+)% ([\d.]+)% ([\d.]+)%\)/.exec(image.style.clipPath ?? '');
    const box = image.parentElement;
    if (!cut || !box) continue;
    const [top = 0, right = 1, bottom = 1, left = 0] = cut
      .slice(1)
      .map((part) => Number(part) / 100);
    const shownWidth = right - left;
    const shownHeight = bottom - top;
    if (shownWidth <= 0 || shownHeight <= 0) continue;
    const rotation = /rotate\([^)]*\)/.exec(image.style.transform ?? '')?.[0] ?? '';
    const width = image.offsetWidth / shownWidth;
    const height = image.offsetHeight / shownHeight;
    box.style.overflow = 'hidden';
    box.style.transform = rotation;
    image.style.transform = '';
    image.style.clipPath = '';
    image.style.width = `${width}px`;
    image.style.height = `${height}px`;
    image.style.left = `${-left * width}px`;
    image.style.top = `${-top * height}px`;
  }
  return { broken };
}

/** Marks paragraphs as headings, for the PDF's outline. @param levels by class */
export function markHeadings(levels: Record<string, number>): void {
  for (const [name, level] of Object.entries(levels)) {
    for (const heading of Array.from(document.querySelectorAll(`p.${name}`))) {
      if ((heading.textContent ?? '').trim() === '') continue;
      heading.setAttribute('role', 'heading');
      heading.setAttribute('aria-level', String(level));
    }
  }
}

/**
 * Numbers footnotes consecutively through the document.
 * @param noteClass class prefix of runs that refer to a footnote; its number follows
 */
export function numberFootnotes(noteClass: string): void {
  for (const section of Array.from(document.querySelectorAll('section.docx'))) {
    let first = 0;
    for (const reference of Array.from(section.querySelectorAll(`[class*="${noteClass}"]`))) {
      const number = Number(reference.className.split(noteClass)[1] ?? 0);
      const sign = reference.querySelector('sup');
      if (!sign || !number) continue;
      first ||= number;
      sign.textContent = String(number);
    }
    const list = Array.from(section.children).find((one) => one.querySelector('li'));
    if (list && first > 0) list.start = first;
  }
}

/** Shrinks tables that are wider than the text: they would be cut off at the edge of the paper. */
export function fitTables(): void {
  const outermost = 'section.docx > article > table, section.docx article > div > table';
  for (const table of Array.from(document.querySelectorAll(outermost))) {
    const room = table.parentElement?.clientWidth ?? 0;
    if (room > 0 && table.offsetWidth > room + 1) {
      table.style.zoom = String(Math.max(0.3, room / table.offsetWidth));
    }
  }
}

/** Gives each section its page size, and returns how many sheets each takes. */
export function sizeSheets(): number[] {
  const pixels = (value: string | undefined) => Number.parseFloat(value ?? '') || 0;
  const sizes = new Set<string>();
  const sheets: number[] = [];
  for (const section of Array.from(document.querySelectorAll('section.docx'))) {
    const width = pixels(getComputedStyle(section).width);
    const height =
      pixels(section.style.minHeight) * (/pt$/.test(section.style.minHeight ?? '') ? 96 / 72 : 1);
    const style = getComputedStyle(section);
    const name = `p${Math.round(width * 100)}x${Math.round(height * 100)}`;
    sizes.add(`@page ${name} { size: ${width}px ${height}px; margin: 0; }`);
    section.style.page = name;
    section.style.minHeight = '0';
    const needed = section.getBoundingClientRect().height;
    const article = section.querySelector('article');
    const inside = height - pixels(style.paddingTop) - pixels(style.paddingBottom);
    if (needed <= height) sheets.push(1);
    else {
      // A little too much for one sheet, because our fonts are not Word's: shrink rather than spill.
      const content = article?.getBoundingClientRect().height ?? 0;
      const room = content - (needed - height) - 2;
      if (article && section.querySelectorAll('article').length === 1 && room / content >= 0.85) {
        article.style.zoom = String(room / content);
      }
      const shrunk = section.getBoundingClientRect().height;
      if (shrunk > height && article) article.style.zoom = '';
      const fits = shrunk <= height;
      sheets.push(fits ? 1 : Math.max(2, Math.ceil((needed - height) / inside) + 1));
      if (!fits) {
        // Margins on every sheet. The footer must then not reach into the margin of the last one.
        section.style.display = 'block';
        section.style.boxDecorationBreak = 'clone';
        for (const footer of Array.from(section.querySelectorAll('footer'))) {
          footer.style.marginBottom = '0';
        }
      }
    }
    // Exactly one sheet, a pixel less so that rounding does not begin another.
    if (sheets.at(-1) === 1) section.style.minHeight = `${height - 1}px`;
  }
  const rules = document.createElement('style');
  rules.textContent = [...sizes].join('\n');
  document.head.append(rules);
  return sheets;
}

/** Writes page numbers into headers and footers. @param sheets by section, as `sizeSheets` returns */
export function numberPages(
  sheets: number[],
  { pageNumberMark, pageCountMark }: { pageNumberMark: string; pageCountMark: string },
): void {
  const total = sheets.reduce((sum, count) => sum + count, 0);
  let before = 0;
  for (const [at, section] of Array.from(document.querySelectorAll('section.docx')).entries()) {
    const count = sheets[at] ?? 1;
    for (const margin of Array.from(section.querySelectorAll('header, footer'))) {
      const number = before + (margin.closest('footer') ? count : 1);
      const texts = document.createTreeWalker(margin, 4);
      for (let text = texts.nextNode(); text; text = texts.nextNode()) {
        const value = text.nodeValue ?? '';
        if (!value.includes(pageNumberMark) && !value.includes(pageCountMark)) continue;
        text.nodeValue = value
          .replaceAll(pageNumberMark, String(number))
          .replaceAll(pageCountMark, String(total));
      }
    }
    before += count;
  }
}

/** The text that the page shows. */
export function shownText(): string {
  // Not `textContent`: hidden text must count as not shown.
  // biome-ignore lint/performance/useDomNodeTextContent: layout decides here, it was forced before.
  return document.querySelector('main')?.innerText ?? '';
}

/** Adds a last section with text that is missing from the page. */
export function append(heading: string, lines: string[]): void {
  const sections = Array.from(document.querySelectorAll('section.docx'));
  const last = sections[sections.length - 1];
  const section = document.createElement('section');
  section.className = 'docx';
  section.style.page = last?.style.page ?? 'auto';
  section.style.display = 'block';
  section.style.padding = '72pt';
  section.style.fontFamily = 'Arial';
  for (const text of [heading, ...lines]) {
    const paragraph = document.createElement('p');
    paragraph.textContent = text;
    if (text === heading) paragraph.style.fontWeight = 'bold';
    section.append(paragraph);
  }
  if (last) last.style.breakAfter = 'page';
  document.querySelector('main')?.append(section);
}
