import type { Converter, Format } from '../formats/index.ts';
import { formatConverters } from '../formats/inside.ts';

/** The converter of each format, loaded with its first file: a CSV never waits for mammoth. */
export const converters: Record<Format, () => Promise<Converter>> = {
  ...formatConverters,
  docx: async () => (await import('../word/to-text/index.ts')).convertDocx,
};
