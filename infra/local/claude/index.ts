import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BatchEnd, BatchStore } from './batch-store.ts';
import { endBatches, type FileInfo, fileInfo } from './control.ts';
import { type Fault, FaultBook, type FaultState } from './faults.ts';
import { FileStore } from './file-store.ts';
import { idMaker } from './ids.ts';
import { Journal, type JournalEntry, type JournalFilter } from './journal.ts';
import { type EmulatorOptions, type EmulatorSettings, toSettings } from './options.ts';
import { PdfReader } from './pdf-reader.ts';
import { PromptCache } from './prompt-cache.ts';
import { Rates } from './rate.ts';
import { makeServer } from './server.ts';
import type { EmulatorState } from './state.ts';

/**
 * An emulator of the Claude API: Files, Messages, count_tokens, Message Batches and Models, as strict
 * as the real API. It is not a model: its answers are passages from the documents and say so (see
 * answer.ts).
 */

export type { Fault } from './faults.ts';
export type { EmulatorOptions } from './options.ts';

export interface Emulator {
  /** Base URL without a trailing slash, for `baseURL` of the SDK. */
  url: string;
  port: number;
  dataDir: string;
  /** Calls so far, oldest first. */
  journal(filter?: JournalFilter): JournalEntry[];
  clearJournal(): void;
  /** Throws `ZodError` on an invalid fault. */
  addFault(fault: Fault): void;
  clearFaults(): void;
  faults(): FaultState[];
  /** Files that are visible through the API, oldest first. */
  files(): FileInfo[];
  /** Adds a file without the API; downloadable by default, as if a tool had made it. */
  addFile(file: {
    filename: string;
    content: string | Uint8Array;
    mimeType?: string;
    downloadable?: boolean;
  }): Promise<FileInfo>;
  /** Makes a file expire now. */
  expireFile(id: string): Promise<void>;
  /** Removes a file without a trace. */
  vanishFile(id: string): Promise<void>;
  /** Ends open batches now, whatever the clock says; returns their ids. */
  endBatches(as?: BatchEnd): Promise<string[]>;
  /** Ends all connections; removes the data folder if it was a temporary one. */
  close(): Promise<void>;
}

/** Starts an emulator on its own port. Rejects when the port is taken or an option is invalid.
 * @param shared what several stand-ins use together: a reader of PDFs, which starts a thread
 */
export async function startEmulator(
  options: EmulatorOptions = {},
  shared: { pdfs?: PdfReader } = {},
): Promise<Emulator> {
  const settings = toSettings(options);
  const temporary = settings.dataDir === undefined;
  const dataDir =
    settings.dataDir === undefined
      ? await mkdtemp(join(tmpdir(), 'dropline-emulator-'))
      : resolve(settings.dataDir);
  await mkdir(dataDir, { recursive: true });

  const stop = new AbortController();
  const pdfs = shared.pdfs ?? new PdfReader();
  const state = await openState(settings, dataDir, pdfs, stop.signal);
  const server = makeServer(state);
  try {
    server.listen(settings.port, settings.host);
    await once(server, 'listening');
  } catch (error) {
    if (temporary) await rm(dataDir, { recursive: true, force: true });
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;

  let closing: Promise<void> | undefined;
  const close = async () => {
    stop.abort();
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
    if (!shared.pdfs) await pdfs.close();
    if (temporary) await rm(dataDir, { recursive: true, force: true });
  };

  return {
    url: `http://${host}:${port}`,
    port,
    dataDir,
    ...controlsOf(state),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function openState(
  settings: EmulatorSettings,
  dataDir: string,
  pdfs: PdfReader,
  stop: AbortSignal,
): Promise<EmulatorState> {
  const faults = new FaultBook(settings.random ?? Math.random);
  for (const fault of settings.faults) faults.add(fault);
  return {
    settings,
    files: await FileStore.open(dataDir, settings.now, settings.deleteLagMs),
    journal: new Journal(settings.journalSize),
    faults,
    rates: new Rates(settings),
    pdfs,
    cache: new PromptCache(settings.now),
    batches: await BatchStore.open(dataDir),
    newId: idMaker(settings.random),
    stop,
  };
}

/** The controls for code in the same process, in place of `/_emulator`. */
function controlsOf(state: EmulatorState): Omit<Emulator, 'url' | 'port' | 'dataDir' | 'close'> {
  return {
    journal: (filter) => state.journal.entries(filter),
    clearJournal: () => state.journal.clear(),
    addFault: (fault) => state.faults.add(fault),
    clearFaults: () => state.faults.clear(),
    faults: () => state.faults.list(),
    files: () => state.files.all().map((file) => fileInfo(state, file)),
    async addFile({
      filename,
      content,
      mimeType = 'application/octet-stream',
      downloadable = true,
    }) {
      const pending = state.files.begin();
      await pending.write(Buffer.from(content));
      const id = state.newId('file');
      const file = await state.files.add(pending, { id, filename, mimeType, downloadable });
      return fileInfo(state, file);
    },
    expireFile: (id) => state.files.expire(id),
    vanishFile: (id) => state.files.purge(id),
    endBatches: (as = 'processed') => endBatches(state, as),
  };
}
