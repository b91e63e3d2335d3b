import { z } from 'zod';
import type { FilesDialect } from '../../../shared/claude/options.ts';
import { type Fault, faultSchema } from './faults.ts';

/**
 * The emulator's options. Every limit defaults to the documented value of the real API, so that a client
 * that works here does not meet a stricter rule there; tests lower them.
 */

export interface EmulatorOptions {
  /** TCP port; 0 (the default) picks a free one. */
  port?: number | undefined;
  /** Address to listen on; default 127.0.0.1. */
  host?: string | undefined;
  /** `ga` (default): the Files API since 2026-08-20; `beta`: before that, behind a header. */
  dialect?: FilesDialect | undefined;
  /** Folder for files and batches; default: a temporary folder that `close()` removes. */
  dataDir?: string | undefined;
  /** Milliseconds since the epoch; drives rate limits, expiry and the end of batches. */
  now?: (() => number) | undefined;
  /** 0 to 1, for ids and for faults with a probability; default: cryptographically random ids. */
  random?: (() => number) | undefined;
  /** Limit on all file operations together; default 500 (`ga`) or 100 (`beta`). `Infinity`: no limit. */
  filesPerMinute?: number | undefined;
  /** Burst of file operations; default 10. */
  filesBurst?: number | undefined;
  messagesPerMinute?: number | undefined;
  inputTokensPerMinute?: number | undefined;
  outputTokensPerMinute?: number | undefined;
  /** Accepted keys; default: any non-empty key. */
  apiKeys?: readonly string[] | undefined;
  /** Milliseconds by which every reply of the API is delayed. */
  latencyMs?: number | undefined;
  /** Number of calls that the journal keeps; default 10,000. */
  journalSize?: number | undefined;
  /** Maximum size of a file in bytes; default 500 MiB. */
  maxFileBytes?: number | undefined;
  /** Maximum body of Messages and count_tokens in bytes; default 32 MiB. */
  maxBodyBytes?: number | undefined;
  /** Storage quota of all files in bytes; default 1 TB (`ga`) or 500 GB (`beta`). */
  storageBytes?: number | undefined;
  /** Milliseconds that a deleted file stays visible; the real API deletes "shortly after". */
  deleteLagMs?: number | undefined;
  /** Milliseconds from a batch's creation to its end, by `now`; default 2,000. */
  batchDelayMs?: number | undefined;
  /** Whether requests in a batch may reference files. Unverified for the real API, so both are offered. */
  batchFileIds?: 'accept' | 'refuse' | undefined;
  /** Faults that are there from the start; more can be added while it runs. */
  faults?: readonly Fault[] | undefined;
}

export type EmulatorSettings = Omit<
  { [K in keyof EmulatorOptions]-?: Exclude<EmulatorOptions[K], undefined> },
  'random' | 'apiKeys' | 'dataDir'
> & {
  random: (() => number) | undefined;
  apiKeys: ReadonlySet<string> | undefined;
  dataDir: string | undefined;
};

const count = z.number().positive();
const bytes = z.number().int().positive();

const optionsSchema = z.strictObject({
  port: z.number().int().min(0).max(65_535).default(0),
  host: z.string().min(1).default('127.0.0.1'),
  dialect: z.enum(['ga', 'beta']).default('ga'),
  dataDir: z.string().min(1).optional(),
  now: z.custom<() => number>((value) => typeof value === 'function').optional(),
  random: z.custom<() => number>((value) => typeof value === 'function').optional(),
  filesPerMinute: z.union([count, z.literal(Infinity)]).optional(),
  filesBurst: count.default(10),
  messagesPerMinute: z.union([count, z.literal(Infinity)]).default(4_000),
  inputTokensPerMinute: z.union([count, z.literal(Infinity)]).default(4_000_000),
  outputTokensPerMinute: z.union([count, z.literal(Infinity)]).default(800_000),
  apiKeys: z.array(z.string().min(1)).readonly().optional(),
  latencyMs: z.number().min(0).default(0),
  journalSize: z.number().int().positive().default(10_000),
  maxFileBytes: bytes.default(500 * 1024 * 1024),
  maxBodyBytes: bytes.default(32 * 1024 * 1024),
  storageBytes: bytes.optional(),
  deleteLagMs: z.number().min(0).default(0),
  batchDelayMs: z.number().min(0).default(2_000),
  batchFileIds: z.enum(['accept', 'refuse']).default('accept'),
  faults: z.array(faultSchema).readonly().default([]),
});

/** Applies the defaults. Throws `ZodError` on an invalid value. */
export function toSettings(options: EmulatorOptions): EmulatorSettings {
  const given = optionsSchema.parse(options);
  const beta = given.dialect === 'beta';

  return {
    ...given,
    now: given.now ?? Date.now,
    random: given.random,
    dataDir: given.dataDir,
    faults: options.faults ?? [],
    apiKeys: given.apiKeys === undefined ? undefined : new Set(given.apiKeys),
    filesPerMinute: given.filesPerMinute ?? (beta ? 100 : 500),
    storageBytes: given.storageBytes ?? (beta ? 500e9 : 1e12),
  };
}
