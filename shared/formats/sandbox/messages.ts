import type { Conversion, ConvertInput } from '../types.ts';

/** What goes between `ConversionSandbox` and its child processes, as JSON. */

export interface Job {
  id: number;
  input: ConvertInput;
}

/** An error of ours, by class name so that it is thrown again as what it was. */
export interface SentError {
  kind: 'RejectDocument' | 'SkipDocument' | 'other';
  code: string;
  message: string;
  advice?: string | undefined;
}

export type JobAnswer = { id: number; refused: string[] } & (
  | { conversion: Conversion }
  | { error: SentError }
);
