import type { Warning } from '../journey/record.ts';

/** A docx to print, already found sound by the normalize step. */
export interface RenderInput {
  /** Local path of the docx. */
  path: string;
  /** The file's name as the user gave it; becomes the PDF's title when the docx has none. */
  name: string;
  /** An existing directory for the PDF and what else the rendering needs. */
  outDir: string;
  /** Wall-clock milliseconds before the rendering is stopped. */
  timeoutMs: number;
  renderer: 'chromium' | 'libreoffice';
  /** A Chrome or Chromium to use instead of the packaged one. */
  browserPath?: string;
  /** The `soffice` to use; looked for on the machine when left out. */
  sofficePath?: string;
  /** A directory of TTF or OTF fonts to use instead of the installed ones. */
  fontsDir?: string;
}

/** The PDF that a docx became. */
export interface Rendered {
  path: string;
  mimeType: 'application/pdf';
  pages: number;
  /** Pictures that the document shows, each place counted once. */
  imagesFound: number;
  imagesKept: number;
  warnings: Warning[];
}
