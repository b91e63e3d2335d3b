import type { Format } from './kinds.ts';
import type { Converter } from './types.ts';

/**
 * The converter of each format, loaded when the first file of that format comes: a CSV never waits
 * for mammoth to load.
 */
export const converters: Record<Format, () => Promise<Converter>> = {
  pdf: async () => (await import('./pdf.ts')).convertPdf,
  jpeg: async () => (await import('./image.ts')).convertImage,
  png: async () => (await import('./image.ts')).convertImage,
  gif: async () => (await import('./image.ts')).convertImage,
  webp: async () => (await import('./image.ts')).convertImage,
  text: async () => (await import('./text.ts')).convertText,
  csv: async () => (await import('./csv.ts')).convertCsv,
  tsv: async () => (await import('./csv.ts')).convertCsv,
  html: async () => (await import('./html.ts')).convertHtml,
  eml: async () => (await import('./eml.ts')).convertEml,
  docx: async () => (await import('./docx.ts')).convertDocx,
  xlsx: async () => (await import('./spreadsheet.ts')).convertSpreadsheet,
  xls: async () => (await import('./spreadsheet.ts')).convertSpreadsheet,
  ods: async () => (await import('./spreadsheet.ts')).convertSpreadsheet,
  pptx: async () => (await import('./office.ts')).convertOffice,
  odt: async () => (await import('./office.ts')).convertOffice,
  odp: async () => (await import('./office.ts')).convertOffice,
  rtf: async () => (await import('./office.ts')).convertOffice,
  epub: async () => (await import('./office.ts')).convertOffice,
  zip: async () => (await import('./zip.ts')).convertZip,
};
