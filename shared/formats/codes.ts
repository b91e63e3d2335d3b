import type { CodeEntry } from '../codes.ts';

/** Codes that conversions end with. The step name is `normalize` or `render`. */
export const formatCodes = {
  'normalize.empty': {
    outcome: 'failed',
    meaning: 'The file has no bytes, or nothing in it that could be read.',
    advice: 'Check that the upload to the bucket completed, then drop the file again.',
  },
  'normalize.unsupported': {
    outcome: 'skipped',
    meaning: 'The type of the file is none that Dropline converts.',
    advice: 'Save it as PDF, docx, CSV or plain text, or use a profile with container uploads.',
  },
} as const satisfies Record<string, CodeEntry>;
