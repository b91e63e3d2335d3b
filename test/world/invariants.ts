import { expect } from 'vitest';
import { readMark } from '../../shared/claude/filename.ts';
import { documentIdOf } from '../../shared/journey/ids.ts';
import { terminalStatuses } from '../../shared/journey/record.ts';
import { booksOf } from './books.ts';
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

  const items = await world.items();
  checkPaidOnce(world, items, kills);
  checkRemoved(items, expected);
}

/**
 * 3. Pay once per question about a content, whatever it was dropped as; and every paid call is in the books. A worker
 * that died in its call may have paid without a trace but its count, and what was removed and came back is asked again.
 */
function checkPaidOnce(world: World, items: Item[], kills: number): void {
  const paid = world.calls('messages.create').length;
  const { calls, questions } = booksOf(items);
  const removals = world.events.filter(({ body }) => body.includes('"ObjectRemoved:')).length;

  expect(calls, 'calls in the books').toBeGreaterThanOrEqual(paid);
  expect(paid, 'paid calls').toBeLessThanOrEqual(questions + removals + kills);
}

/** 5. Removed means gone: nothing that a removed document said is left, unless another document says it too. */
function checkRemoved(items: Item[], expected: Expected): void {
  const removed = Object.entries(expected)
    .filter(([, content]) => content === null)
    .map(([key]) => `DOC#${documentIdOf(inbox, key)}`);
  const past = items.filter(({ pk, sk }) => removed.includes(String(pk)) && sk !== 'DOC');
  expect(past, 'past versions of removed documents').toEqual([]);

  for (const { pk } of items.filter(({ sk }) => String(sk).startsWith('ANSWER#'))) {
    const partition = items.filter((item) => item.pk === pk);
    const kept = partition.some(
      ({ sk, state }) => String(sk).startsWith('REF#') || (sk === 'CONTENT' && state === 'past'),
    );
    expect(kept, `an answer about ${pk}, to which no document refers`).toBe(true);
  }
}

type Item = Record<string, unknown>;
