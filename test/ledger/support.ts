import type { ObjectChange } from '../../shared/journey/messages.ts';
import { Documents } from '../../shared/ledger/documents.ts';
import type { Table } from '../../shared/ledger/table.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';

/** A ledger of its own with a clock that a test moves. */
export async function emptyLedger(): Promise<{
  table: Table;
  documents: Documents;
  clock: { now: number };
}> {
  const table = await memoryLedger().create();
  const clock = { now: Date.parse('2026-11-22T12:00:00Z') };
  return { table, documents: new Documents(table, () => clock.now), clock };
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
