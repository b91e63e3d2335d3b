import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type Emulator, startEmulator } from '../../infra/local/claude/index.ts';
import { type LocalStack, start } from '../../infra/local/stack.ts';
import {
  type DocumentRecord,
  DroplineReader,
  terminalStatuses,
} from '../../shared/client/index.ts';

/** The deployed bundles on the local stack, with the emulator of Claude, as an app sees them. */
export interface Journey {
  stack: LocalStack;
  emulator: Emulator;
  s3: S3Client;
  reader: DroplineReader;
  inbox: string;
  table: string;
  drop(
    key: string,
    body: string | Uint8Array,
    marks?: { metadata?: Record<string, string>; tagging?: string },
  ): Promise<void>;
  /** Waits until the document has a final status. */
  ended(key: string): Promise<DocumentRecord>;
  close(): Promise<void>;
}

export async function startJourney(environment: Record<string, string> = {}): Promise<Journey> {
  const dataDir = await mkdtemp(join(tmpdir(), 'dropline-journey-'));
  const emulator = await startEmulator({ filesPerMinute: Number.POSITIVE_INFINITY });
  const stack = await start({
    dataDir,
    environment: {
      CLAUDE_BASE_URL: emulator.url,
      CLAUDE_FILES_PER_MINUTE: '60000',
      ...environment,
    },
    secret: () => 'test-key',
  });
  const inbox = stack.outputs.InboxBucket ?? '';
  const table = stack.outputs.LedgerTable ?? '';
  const s3 = new S3Client(stack.client('s3'));
  const dynamodb = new DynamoDBClient(stack.client('dynamodb'));
  const reader = new DroplineReader({ table, client: dynamodb });
  return {
    stack,
    emulator,
    s3,
    reader,
    inbox,
    table,
    async drop(key, body, { metadata, tagging } = {}) {
      const object = { Bucket: inbox, Key: key, Body: body };
      await s3.send(
        new PutObjectCommand({
          ...object,
          ...(metadata ? { Metadata: metadata } : {}),
          ...(tagging ? { Tagging: tagging } : {}),
        }),
      );
    },
    async ended(key) {
      for (;;) {
        const record = await reader.get(inbox, key);
        const over: readonly string[] = terminalStatuses;
        if (record && over.includes(record.status)) return record;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async close() {
      await stack.stop();
      await emulator.close();
      s3.destroy();
      dynamodb.destroy();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
