import type { Conversion, ConvertInput } from '../types.ts';

/** The messages between `ConversionSandbox` and its child processes, as JSON. */

export interface Job {
  id: number;
  input: ConvertInput;
}

/** An error of ours, with the name of its class, so that the parent can throw the same again. */
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
