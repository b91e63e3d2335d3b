import { RejectDocument } from '../journey/errors.ts';
import { countCharacters, readBack } from './read-back.ts';

/** Share of a document's characters that must be in the PDF; fewer mean fonts without glyphs. */
const leastShare = 0.5;

/**
 * Checks that a PDF contains the text of its document, and returns its number of pages.
 * @param paragraphs the document's text
 * @throws RejectDocument `render.blank`
 */
export async function proven(paragraphs: readonly string[][], pdf: string): Promise<number> {
  const expected = countCharacters(paragraphs.flat().join(' '));
  const { pages, characters } = await readBack(pdf);
  if (pages === 0 || characters < expected * leastShare) {
    throw new RejectDocument({
      code: 'render.blank',
      message: `The ${pages} printed pages contain ${characters} of ${expected} characters.`,
    });
  }
  return pages;
}

/** The error of a document that took too long. */
export function timeout(milliseconds: number): RejectDocument {
  return new RejectDocument({
    code: 'render.timeout',
    message: `Printing was stopped after ${milliseconds / 1000} s.`,
  });
}
