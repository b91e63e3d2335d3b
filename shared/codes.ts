import { formatCodes } from './formats/codes.ts';

/** What a code means and what a person can do about it; the source of `docs/errors.md`. */
export interface CodeEntry {
  /** What the document's record ends as when this code is in it. */
  outcome: 'failed' | 'skipped' | 'held' | 'retried';
  meaning: string;
  advice: string;
}

const journeyCodes = {} as const satisfies Record<string, CodeEntry>;

/** Every stable error code of the product, by step. */
export const codes: Record<string, CodeEntry> = { ...formatCodes, ...journeyCodes };
