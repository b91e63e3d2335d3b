import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Documents } from '../../shared/ledger/documents.ts';
import { orderOf } from '../../shared/ledger/keys.ts';
import { PartBudget } from '../../shared/ledger/part-budget.ts';
import type { Table } from '../../shared/ledger/table.ts';
import { type LedgerServer, startLedgerServer } from '../world/ledger.ts';
import { changed } from './support.ts';

let server: LedgerServer;
let table: Table;
let budget: PartBudget;
const root = { documentId: 'v3lifevwn42uktzx2tim4sxafy', order: orderOf('01') };
const container = (at: number): string => `container${String.fromCharCode(97 + at)}`;

beforeAll(async () => {
  server = await startLedgerServer();
});
afterAll(() => server.close());
beforeEach(async () => {
  table = await server.create();
  budget = new PartBudget(table);
});

test('containers that ask at once are granted no more than the limit', async () => {
  const asking = Array.from({ length: 8 }, (_, at) => budget.grant(root, container(at), 3, 10));

  const granted = (await Promise.all(asking)).map((grant) => grant.granted);

  expect(granted.reduce((sum, count) => sum + count, 0)).toBe(10);
  expect(granted.sort()).toEqual([0, 0, 0, 0, 1, 3, 3, 3]);
});

test('a container that asks again gets what it was granted, whatever it wants now', async () => {
  await budget.grant(root, container(0), 4, 10);
  await budget.grant(root, container(1), 9, 10);

  expect(await budget.grant(root, container(0), 4, 10)).toEqual({ granted: 4, leftOut: 3 });
  expect(await budget.grant(root, container(1), 9, 100)).toEqual({ granted: 6, leftOut: 3 });
});

test('a write whose acknowledgement is lost grants nothing twice', async () => {
  const { update } = table;
  let lost = false;
  table.update = async (...given) => {
    const written = await update.apply(table, given);
    if (lost) return written;
    // The SDK sends the write again, and its condition refuses it.
    lost = true;
    return update.apply(table, given);
  };

  expect(await budget.grant(root, container(0), 4, 10)).toEqual({ granted: 4, leftOut: 0 });
  expect(await budget.grant(root, container(1), 10, 10)).toEqual({ granted: 6, leftOut: 4 });
});

test('each version of a dropped file has a budget of its own', async () => {
  await budget.grant(root, container(0), 10, 10);

  const next = await budget.grant({ ...root, order: orderOf('02') }, container(0), 10, 10);

  expect(next).toEqual({ granted: 10, leftOut: 0 });
});

describe('the record of the root', () => {
  async function received() {
    const documents = new Documents(table, () => 0);
    const { document } = await documents.receive(changed('01'), 'default');
    const { documentId, order } = document;
    return { root: { documentId, order }, count: () => countOf(documents, documentId) };
  }
  const countOf = async (documents: Documents, documentId: string) =>
    (await documents.get(documentId))?.partsLeftOut?.count;

  test('says the highest number that was reported, in whatever order', async () => {
    const { root: mine, count } = await received();

    await budget.report(mine, 5);
    await budget.report(mine, 12);
    await budget.report(mine, 7);

    expect(await count()).toBe(12);
  });

  test('says nothing of the parts of another version', async () => {
    const { root: mine, count } = await received();

    await budget.report({ ...mine, order: orderOf('00') }, 5);

    expect(await count()).toBeUndefined();
  });
});
