import type { IncomingMessage } from 'node:http';
import type { FilesDialect } from '../../../shared/claude/options.ts';
import type { Fault } from './faults.ts';
import type { JournalEntry } from './journal.ts';
import type { EmulatorState } from './state.ts';

/** What the work is done for: an HTTP call, or one request of a Message Batch. */
export interface CallContext {
  state: EmulatorState;
  method: string;
  path: string;
  operation: string;
  /** The dialect of the shapes in the reply: the beta header selects beta in either dialect. */
  shape: FilesDialect;
  entry: JournalEntry;
  /** The fault that struck, for kinds that act during or after the work. */
  fault: Fault | undefined;
}

/** One HTTP request on its way through the emulator. */
export interface ApiCall extends CallContext {
  req: IncomingMessage;
  query: URLSearchParams;
  /** The `{id}` of the path; empty when the path has none. */
  id: string;
  requestId: string;
  /** The `anthropic-version` sent. */
  version: string;
  /** Headers that the reply gets whether the call succeeds or not. */
  headers: Record<string, string>;
}

/** What a route answers with. */
export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  json?: unknown;
  /** Instead of `json`: bytes, or a file of which `sizeBytes` are sent. */
  body?: Buffer | { path: string; sizeBytes: number };
  contentType?: string;
}
