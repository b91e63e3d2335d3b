import type { Limits } from '../limits.ts';
import type { Format } from './kinds.ts';

/** What a person should know of a format; the source of `docs/formats.md`. */
export interface FormatFacts {
  becomes: string;
  kept: string;
  lost: string;
  /** Limits that matter for it, beside bytes, seconds and memory, which hold for all. */
  limits: readonly (keyof Limits)[];
}

const asText = 'UTF-8 text';
const zipped = ['maxUnzippedBytes', 'maxZipEntries', 'maxZipRatio'] as const;
const xmlInZip = [...zipped, 'maxXmlBytes', 'maxXmlDepth'] as const;

const picture: FormatFacts = {
  becomes: 'itself; scaled down when Claude does not take its size',
  kept: 'the picture',
  lost: 'pixels when scaled, frames after the first',
  limits: ['maxPixelsPerSide', 'maxPixels', 'maxImageBytes'],
};

/** One entry a format that is identified. */
export const formatFacts: Record<Format, FormatFacts> = {
  pdf: {
    becomes: 'itself',
    kept: 'everything; pages are counted, a missing text layer is said',
    lost: 'attached files, scripts and actions are not read',
    limits: ['maxPages'],
  },
  jpeg: picture,
  png: picture,
  gif: picture,
  webp: picture,
  text: {
    becomes: 'itself when it is clean UTF-8, else UTF-8 text',
    kept: 'every character; the original encoding is in the record',
    lost: 'control characters, terminal colours, bytes that are no characters',
    limits: ['maxOutputBytes'],
  },
  csv: {
    becomes: 'CSV text with commas, the header repeated in long files',
    kept: 'every cell as it stands, also formulas, ragged rows and line breaks',
    lost: 'needless quotes, control characters, rows beyond the limit',
    limits: ['maxRows', 'maxLineChars', 'maxOutputBytes'],
  },
  tsv: {
    becomes: 'CSV text with commas, the header repeated in long files',
    kept: 'as CSV',
    lost: 'as CSV',
    limits: ['maxRows', 'maxLineChars', 'maxOutputBytes'],
  },
  html: {
    becomes: asText,
    kept: 'title, headings, lists, tables, links, code, quotations, descriptions of pictures',
    lost: 'scripts, styles, hidden elements, pictures; nothing is fetched',
    limits: ['maxXmlDepth', 'maxOutputBytes'],
  },
  eml: {
    becomes: `${asText}; each attachment a document of its own`,
    kept: 'subject, addresses, date, body (tables and links of HTML), forwarded mails',
    lost: 'other headers, small pictures within the layout; of web archives all but the page',
    limits: ['maxNesting', 'maxXmlDepth', 'maxZipEntries'],
  },
  docx: {
    becomes: `${asText}; PDF by the render step when it holds pictures, charts, equations, shapes or text boxes`,
    kept: 'headings, numbered lists, tables, links, headers, footnotes, endnotes, comments',
    lost: 'layout, deletions of tracked changes; as PDF: EMF and WMF pictures',
    limits: xmlInZip,
  },
  xlsx: {
    becomes: `${asText}, sheet by sheet in the order of the tabs`,
    kept: 'cells with dates as dates and formulas as their stored results, comments, hidden sheets',
    lost: 'pictures, charts, formatting, macros, rows and cells beyond the limits',
    limits: [...xmlInZip, 'maxRows', 'maxCells'],
  },
  xls: {
    becomes: `${asText}, sheet by sheet in the order of the tabs`,
    kept: 'as xlsx',
    lost: 'as xlsx',
    limits: ['maxRows', 'maxCells'],
  },
  ods: {
    becomes: `${asText}, sheet by sheet in the order of the tabs`,
    kept: 'as xlsx',
    lost: 'as xlsx',
    limits: [...xmlInZip, 'maxRows', 'maxCells'],
  },
  pptx: {
    becomes: `${asText}, slide by slide`,
    kept: 'titles, text, tables, speaker notes, comments, texts of diagrams, data of charts',
    lost: 'pictures, films, layout, embedded files',
    limits: xmlInZip,
  },
  odt: {
    becomes: asText,
    kept: 'headings, lists, tables, notes, links',
    lost: 'pictures, charts, layout',
    limits: xmlInZip,
  },
  odp: {
    becomes: `${asText}, slide by slide`,
    kept: 'text, speaker notes',
    lost: 'pictures, charts, layout',
    limits: xmlInZip,
  },
  rtf: {
    becomes: asText,
    kept: 'text of any code page, tables, notes',
    lost: 'pictures, layout',
    limits: [],
  },
  epub: {
    becomes: `${asText}, chapter by chapter in reading order`,
    kept: 'headings, lists, tables, links',
    lost: 'pictures, scripts, styles',
    limits: xmlInZip,
  },
  zip: {
    becomes: 'its files, each a document of its own',
    kept: 'every file with its folders',
    lost: 'links, files that are encrypted or damaged (they are named), litter of systems',
    limits: [...zipped, 'maxNesting'],
  },
};
