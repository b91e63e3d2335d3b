import { expect } from 'vitest';
import { readMark } from '../../shared/claude/filename.ts';
import { terminalStatuses } from '../../shared/journey/record.ts';
import { inbox, type World } from './world.ts';

/** What must be true of every key once all messages are done and the reconciler has run. */
export interface Expected {
  /** By key: text of its newest version, or `null` if it was removed. */
  [key: string]: string | null;
}

/**
 * Checks the four invariants of docs/architecture.md against the ledger and the emulator's journal.
 * @param kills how many workers were killed: each may have made one call that was not recorded
 */
export async function checkInvariants(
  world: World,
  expected: Expected,
  kills: number,
): Promise<void> {
  const live = new Map<string, string>();
  for (const [key, content] of Object.entries(expected)) {
    const record = await world.record(key);
    // 1. Nothing is lost.
    expect(record, `${key} has a record`).toBeDefined();
    if (!record) continue;
    expect(terminalStatuses, `${key} ended`).toContain(record.status);
    // 4. Newest wins.
    if (content === null) {
      expect(record.status, key).toBe('removed');
      expect(await world.buckets.head({ bucket: inbox, key }), key).toBeUndefined();
      continue;
    }
    expect(record.status, `${key}: ${record.error?.message}`).toBe('ready');
    expect(record.summary?.text, key).toContain(content);
    if (record.contentSha256 && record.fileId) live.set(record.contentSha256, record.fileId);
  }

  // 2. One live file per content, which exists while a document refers to it.
  const files = world.emulator.files().filter((file) => readMark(file.filename));
  expect(new Set(files.map((file) => file.id))).toEqual(new Set(live.values()));
  for (const [sha256, fileId] of live) {
    const file = files.find((candidate) => candidate.id === fileId);
    expect(readMark(file?.filename ?? '')?.sha16).toBe(sha256.slice(0, 16));
  }

  // 3. Pay once: the fence counts a call before it is made, so no paid call goes uncounted, and there are no more
  // paid calls than versions, except those whose worker died during the call.
  const paid = world.calls('messages.create').length;
  const counted = await countedCalls(world, Object.keys(expected));
  expect(counted.calls).toBeGreaterThanOrEqual(paid);
  expect(paid).toBeLessThanOrEqual(counted.versions + kills);
}

/** The calls recorded for the keys, over all versions, and how many versions have one. */
async function countedCalls(
  world: World,
  keys: string[],
): Promise<{ calls: number; versions: number }> {
  const perVersion: number[] = [];
  for (const key of keys) {
    const record = await world.record(key);
    if (!record) continue;
    const page = await world.table.query({ hash: { name: 'pk', value: record.pk } });
    for (const item of page.items) {
      perVersion.push((item.usage as { calls?: number } | undefined)?.calls ?? 0);
    }
  }
  return {
    calls: perVersion.reduce((sum, calls) => sum + calls, 0),
    versions: perVersion.filter((calls) => calls > 0).length,
  };
}
