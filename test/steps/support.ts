import type { UploadFile } from '../../shared/claude/multipart.ts';
import type { FileMetadata } from '../../shared/claude/schemas.ts';
import type { StepMessage } from '../../shared/journey/messages.ts';
import type { Profile } from '../../shared/journey/profiles.ts';
import { Circuits } from '../../shared/ledger/circuit.ts';
import { Contents } from '../../shared/ledger/contents.ts';
import { Documents } from '../../shared/ledger/documents.ts';
import type { Claude } from '../../shared/steps/tools.ts';
import type { UploadTools } from '../../shared/steps/upload.ts';
import { MemoryBuckets } from '../world/bucket.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';

/** Tag of the shop in the names of its remote files. */
export const deployment = 'd0d0d0d0';

export interface Logged {
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

/** Remote files in memory; a test can make their calls fail. */
export class FakeFiles {
  files: FileMetadata[] = [];
  /** Calls so far: `upload`, `list`, and `delete` with the id. */
  readonly calls: string[] = [];
  /** Thrown by the next uploads, after the file was made where `made` says so. */
  uploadFails: { error: unknown; made?: boolean } | undefined;
  deleteFails: unknown;
  /** When files expire that are uploaded. */
  expiresAt: string | undefined;
  /** Awaited in the middle of an upload. */
  during: (signal: AbortSignal | undefined) => Promise<void> = async () => {};
  /** What the last upload was given. */
  given: Omit<UploadFile, 'body'> | undefined;
  #counter = 0;

  add(filename: string, sizeBytes: number, expiresAt?: string): FileMetadata {
    this.#counter += 1;
    const file = { id: `file_${this.#counter}`, filename, sizeBytes, expiresAt } as FileMetadata;
    this.files.unshift(file);
    return file;
  }

  get claude(): Claude {
    const port: Pick<Claude, 'uploadFile' | 'deleteFile' | 'iterateFiles'> = {
      uploadFile: async ({ body, ...given }) => {
        this.calls.push('upload');
        this.given = given;
        for await (const _ of body);
        await this.during(given.signal);
        const fails = this.uploadFails;
        if (fails && !fails.made) throw fails.error;
        const file = this.add(given.filename, given.sizeBytes, this.expiresAt);
        if (fails) throw fails.error;
        return file;
      },
      deleteFile: async (id) => {
        this.calls.push(`delete ${id}`);
        if (this.deleteFails) throw this.deleteFails;
        const before = this.files.length;
        this.files = this.files.filter((file) => file.id !== id);
        return this.files.length < before ? 'deleted' : 'gone';
      },
      iterateFiles: async function* (this: FakeFiles) {
        this.calls.push('list');
        yield* this.files;
      }.bind(this),
    };
    return port as Claude;
  }
}

/** The upload and release steps over a ledger, buckets and remote files in memory. */
export async function workshop() {
  const table = await memoryLedger().create();
  const clock = { now: Date.parse('2026-11-22T12:00:00Z') };
  const now = () => clock.now;
  const remote = new FakeFiles();
  const buckets = new MemoryBuckets();
  const sent: StepMessage[] = [];
  const logged: Logged[] = [];
  const level = (name: string) => (message: string, fields: Record<string, unknown>) => {
    logged.push({ level: name, message, fields });
  };
  let owners = 0;
  const tools: UploadTools = {
    documents: new Documents(table, now),
    contents: new Contents(table, now),
    circuits: new Circuits(table, now),
    objects: buckets,
    claude: remote.claude,
    stagingBucket: 'staging',
    deployment,
    send: async (message) => {
      sent.push(message);
    },
    announce: async () => {},
    policy: { maxAttempts: 5, brakeAfter: 5, random: () => 0.5 },
    log: { info: level('info'), warn: level('warn'), error: level('error') } as UploadTools['log'],
    heldMs: 600_000,
    now,
    owner: () => {
      owners += 1;
      return `worker-${owners}`;
    },
    keepRemoteFiles: false,
    leaseMs: 60_000,
    expiryMarginMs: 3_600_000,
    profileFor: () => ({ mode: 'now' }) as Profile,
  };
  return { table, tools, remote, buckets, clock, sent, logged };
}
