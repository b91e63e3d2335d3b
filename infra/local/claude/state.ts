import type { BatchStore } from './batch-store.ts';
import type { FaultBook } from './faults.ts';
import type { FileStore } from './file-store.ts';
import type { Journal } from './journal.ts';
import type { EmulatorSettings } from './options.ts';
import type { PdfReader } from './pdf-reader.ts';
import type { PromptCache } from './prompt-cache.ts';
import type { Rates } from './rate.ts';

/** Everything one running emulator holds. None of these parts knows about calls. */
export interface EmulatorState {
  settings: EmulatorSettings;
  files: FileStore;
  journal: Journal;
  faults: FaultBook;
  rates: Rates;
  pdfs: PdfReader;
  cache: PromptCache;
  batches: BatchStore;
  newId: (prefix: string) => string;
  /** Fires when the emulator closes: ends waits and hanging calls. */
  stop: AbortSignal;
}
