import { partsOf, textOf } from '../fixtures/zip.ts';

/**
 * How much of a document's own text a conversion kept. The document is read here with
 * regular expressions over its XML, so that the converters do not check themselves.
 */

export interface Recall {
  /** Words in the document. */
  words: number;
  /** Words that the conversion has too, each counted at most as often as in the document. */
  kept: number;
  /** Some of the lost words, for a person who looks for the reason. */
  lost: string[];
}

/** The words in a docx: body, tables, text boxes, headers, footers, notes and comments. */
export function wordsOfDocx(docx: Uint8Array): Map<string, number> {
  const parts = partsOf(docx);
  const words = new Map<string, number>();
  // The same header in several sections is one text.
  const stories = new Set(storyNames(parts).map((name) => shownText(textOf(parts, name))));
  for (const story of stories) countWords(story, words);
  return words;
}

/** The main part, the notes, and those headers and footers that a section shows. */
function storyNames(parts: Record<string, Uint8Array>): string[] {
  const rels = parts['word/_rels/document.xml.rels']
    ? textOf(parts, 'word/_rels/document.xml.rels')
    : '';
  const main = parts['word/document.xml'] ? textOf(parts, 'word/document.xml') : '';
  const names = ['word/document.xml'];
  for (const [relationship] of rels.matchAll(/<Relationship\b[^>]*>/g)) {
    const id = /\bId="([^"]*)"/.exec(relationship)?.[1] ?? '';
    const type = /\bType="[^"]*\/(\w+)"/.exec(relationship)?.[1] ?? '';
    const target = /\bTarget="([^"]*)"/.exec(relationship)?.[1] ?? '';
    const isShown = /^(header|footer)$/.test(type) && main.includes(`"${id}"`);
    if (isShown || /^(footnotes|endnotes|comments)$/.test(type)) {
      names.push(target.startsWith('/') ? target.slice(1) : `word/${target}`);
    }
  }
  return [...new Set(names)].filter((name) => parts[name]);
}

function shownText(xml: string): string {
  const shown = xml
    .replace(/<mc:Fallback\b[^>]*>[\s\S]*?<\/mc:Fallback>/g, '')
    .replace(/<w:(del|moveFrom)\s[^>]*[^/]>[\s\S]*?<\/w:\1>/g, '');
  let text = '';
  const pieces =
    /<(w:t|m:t)(?:\s[^>]*)?>([^<]*)<\/\1>|<w:noBreakHyphen\/>|<w:tab\/>|<w:(?:br|cr)\b[^>]*>|<\/w:p>|<\/m:r>/g;
  for (const [piece, tag, content] of shown.matchAll(pieces)) {
    if (tag) text += decoded(content ?? '');
    else text += piece.includes('Hyphen') ? '-' : ' ';
  }
  return text;
}

function decoded(text: string): string {
  return text
    .replace(/&#x([0-9a-f]+);/gi, (_, hex: string) =>
      String.fromCodePoint(Number.parseInt(hex, 16)),
    )
    .replace(/&#(\d+);/g, (_, number: string) => String.fromCodePoint(Number(number)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}

/** Adds the words of `text` to `words`. A word is a run of letters, marks and digits. */
export function countWords(text: string, words = new Map<string, number>()): Map<string, number> {
  for (const [word] of text
    .normalize('NFKC')
    .toLowerCase()
    .matchAll(/[\p{L}\p{M}\p{N}]+/gu)) {
    words.set(word, (words.get(word) ?? 0) + 1);
  }
  return words;
}

/** Compares the words of a document with the text of its conversion. */
export function recallOf(held: Map<string, number>, text: string): Recall {
  const found = countWords(text);
  let words = 0;
  let kept = 0;
  const lost: string[] = [];
  for (const [word, count] of held) {
    const both = Math.min(count, found.get(word) ?? 0);
    words += count;
    kept += both;
    if (both < count) lost.push(word);
  }
  return { words, kept, lost };
}
