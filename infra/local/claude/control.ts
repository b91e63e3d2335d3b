import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { BatchEnd } from './batch-store.ts';
import { type Fault, faultSchema } from './faults.ts';
import type { StoredFile } from './file-store.ts';
import type { JournalFilter } from './journal.ts';
import { settleBatch } from './run-batch.ts';
import type { EmulatorState } from './state.ts';

/** `/_emulator/…`: inspects and controls the emulator. No API key, no rate limit, not in the journal. */

const filterSchema = z.strictObject({
  path: z.string().optional(),
  method: z.string().toUpperCase().optional(),
  operation: z.string().optional(),
  status: z.coerce.number().int().optional(),
  filename: z.string().optional(),
  fileId: z.string().optional(),
  fault: z.string().optional(),
  after: z.coerce.number().int().optional(),
  limit: z.coerce.number().int().min(0).optional(),
});

/** A file as the controls show it, with more than the API shows. */
export interface FileInfo {
  id: string;
  filename: string;
  mimeType: string;
  sizeBytes: number;
  sha256: string;
  createdAt: string;
  expiresAt: string | null;
  expired: boolean;
  downloadable: boolean;
}

export function fileInfo(state: EmulatorState, file: StoredFile): FileInfo {
  const { id, filename, mimeType, sizeBytes, sha256, downloadable } = file;
  return {
    id,
    filename,
    mimeType,
    sizeBytes,
    sha256,
    createdAt: new Date(file.createdAt).toISOString(),
    expiresAt: file.expiresAt === null ? null : new Date(file.expiresAt).toISOString(),
    expired: state.files.expired(file),
    downloadable,
  };
}

const help = {
  'GET /_emulator/journal':
    'calls, oldest first; ?path= &method= &operation= &status= &filename= &fileId= &fault= &after=SEQ &limit=N',
  'DELETE /_emulator/journal': 'clears the journal',
  'GET /_emulator/faults': 'faults, with how often each matched and struck',
  'POST /_emulator/faults': 'adds one fault or a list of them',
  'DELETE /_emulator/faults': 'removes all faults',
  'GET /_emulator/files': 'files with their SHA-256, oldest first',
  'POST /_emulator/files/{id}/expire': 'makes a file expire now',
  'DELETE /_emulator/files/{id}': 'removes a file without a trace',
  'POST /_emulator/batches/end': 'ends all batches now; ?as=processed|expired',
  'POST /_emulator/batches/{id}/end': 'ends one batch now; ?as=processed|expired',
};

class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Answers a control request; 400 with `{error}` when it is invalid, 404 when something does not exist. */
export async function control(
  state: EmulatorState,
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
  query: URLSearchParams,
): Promise<void> {
  let status = 200;
  let body: unknown;
  try {
    body = await act(state, req, `${req.method} ${path.replace(/\/$/, '')}`, query);
  } catch (error) {
    status = error instanceof Refused ? error.status : 400;
    const message = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    body = { error: message };
  }
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  const headers = { 'content-type': 'application/json', 'content-length': bytes.length };
  res.writeHead(status, headers).end(bytes);
}

async function act(
  state: EmulatorState,
  req: IncomingMessage,
  what: string,
  query: URLSearchParams,
): Promise<unknown> {
  switch (what) {
    case 'GET /_emulator':
      return { dialect: state.settings.dialect, controls: help };
    case 'GET /_emulator/journal': {
      const filter = filterSchema.parse(Object.fromEntries(query));
      return { entries: state.journal.entries(filter as JournalFilter) };
    }
    case 'DELETE /_emulator/journal':
      state.journal.clear();
      return { ok: true };
    case 'GET /_emulator/faults':
      return { faults: state.faults.list() };
    case 'POST /_emulator/faults': {
      const given = JSON.parse(await textOf(req)) as unknown;
      const faults = z.union([faultSchema.transform((one) => [one]), z.array(faultSchema)]);
      const added = faults.parse(given) as Fault[];
      for (const fault of added) state.faults.add(fault);
      return { added: added.length };
    }
    case 'DELETE /_emulator/faults':
      state.faults.clear();
      return { ok: true };
    case 'GET /_emulator/files':
      return { files: state.files.all().map((file) => fileInfo(state, file)) };
    default:
      return actOnOne(state, what, query);
  }
}

async function actOnOne(
  state: EmulatorState,
  what: string,
  query: URLSearchParams,
): Promise<unknown> {
  const file = /^(POST|DELETE) \/_emulator\/files\/([^/]+)(\/expire)?$/.exec(what);
  if (file && (file[1] === 'POST') === (file[3] !== undefined)) {
    const id = file[2] ?? '';
    if (!state.files.has(id)) throw new Refused(404, `no file ${id}`);
    await (file[3] ? state.files.expire(id) : state.files.purge(id));
    return { ok: true };
  }

  const batch = /^POST \/_emulator\/batches(?:\/([^/]+))?\/end$/.exec(what);
  if (batch) {
    const as = z.enum(['processed', 'expired']).parse(query.get('as') ?? 'processed');
    return { ended: await endBatches(state, as, batch[1]) };
  }
  throw new Refused(404, `no such control: ${what}; see GET /_emulator`);
}

/** Ends one batch or all that are still open; returns their ids. */
export async function endBatches(
  state: EmulatorState,
  as: BatchEnd,
  id?: string,
): Promise<string[]> {
  const open = state.batches.all().filter((batch) => batch.endedAt === null);
  const chosen = id === undefined ? open : open.filter((batch) => batch.id === id);
  if (id !== undefined && chosen.length === 0) throw new Refused(404, `no open batch ${id}`);
  for (const batch of chosen) await settleBatch(state, batch, as);
  return chosen.map((batch) => batch.id);
}

async function textOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
