import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** What other commands need to know of the host whose data directory this is. It stays when the host ends. */
const factsSchema = z.object({
  /** Where the remote files of the documents are. */
  claude: z.discriminatedUnion('kind', [
    /** The stand-in that the host starts; its files are in the data directory. */
    z.object({ kind: z.literal('emulator') }),
    z.object({ kind: z.literal('url'), url: z.string() }),
    z.object({ kind: z.literal('live') }),
  ]),
  dialect: z.enum(['ga', 'beta']),
  /** The model that summarises. */
  model: z.string(),
  /** Whether the copy of the configuration in the data directory is in force. */
  hasConfig: z.boolean(),
  table: z.string(),
  /** Addresses while the host runs. */
  running: z.object({ dynamodb: z.string(), claude: z.string() }).optional(),
});

export type HostFacts = z.output<typeof factsSchema>;

const fileIn = (dir: string): string => join(dir, 'host.json');

export function writeHostFacts(dir: string, facts: HostFacts): void {
  const path = fileIn(dir);
  writeFileSync(`${path}.new`, JSON.stringify(facts));
  renameSync(`${path}.new`, path);
}

/** The facts that the last host wrote; `undefined` when there are none, as before version 0.2. */
export function readHostFacts(dir: string): HostFacts | undefined {
  try {
    return factsSchema.parse(JSON.parse(readFileSync(fileIn(dir), 'utf8')));
  } catch {
    return undefined;
  }
}
