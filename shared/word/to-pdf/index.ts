/**
 * Word's door to the PDF route: a docx rewritten for docx-preview, and what the printed page is
 * checked against. See `../to-text/index.ts` for why there are two doors.
 */

export { type Facts, lostReasons } from './facts.ts';
export { pageCountMark, pageNumberMark } from './fields.ts';
export type { Typefaces } from './fonts.ts';
export { endnoteStyle, noteStyle } from './notes.ts';
export { breakStyle } from './page-breaks.ts';
export { type Prepared, prepareDocx } from './prepare.ts';
export { lostParagraphs } from './segments.ts';
export { withStoredFields } from './stored-fields.ts';
