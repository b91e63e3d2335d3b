import { codes } from '../codes/index.ts';
import type { DroplineError } from '../journey/errors.ts';
import type { Step } from '../journey/record.ts';

/** What a record says about an error of a step; the advice is the catalogue's where the error has none. */
export function recordEntry(error: DroplineError, step: Step) {
  return {
    code: error.code,
    message: error.message,
    step,
    advice: error.advice ?? codes[error.code]?.advice ?? '',
    ...(error.requestId ? { requestId: error.requestId } : {}),
    ...(error.category ? { category: error.category } : {}),
  };
}
