import type { Format } from './identify/kinds.ts';
import type { Converter } from './types.ts';

const convertImage = async () => (await import('./image/image.ts')).convertImage;
const convertCsv = async () => (await import('./csv/csv.ts')).convertCsv;
const convertSpreadsheet = async () =>
  (await import('./spreadsheet/spreadsheet.ts')).convertSpreadsheet;
const convertOffice = async () => (await import('./other-office/convert.ts')).convertOffice;

/**
 * The converter of every format but docx, which has a room of its own. Each is loaded with the
 * first file of its format, so a CSV does not wait for officeparser or sharp.
 */
export const formatConverters: Record<Exclude<Format, 'docx'>, () => Promise<Converter>> = {
  pdf: async () => (await import('./pdf/pdf.ts')).convertPdf,
  jpeg: convertImage,
  png: convertImage,
  gif: convertImage,
  webp: convertImage,
  text: async () => (await import('./text/text.ts')).convertText,
  csv: convertCsv,
  tsv: convertCsv,
  html: async () => (await import('./html/html.ts')).convertHtml,
  eml: async () => (await import('./mail/mail.ts')).convertEml,
  xlsx: convertSpreadsheet,
  xls: convertSpreadsheet,
  ods: convertSpreadsheet,
  pptx: convertOffice,
  odt: convertOffice,
  odp: convertOffice,
  rtf: convertOffice,
  epub: convertOffice,
  zip: async () => (await import('./archive/archive.ts')).convertZip,
};
