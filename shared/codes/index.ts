import { claudeCodes } from './claude.ts';
import type { CodeEntry } from './entry.ts';
import { formatCodes } from './formats.ts';
import { journeyCodes } from './journey.ts';
import { printCodes } from './print.ts';

export type { CodeEntry } from './entry.ts';
export { formatCodes, formatWarnings } from './formats.ts';
export { fileWarnings, journeyWarnings } from './journey.ts';
export { printCodes, printWarnings } from './print.ts';

/** Every stable error code of the product, by step. */
export const codes: Record<string, CodeEntry> = {
  ...formatCodes,
  ...printCodes,
  ...claudeCodes,
  ...journeyCodes,
};
