import type { ProgressOutput } from './progress.ts';
import type { TableStyle } from './table.ts';

/** Everything outside that a command uses. */
export interface Terminal {
  /** Results: the table, the JSON lines. */
  stdout: { write(text: string): unknown };
  /** Progress and messages for the user: stderr. */
  progress: ProgressOutput;
  style: TableStyle;
  /** Aborts when the user wants to stop. */
  signal: AbortSignal;
  /** PATH, for the functions' processes. */
  path: string | undefined;
}
