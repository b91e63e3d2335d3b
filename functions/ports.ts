import type { Objects } from '../shared/aws/objects.ts';
import type { QueuePort } from '../shared/aws/queues.ts';
import type { ClaudeClient, ClaudeOptions } from '../shared/claude/client.ts';
import type { Config, Shorthands } from '../shared/config/config.ts';
import type { Log } from '../shared/journey/log.ts';
import type { KeySource } from '../shared/ledger/circuit.ts';
import type { Table } from '../shared/ledger/table.ts';

/**
 * Everything through which a function touches the world outside its process: AWS, time and randomness. Entry
 * points use the real ones (`runtime.ts`), the tests' world uses in-memory ones; the rest is the same.
 */
export interface Ports {
  table: (name: string) => Table;
  objects: Pick<Objects, keyof Objects>;
  queues: QueuePort;
  /** Reads the API key from a secret, on each call; the answer may be as old as that call says. */
  apiKey: (secretName: string) => KeySource;
  /** Makes the client of the Claude API; the real one when left out. */
  claude?: (options: ClaudeOptions) => Pick<ClaudeClient, keyof ClaudeClient>;
  /** Reads the configuration that lies beside the function. */
  config: (path: string | undefined, shorthands: Shorthands) => Config;
  log: Log;
  /** Epoch milliseconds. */
  now: () => number;
  /** A number from 0 to below 1. */
  random: () => number;
  /** A name for this worker, unique for each call. */
  owner: () => string;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}
