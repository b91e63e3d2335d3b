import type { Limits } from '../../limits.ts';
import { HiddenWords } from '../../safety/visibility.ts';
import type { SafeZip } from '../../safety/zip.ts';
import { type CutParts, replaceParts } from './cut.ts';
import { cutEpub } from './epub.ts';
import { cutOpenDocument } from './opendocument.ts';
import { cutRtf } from './rtf.ts';
import { cutSlides } from './slides.ts';

/** What a reader of a document does not see. */
export interface Hidden {
  /** The document without its hidden text, for officeparser; undefined when it has none. */
  bytes: Buffer | undefined;
  /** Words that were left out. */
  words: number;
  /** Numbers of hidden slides of an OpenDocument presentation, which are kept and marked. */
  slides: number[];
}

/**
 * Cuts the hidden text out of a package that `openXmlPackage` has checked.
 * @throws RejectDocument `normalize.corrupt` for a damaged part
 */
export async function withoutHiddenText(
  zip: SafeZip,
  format: 'pptx' | 'odt' | 'odp' | 'epub',
  limits: Limits,
): Promise<Hidden> {
  const counter = new HiddenWords();
  let parts: CutParts;
  let slides: number[] = [];
  switch (format) {
    case 'pptx':
      parts = await cutSlides(zip, limits, counter);
      break;
    case 'epub':
      parts = await cutEpub(zip, limits, counter);
      break;
    default:
      ({ parts, hiddenSlides: slides } = await cutOpenDocument(zip, limits, counter));
  }
  const bytes = parts.size > 0 ? await replaceParts(zip, parts, limits) : undefined;
  return { bytes, words: counter.count, slides };
}

/** Cuts the hidden text out of an RTF file. */
export function rtfWithoutHiddenText(rtf: Buffer): Hidden {
  const counter = new HiddenWords();
  const cut = cutRtf(rtf.toString('latin1'), counter);
  return {
    bytes: cut === undefined ? undefined : Buffer.from(cut, 'latin1'),
    words: counter.count,
    slides: [],
  };
}
