import { z } from 'zod';
import type { FilesDialect } from '../../../shared/claude/options.ts';

/**
 * What the emulator can be told. Every limit has the value the real API is documented with, so that
 * a client that gets along here does not meet a stricter rule there; tests lower them.
 */

export interface EmulatorOptions {
  /** TCP port, 0 (the default) for a free one. */
  port?: number | undefined;
  /** Address to listen on, 127.0.0.1 when left out. */
  host?: string | undefined;
  /** `ga` (default): the Files API since 2026-08-20; `beta`: as it was before, behind a header. */
  dialect?: FilesDialect | undefined;
  /** Where files and batches are kept; a temporary folder, removed by `close()`, when left out. */
  dataDir?: string | undefined;
  /** Milliseconds since the epoch; decides rates, expiry and the end of batches. */
  now?: (() => number) | undefined;
  /** 0 to 1, for ids and for faults with a probability; cryptographic when left out. */
  random?: (() => number) | undefined;
  /** All file operations together; 500 (`ga`) or 100 (`beta`) a minute. `Infinity` is no limit. */
  filesPerMinute?: number | undefined;
  /** How many file operations may come at once, 10 by default. */
  filesBurst?: number | undefined;
  messagesPerMinute?: number | undefined;
  inputTokensPerMinute?: number | undefined;
  outputTokensPerMinute?: number | undefined;
  /** Keys that are let in; any that is not empty when left out. */
  apiKeys?: readonly string[] | undefined;
  /** Milliseconds that every reply of the API is held back. */
  latencyMs?: number | undefined;
  /** Calls the journal remembers, 10,000 by default. */
  journalSize?: number | undefined;
  /** Bytes a file may have: 500 MiB. */
  maxFileBytes?: number | undefined;
  /** Bytes the body of Messages and count_tokens may have: 32 MiB. */
  maxBodyBytes?: number | undefined;
  /** Bytes all files may have together: 1 TB (`ga`) or 500 GB (`beta`). */
  storageBytes?: number | undefined;
  /** For how long a deleted file can still be seen; deletion is "shortly after" in the real API. */
  deleteLagMs?: number | undefined;
  /** From a batch's creation until it ends, by `now`. */
  batchDelayMs?: number | undefined;
  /** Whether requests in a batch may refer to files. Unverified for the real API, so both can be had. */
  batchFileIds?: 'accept' | 'refuse' | undefined;
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
});

/** Fills in what was left out. Throws `ZodError` on a value that makes no sense. */
export function toSettings(options: EmulatorOptions): EmulatorSettings {
  const given = optionsSchema.parse(options);
  const beta = given.dialect === 'beta';

  return {
    ...given,
    now: given.now ?? Date.now,
    random: given.random,
    dataDir: given.dataDir,
    apiKeys: given.apiKeys === undefined ? undefined : new Set(given.apiKeys),
    filesPerMinute: given.filesPerMinute ?? (beta ? 100 : 500),
    storageBytes: given.storageBytes ?? (beta ? 500e9 : 1e12),
  };
}
