import type { Format } from '../formats/identify/kinds.ts';
import type { Converter } from '../formats/types.ts';

/**
 * The converter of each format, loaded when the first file of that format comes: a CSV never waits
 * for mammoth to load.
 */
export const converters: Record<Format, () => Promise<Converter>> = {
  pdf: async () => (await import('../formats/pdf/pdf.ts')).convertPdf,
  jpeg: async () => (await import('../formats/image/image.ts')).convertImage,
  png: async () => (await import('../formats/image/image.ts')).convertImage,
  gif: async () => (await import('../formats/image/image.ts')).convertImage,
  webp: async () => (await import('../formats/image/image.ts')).convertImage,
  text: async () => (await import('../formats/text/text.ts')).convertText,
  csv: async () => (await import('../formats/csv/csv.ts')).convertCsv,
  tsv: async () => (await import('../formats/csv/csv.ts')).convertCsv,
  html: async () => (await import('../formats/html/html.ts')).convertHtml,
  eml: async () => (await import('../formats/mail/mail.ts')).convertEml,
  docx: async () => (await import('../word/to-text/index.ts')).convertDocx,
  xlsx: async () => (await import('../formats/spreadsheet/spreadsheet.ts')).convertSpreadsheet,
  xls: async () => (await import('../formats/spreadsheet/spreadsheet.ts')).convertSpreadsheet,
  ods: async () => (await import('../formats/spreadsheet/spreadsheet.ts')).convertSpreadsheet,
  pptx: async () => (await import('../formats/slides/slides-and-open.ts')).convertOffice,
  odt: async () => (await import('../formats/slides/slides-and-open.ts')).convertOffice,
  odp: async () => (await import('../formats/slides/slides-and-open.ts')).convertOffice,
  rtf: async () => (await import('../formats/slides/slides-and-open.ts')).convertOffice,
  epub: async () => (await import('../formats/slides/slides-and-open.ts')).convertOffice,
  zip: async () => (await import('../formats/archive/archive.ts')).convertZip,
};
