import type { Warning } from '../journey/record.ts';

/** A docx to print, already checked by the normalize step. */
export interface RenderInput {
  /** Local path of the docx. */
  path: string;
  /** The file's name as the user gave it: the PDF's title when the docx has none. */
  name: string;
  /** An existing directory for the PDF. */
  outDir: string;
  /** Wall-clock milliseconds before the rendering is stopped. */
  timeoutMs: number;
  renderer: 'chromium' | 'libreoffice';
  /** A Chrome or Chromium to use instead of the packaged one. */
  browserPath?: string;
  /** The `soffice` to use; by default one that is installed. */
  sofficePath?: string;
  /** A directory of TTF or OTF fonts to use instead of the installed ones. */
  fontsDir?: string;
}

/** The PDF made from a docx. */
export interface Rendered {
  path: string;
  mimeType: 'application/pdf';
  pages: number;
  /** Places where the document shows a picture. */
  imagesFound: number;
  imagesKept: number;
  warnings: Warning[];
}
