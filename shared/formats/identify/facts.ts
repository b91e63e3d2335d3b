import type { Limits } from '../limits.ts';
import type { Format } from './kinds.ts';

/** What a person should know about a format; the source of `docs/formats.md`. */
export interface FormatFacts {
  becomes: string;
  kept: string;
  lost: string;
  /** Limits that matter for it, besides bytes, seconds and memory, which apply to all. */
  limits: readonly (keyof Limits)[];
}

const asText = 'UTF-8 text';
const zipped = ['maxUnzippedBytes', 'maxZipEntries', 'maxZipRatio'] as const;
const xmlInZip = [...zipped, 'maxXmlBytes', 'maxXmlDepth'] as const;

const picture: FormatFacts = {
  becomes: 'itself; scaled down if Claude does not accept its size',
  kept: 'the picture',
  lost: 'pixels when scaled, frames after the first',
  limits: ['maxPixelsPerSide', 'maxPixels', 'maxImageBytes'],
};

/** One entry for each format. */
export const formatFacts: Record<Format, FormatFacts> = {
  pdf: {
    becomes: 'itself',
    kept: 'everything; pages are counted, a missing text layer is reported',
    lost: 'attached files, scripts and actions',
    limits: ['maxPages'],
  },
  jpeg: picture,
  png: picture,
  gif: picture,
  webp: picture,
  text: {
    becomes: 'itself if it is clean UTF-8, otherwise UTF-8 text',
    kept: 'every character; the original encoding is in the record',
    lost: 'control characters, terminal colours, bytes that are invalid in the encoding',
    limits: ['maxOutputBytes'],
  },
  csv: {
    becomes: 'comma-separated text, the header repeated in long files',
    kept: 'every cell as it is, including formulas, ragged rows and line breaks',
    lost: 'needless quotes, control characters, rows beyond the limit',
    limits: ['maxRows', 'maxLineChars', 'maxOutputBytes'],
  },
  tsv: {
    becomes: 'comma-separated text, the header repeated in long files',
    kept: 'as CSV',
    lost: 'as CSV',
    limits: ['maxRows', 'maxLineChars', 'maxOutputBytes'],
  },
  html: {
    becomes: asText,
    kept: 'title, headings, lists with their labels, tables, links, code, quotations, formulas in a line (1/2, 10^6), options of forms, ruby, alternative texts of pictures',
    lost: 'scripts, styles, hidden text (reported), pictures; nothing is fetched',
    limits: ['maxXmlDepth', 'maxOutputBytes'],
  },
  eml: {
    becomes: `${asText}; each attachment becomes a document of its own`,
    kept: 'subject, addresses, date, body (tables and links of HTML), forwarded mails',
    lost: 'other headers, hidden text (reported), small pictures of the layout; of web archives, everything but the page',
    limits: ['maxNesting', 'maxXmlDepth', 'maxZipEntries'],
  },
  docx: {
    becomes: `${asText}; PDF (by the render step) if it holds pictures, charts, equations, shapes or text boxes`,
    kept: 'headings, numbered lists, tables, links, headers, footnotes, endnotes, comments',
    lost: 'layout, tracked deletions, hidden text (reported); as PDF: EMF and WMF pictures',
    limits: xmlInZip,
  },
  xlsx: {
    becomes: `${asText}, sheet by sheet in the order of the tabs`,
    kept: 'cells (dates as dates, formulas as their stored results), comments; what is hidden, marked',
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
    kept: 'titles, text, tables, speaker notes, comments, hidden slides (marked), text of diagrams, data of charts',
    lost: 'pictures, videos, layout, embedded files, hidden text (reported)',
    limits: xmlInZip,
  },
  odt: {
    becomes: asText,
    kept: 'headings, lists, tables, notes, links',
    lost: 'pictures, charts, layout, hidden text (reported)',
    limits: xmlInZip,
  },
  odp: {
    becomes: `${asText}, slide by slide`,
    kept: 'text, speaker notes; hidden slides, marked',
    lost: 'pictures, charts, layout, hidden text (reported)',
    limits: xmlInZip,
  },
  rtf: {
    becomes: asText,
    kept: 'text in any code page, dashes and spaces, raised, lowered and struck text, headings by the name of their style, tables, notes, shapes, results of embedded objects, check boxes',
    lost: 'pictures, layout, labels of lists that are not plain numbers, hidden text and tracked deletions (reported)',
    limits: [],
  },
  epub: {
    becomes: `${asText}, chapter by chapter in reading order`,
    kept: 'headings, lists, tables, links',
    lost: 'pictures, scripts, styles, hidden text (reported)',
    limits: xmlInZip,
  },
  zip: {
    becomes: 'its files, each a document of its own',
    kept: 'every file, with its folders in the name',
    lost: 'symbolic links, encrypted or damaged files (reported by name), system files (.DS_Store, Thumbs.db …)',
    limits: [...zipped, 'maxNesting'],
  },
};
