import { beforeEach, describe, expect, test } from 'vitest';
import { type CostEntry, Costs } from '../../shared/ledger/costs.ts';
import { costKey, shardOf } from '../../shared/ledger/keys.ts';
import type { Table } from '../../shared/ledger/table.ts';
import { sha256Of } from '../world/digest.ts';
import { emptyLedger, unnamed } from './support.ts';

let table: Table;
let costs: Costs;
let loseAcknowledgement: () => void;

const contentId = 'a'.repeat(64);
const ref = { contentId, question: 'q' };
const answer = {
  life: 'worker-1',
  bornAt: Date.parse('2026-11-22T12:00:00.000Z'),
  askedBy: {
    documentId: 'd',
    order: '01',
    model: 'claude-haiku-5-5',
    profile: 'default',
    prefix: 'reports/',
  },
};
const entry: CostEntry = {
  model: 'claude-haiku-5-5',
  inputTokens: 1_000,
  outputTokens: 200,
  cacheReadTokens: 0,
  costUsd: 0.0002,
  at: '2026-11-22T23:59:59.999Z',
  outcome: 'answered',
  profile: 'default',
  prefix: 'reports/',
};

beforeEach(async () => {
  const ledger = await emptyLedger();
  table = ledger.table;
  costs = new Costs(table);
  loseAcknowledgement = () => ledger.server.loseAcknowledgement();
});

const ofDay = async (day: string) => {
  const entries: CostEntry[] = [];
  for await (const each of costs.ofDay(day)) entries.push(each);
  return entries;
};

test('an entry is kept under the day of its call, as it is', async () => {
  await costs.record(ref, answer, 1, entry);

  expect(await ofDay('2026-11-22')).toEqual([entry]);
  expect(await ofDay('2026-11-23')).toEqual([]);
  const key = costKey('2026-11-22', shardOf(contentId), `${contentId}#q#worker-1#1`);
  expect(unnamed(await table.get(key))).toEqual({ ...key, ...entry });
});

test('an entry that is recorded again stays as it was', async () => {
  await costs.record(ref, answer, 1, entry);

  await costs.record(ref, answer, 1, { ...entry, costUsd: 99 });

  expect(await ofDay('2026-11-22')).toEqual([entry]);
});

test('an entry whose acknowledgement was lost is there once', async () => {
  loseAcknowledgement();

  await costs.record(ref, answer, 1, entry);

  expect(await ofDay('2026-11-22')).toEqual([entry]);
});

test('each call has an entry of its own', async () => {
  await costs.record(ref, answer, 1, { ...entry, costUsd: 1 });
  await costs.record(ref, answer, 2, { ...entry, costUsd: 2 });
  // The content was removed, dropped again and paid for again.
  await costs.record(ref, { ...answer, life: 'worker-2' }, 1, { ...entry, costUsd: 3 });
  await costs.record({ contentId, question: 'r' }, answer, 1, { ...entry, costUsd: 4 });
  const elsewhere = { contentId: 'b'.repeat(64), question: 'q' };
  await costs.record(elsewhere, answer, 1, { ...entry, costUsd: 5 });

  const found = (await ofDay('2026-11-22')).map(({ costUsd }) => costUsd);
  expect(found.toSorted()).toEqual([1, 2, 3, 4, 5]);
});

describe('a day', () => {
  test('has the entries of all shards, page by page', async () => {
    const ids = Array.from({ length: 24 }, (_, n) => sha256Of(`content ${n}`));
    for (const [n, id] of ids.entries()) {
      await costs.record({ contentId: id, question: 'q' }, answer, 1, { ...entry, inputTokens: n });
    }
    expect(new Set(ids.map(shardOf)).size).toBeGreaterThan(4);
    const query = table.query.bind(table);
    table.query = (input) => query({ ...input, limit: 2 });

    const found = (await ofDay('2026-11-22')).map(({ inputTokens }) => inputTokens);

    expect(found.toSorted((a, b) => a - b)).toEqual([...ids.keys()]);
  });

  test('without calls has none', async () => {
    expect(await ofDay('2026-11-22')).toEqual([]);
  });
});

test('the entry of a reply is made again from its answer, and is the same', async () => {
  const { profile, prefix, outcome, ...billed } = entry;
  const replied = {
    ...answer,
    state: 'answered',
    question: 'q',
    generation: 0,
    calls: 3,
    unknownCalls: 1,
    awaited: false,
    billed,
    call: 2,
  } as const;

  await costs.recordReply(ref, replied);
  await costs.record(ref, answer, 2, entry);
  await costs.recordReply(ref, {
    ...replied,
    call: 3,
    state: 'refused',
    error: { code: 'c', message: 'm' },
  });

  expect(await ofDay('2026-11-22')).toEqual([entry, { ...entry, outcome: 'refused' }]);
  expect([profile, prefix, outcome]).toEqual(['default', 'reports/', 'answered']);
});

describe('calls whose end nobody saw', () => {
  const unknown = {
    model: 'claude-haiku-5-5',
    profile: 'default',
    prefix: 'reports/',
    inputTokens: 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    at: '2026-11-22T12:00:00.000Z',
    outcome: 'unknown',
  };

  test('have no cost that is known, not one of 0', async () => {
    await costs.recordUnknown(ref, answer, 1);

    const [found] = await ofDay('2026-11-22');

    expect(found).toEqual(unknown);
    expect(found).not.toHaveProperty('costUsd');
  });

  test('are recorded once each, however often and late they are noticed', async () => {
    await costs.recordUnknown(ref, answer, 0);
    expect(await ofDay('2026-11-22')).toEqual([]);
    await costs.recordUnknown(ref, answer, 1);

    await costs.recordUnknown(ref, answer, 2);
    await costs.recordUnknown(ref, answer, 2);

    expect(await ofDay('2026-11-22')).toEqual([unknown, unknown]);
  });

  test('stand beside the calls whose cost is known', async () => {
    await costs.recordUnknown(ref, answer, 1);
    await costs.record(ref, answer, 2, entry);

    const outcomes = (await ofDay('2026-11-22')).map(({ outcome }) => outcome);
    expect(outcomes.toSorted()).toEqual(['answered', 'unknown']);
  });
});
