import type { ProgressOutput } from './progress.ts';
import type { TableStyle } from './table.ts';

/** What a command may know of the world around it. */
export interface Terminal {
  /** Results: the table, the JSON lines. */
  stdout: { write(text: string): unknown };
  /** Progress and everything else a person should read: stderr. */
  progress: ProgressOutput;
  style: TableStyle;
  /** Aborts when the person wants to stop. */
  signal: AbortSignal;
  /** PATH, for the functions' processes. */
  path: string | undefined;
}
