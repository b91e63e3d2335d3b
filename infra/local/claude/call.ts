import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchDesk } from './batches.ts';
import { ApiError, invalid, storageFull, tooLarge } from './errors.ts';
import type { Fault, FaultBook } from './faults.ts';
import type { FileStore } from './file-store.ts';
import type { Journal, JournalEntry } from './journal.ts';
import type { Dialect, Settings } from './options.ts';
import type { PdfReader } from './pdf-reader.ts';
import type { PromptCache } from './prompt-cache.ts';
import type { Rates } from './rate.ts';

/** Everything one running emulator holds. */
export interface World {
  settings: Settings;
  files: FileStore;
  journal: Journal;
  faults: FaultBook;
  rates: Rates;
  pdfs: PdfReader;
  cache: PromptCache;
  batches: BatchDesk;
  newId: (prefix: string) => string;
  /** Fires when the emulator closes: ends waits and hanging calls. */
  stop: AbortSignal;
}

/** On whose behalf work is done: a call, or one request of a Message Batch. */
export interface Caller {
  world: World;
  method: string;
  path: string;
  operation: string;
  /** Which dialect's shapes this request gets: the beta header selects beta in either. */
  shape: Dialect;
  entry: JournalEntry;
  /** The fault that struck, for kinds that act while or after the work is done. */
  fault: Fault | undefined;
}

/** One request on its way through the emulator. */
export interface Call extends Caller {
  req: IncomingMessage;
  query: URLSearchParams;
  /** The `{id}` of the path, empty when it has none. */
  id: string;
  requestId: string;
  /** The `anthropic-version` sent. */
  version: string;
  /** Headers that the answer gets whether it succeeds or not. */
  headers: Record<string, string>;
}

export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  json?: unknown;
  /** Instead of `json`: bytes, or a file of which `sizeBytes` are sent. */
  body?: Buffer | { path: string; sizeBytes: number };
  contentType?: string;
}

/** Thrown to end a call without an answer. */
export class ConnectionFault extends Error {
  readonly action: 'cut' | 'hang';

  constructor(action: 'cut' | 'hang') {
    super(`connection fault: ${action}`);
    this.name = 'ConnectionFault';
    this.action = action;
  }
}

/** Waits, but no longer than the emulator runs. */
export async function pause(world: World, ms: number): Promise<void> {
  if (ms <= 0) return;
  await sleep(ms, undefined, { signal: world.stop }).catch(() => {
    throw new ConnectionFault('cut');
  });
}

/**
 * Lets the faults have their chance: at arrival without a `filename`, and later for each name that
 * turns up. Faults that strike at once throw; the others stay in `call.fault`.
 */
export async function strike(call: Caller, filename?: string): Promise<void> {
  if (call.fault) return;
  const fault = call.world.faults.pick(call, filename);
  if (!fault) return;
  call.fault = fault;
  call.entry.fault = fault.kind;

  switch (fault.kind) {
    case 'error':
      throw faultError(fault);
    case 'spend_cap': {
      const message = fault.message ?? 'You have reached your specified API usage limits.';
      const details = { error_code: fault.errorCode ?? 'enforced_spend_limit_reached' };
      throw new ApiError(429, message, { details, headers: fault.headers });
    }
    case 'storage_full':
      throw storageFull(call.shape);
    case 'cut_before':
      throw new ConnectionFault('cut');
    case 'hang':
      throw new ConnectionFault('hang');
    case 'delay':
      return pause(call.world, fault.delayMs ?? 1_000);
    default:
  }
}

function faultError(fault: Fault): ApiError {
  const status = fault.status ?? 500;
  const retryAfter = fault.retryAfter === undefined && status === 429 ? 1 : fault.retryAfter;
  const waits = retryAfter !== undefined && retryAfter !== null;
  return new ApiError(status, fault.message ?? `A fault was asked for: status ${status}.`, {
    type: fault.errorType,
    details: fault.errorCode === undefined ? undefined : { error_code: fault.errorCode },
    headers: { ...(waits ? { 'retry-after': String(retryAfter) } : {}), ...fault.headers },
  });
}

/** The request's body. Breaking off leaves the connection usable for the answer. */
export async function* bodyOf(call: Call): AsyncGenerator<Buffer, void> {
  let read = 0;
  const chunks: AsyncIterable<Buffer> = call.req.iterator({ destroyOnReturn: false });

  for await (const chunk of chunks) {
    read += chunk.length;
    if (call.fault?.kind === 'cut_upload' && read > (call.fault.afterBytes ?? 0)) break;
    yield chunk;
    if (call.fault?.kind === 'slow_upload') await pause(call.world, call.fault.delayMs ?? 10);
  }
  if (call.fault?.kind === 'cut_upload') throw new ConnectionFault('cut');
}

/** Reads a JSON body. Throws 400 when it is none, 413 above `limit` bytes. */
export async function readJson(call: Call, limit: number): Promise<unknown> {
  const type = call.req.headers['content-type'];
  if (!/^application\/json\s*(;\s*charset=utf-8\s*)?$/i.test(type ?? '')) {
    throw invalid('content-type: must be application/json');
  }
  const tooMuch = () => tooLarge(`Request exceeds the maximum size of ${limit} bytes`);
  if (Number(call.req.headers['content-length'] ?? 0) > limit) throw tooMuch();

  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyOf(call)) {
    size += chunk.length;
    if (size > limit) throw tooMuch();
    chunks.push(chunk);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw invalid('The request body is not valid JSON');
  }
}
