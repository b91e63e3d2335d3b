import type { ObjectChange } from '../../shared/journey/messages.ts';
import type { Status } from '../../shared/journey/record.ts';
import { type DocumentItem, documentItemSchema } from '../../shared/ledger/document-item.ts';
import { Documents } from '../../shared/ledger/documents.ts';
import { documentKey } from '../../shared/ledger/keys.ts';
import type { Table } from '../../shared/ledger/table.ts';
import { type MemoryLedger, memoryLedger } from '../world/memory-dynamodb.ts';

/** A ledger of its own with a clock that a test moves. */
export async function emptyLedger({ keepPastMs = 0 } = {}): Promise<{
  table: Table;
  documents: Documents;
  clock: { now: number };
  server: MemoryLedger;
}> {
  const server = memoryLedger();
  const table = await server.create();
  const clock = { now: Date.parse('2026-11-22T12:00:00Z') };
  return { table, documents: new Documents(table, () => clock.now, keepPastMs), clock, server };
}

/** An item without the name of the write that left it so, which is different each time. */
export function unnamed<T extends Record<string, unknown>>(item: T | undefined) {
  if (!item) return undefined;
  const { written: _written, ...rest } = item;
  return rest;
}

/** The change of one key, as S3 would announce it. */
export const changed = (sequencer: string, change: Partial<ObjectChange> = {}): ObjectChange => ({
  kind: 'created',
  bucket: 'inbox',
  key: 'a.txt',
  versionId: `v-${sequencer}`,
  etag: `e-${sequencer}`,
  sequencer,
  sizeBytes: 10,
  ...change,
});

export const error = {
  code: 'upload.internal',
  message: 'm',
  step: 'upload',
  advice: 'a',
} as const;

const made = {
  contentSha256: 'a'.repeat(64),
  mimeType: 'text/plain',
  block: 'document',
  source: { bucket: 'inbox', key: 'a.txt', sizeBytes: 10, filename: 'a.txt' },
} as const;
const filed = {
  ...made,
  fileId: 'file_1',
  usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, costUsd: 0, calls: 0 },
} as const;
const stopped = { error: { ...error, at: '2026-11-22T12:00:00.000Z' } };

/** What a document in each status has at least. */
export const impliedBy = {
  received: {},
  normalized: made,
  uploaded: filed,
  ready: filed,
  failed: stopped,
  skipped: stopped,
  removed: {},
  held: { ...stopped, heldFrom: 'received' },
} as const satisfies Record<Status, object>;

/** The document of `changed('01')` in a status, however it got there, with no more than that status implies. */
export async function documentIn(
  status: Status,
  { table, documents }: { table: Table; documents: Documents },
): Promise<DocumentItem> {
  const { document } = await documents.receive(changed('01'), 'default');
  await table.update(documentKey(document.documentId), { set: { status, ...impliedBy[status] } });
  return documentItemSchema.parse({ ...document, ...impliedBy[status], status });
}
