import type { Warning } from '../journey/record.ts';

/**
 * A docx to print, already checked by the normalize step. Its name is not among it: the PDF depends on the
 * document's bytes alone, so that one document under two names is one content.
 */
export interface RenderInput {
  /** Local path of the docx. */
  path: string;
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
