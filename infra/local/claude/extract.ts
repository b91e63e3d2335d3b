import { guessLanguage } from './language.ts';
import type { ImageFacts, Material } from './material.ts';
import { oneLine, rank, type Span, unitsOf } from './passages.ts';

/** What can be said about a document without understanding it, and where the document says it. */

type Place =
  | { type: 'char'; start: number; end: number }
  | { type: 'page'; page: number }
  | { type: 'block'; index: number };

export interface Quote {
  /** As shown: on one line. */
  shown: string;
  /** Verbatim from the document. */
  cited: string;
  /** Undefined where there is nothing to point to, as in an image. */
  place: Place | undefined;
}

export interface DocumentExtract {
  title: Quote | undefined;
  language: string;
  /** Most important first. */
  ranked: Quote[];
  /** A statement about the document, not a quote from it. */
  remark: string | undefined;
}

const cached = new Map<string, DocumentExtract>();
const limit = 200;

/** Cached by content, because the same document is often asked about again. */
export function extractOf(material: Material): DocumentExtract {
  const key = `${material.kind}:${material.sha256}`;
  const known = cached.get(key);
  if (known) return known;

  const extract = make(material);
  cached.set(key, extract);
  const oldest = cached.keys().next().value;
  if (cached.size > limit && oldest !== undefined) cached.delete(oldest);
  return extract;
}

interface Found extends Quote {
  score: number;
}

/** Every passage of a document that can be cited, in the order of the document. */
export function passagesOf(material: Material): Found[] {
  switch (material.kind) {
    case 'text':
      return quotesOf(material.text, ({ start, end }) => ({ type: 'char', start, end }));
    case 'pdf':
      return material.pages.flatMap((page) =>
        quotesOf(page.text, () => ({ type: 'page', page: page.number })),
      );
    case 'blocks':
      return material.blocks.flatMap((block, index) =>
        // The API cites the complete block, never a part of it.
        quotesOf(block, () => ({ type: 'block', index })).map((quote) => ({
          ...quote,
          cited: block,
        })),
      );
    case 'image':
      return [];
  }
}

function make(material: Material): DocumentExtract {
  if (material.kind === 'image') return imageExtract(material);
  const found = passagesOf(material);
  const text = textOf(material);
  const unread = material.kind === 'pdf' && found.length === 0;
  const remark = unread
    ? `The PDF has ${material.pageCount} pages and no readable text.`
    : undefined;
  return assemble(found, text, remark);
}

function textOf(material: Exclude<Material, { kind: 'image' }>): string {
  switch (material.kind) {
    case 'text':
      return material.text;
    case 'pdf':
      return material.pages.map((page) => page.text).join('\n');
    case 'blocks':
      return material.blocks.join('\n');
  }
}

function quotesOf(text: string, placeOf: (span: Span) => Place): Found[] {
  return rank(text, unitsOf(text)).map((passage) => {
    const cited = text.slice(passage.start, passage.end);
    return { shown: oneLine(cited), cited, place: placeOf(passage), score: passage.score };
  });
}

function assemble(found: Found[], text: string, remark: string | undefined): DocumentExtract {
  const title = found.slice(0, 5).find(({ shown }) => shown.length <= 120) ?? undefined;
  // A heading is not repeated in the answer, but a title that is a sentence may be the only content.
  const heading = title && !/[.!?。！？]$/.test(title.shown) ? title.shown : undefined;
  const others = found.length > 1 && heading !== undefined ? [heading] : [];
  const seen = new Set(others);
  const ranked = found
    .filter((quote) => !seen.has(quote.shown) && seen.add(quote.shown))
    .sort((a, b) => b.score - a.score);
  return { title, language: guessLanguage(text), ranked: ranked.slice(0, 20), remark };
}

function imageExtract(image: ImageFacts): DocumentExtract {
  const format = image.format.toUpperCase();
  const fact = (shown: string): Quote => ({ shown, cited: shown, place: undefined });
  return {
    title: undefined,
    language: 'und',
    ranked: [
      fact(`Format: ${format}`),
      fact(`Size in pixels: ${image.width} × ${image.height}`),
      fact(`Size in bytes: ${image.sizeBytes}`),
    ],
    remark: `The image is a ${format} of ${image.width} × ${image.height} pixels.`,
  };
}
