import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { indexes } from '../../shared/ledger/keys.ts';
import { Table } from '../../shared/ledger/table.ts';
import { type LedgerServer, startLedgerServer } from '../world/ledger.ts';
import { memoryLedger } from '../world/memory-dynamodb.ts';
import { unnamed } from './support.ts';

/**
 * What the ledger relies on in DynamoDB. The suite runs over dynalite and over the in-memory table
 * that tests of whole journeys use, so that either can stand in for the other.
 */
const servers: Record<string, () => Promise<LedgerServer>> = {
  dynalite: startLedgerServer,
  'the table in memory': async () => memoryLedger(),
};

describe.each(Object.keys(servers))('over %s', (name) => {
  let server: LedgerServer;
  let table: Table;

  beforeAll(async () => {
    const start = servers[name];
    if (!start) throw new Error(`no server ${name}`);
    server = await start();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    table = await server.create();
  });

  const key = { pk: 'DOC#a', sk: 'DOC' };
  const notThere = { expression: 'attribute_not_exists(pk)' };

  describe('put', () => {
    test('stores an item as it is, nested values included', async () => {
      const item = {
        ...key,
        count: 3,
        text: 'ä\u{1F600}',
        list: [1, 'b'],
        map: { deep: { at: 1 } },
      };

      await expect(table.put(item)).resolves.toBe(true);

      expect(await table.get(key)).toEqual(item);
    });

    test('stores bytes as they are', async () => {
      const bytes = new Uint8Array([0, 1, 254, 255]);

      await table.put({ ...key, bytes, map: { bytes } });
      expect(await table.get(key)).toEqual({ ...key, bytes, map: { bytes } });

      const item = await table.update(key, { set: { more: bytes } });
      expect(item?.more).toBeInstanceOf(Uint8Array);
      expect(item).toMatchObject({ more: bytes, bytes });
    });

    test('leaves out what is undefined', async () => {
      await table.put({ ...key, gone: undefined, map: { gone: undefined, kept: 1 } });

      expect(await table.get(key)).toEqual({ ...key, map: { kept: 1 } });
    });

    test('replaces the whole item', async () => {
      await table.put({ ...key, old: 1 });
      await table.put({ ...key, fresh: 2 });

      expect(await table.get(key)).toEqual({ ...key, fresh: 2 });
    });

    test('changes nothing when its condition fails', async () => {
      await table.put({ ...key, value: 'first' }, notThere);

      await expect(table.put({ ...key, value: 'second' }, notThere)).resolves.toBe(false);
      expect(unnamed(await table.get(key))).toEqual({ ...key, value: 'first' });
    });

    test('does not reach another ledger', async () => {
      const other = await server.create();
      await other.put(key);

      expect(await table.get(key)).toBeUndefined();
    });
  });

  describe('get', () => {
    test('returns undefined when there is no item', async () => {
      expect(await table.get(key)).toBeUndefined();
    });

    test('distinguishes the items of one partition', async () => {
      await table.put({ pk: 'a', sk: '1', value: 1 });
      await table.put({ pk: 'a', sk: '2', value: 2 });

      expect(await table.get({ pk: 'a', sk: '2' })).toMatchObject({ value: 2 });
    });
  });

  describe('update', () => {
    test('creates the item when there is none', async () => {
      const item = await table.update(key, { set: { value: 1 } });

      expect(unnamed(item)).toEqual({ ...key, value: 1 });
    });

    test('returns the whole item as written', async () => {
      await table.put({ ...key, kept: 'k', value: 1 });

      const item = await table.update(key, { set: { value: 2 } });

      expect(unnamed(item)).toEqual({ ...key, kept: 'k', value: 2 });
      expect(await table.get(key)).toEqual(item);
    });

    test('sets, adds and removes in one write', async () => {
      await table.put({ ...key, old: 1, count: 5 });

      const item = await table.update(key, {
        set: { value: 'v' },
        add: { count: 2 },
        remove: ['old'],
      });

      expect(unnamed(item)).toEqual({ ...key, value: 'v', count: 7 });
    });

    test('counts from zero when there is no number yet, below zero too', async () => {
      await table.update(key, { add: { up: 1.5 } });

      expect(unnamed(await table.update(key, { add: { up: 1, down: -2 } }))).toEqual({
        ...key,
        up: 2.5,
        down: -2,
      });
    });

    test('skips undefined values and the removal of missing attributes', async () => {
      await table.put({ ...key, value: 1 });

      const item = await table.update(key, {
        set: { value: undefined, other: 2 },
        remove: ['none'],
      });

      expect(unnamed(item)).toEqual({ ...key, value: 1, other: 2 });
    });

    test('removes without setting anything', async () => {
      await table.put({ ...key, value: 1, kept: 2 });

      const item = await table.update(key, { remove: ['value'] });

      expect(unnamed(item)).toEqual({ ...key, kept: 2 });
    });

    test('reaches into maps by dotted paths', async () => {
      await table.put({ ...key, map: { a: 1, b: { c: 1 } } });

      const item = await table.update(key, {
        set: { 'map.b.c': 2 },
        add: { 'map.n': 1 },
        remove: ['map.a'],
      });

      expect(unnamed(item)).toEqual({ ...key, map: { b: { c: 2 }, n: 1 } });
    });

    test('fails on a missing map', async () => {
      await expect(table.update(key, { add: { 'map.n': 1 } })).rejects.toMatchObject({
        name: 'ValidationException',
      });
    });

    test('fails when two of its paths overlap', async () => {
      await table.put({ ...key, map: {} });

      await expect(
        table.update(key, { set: { map: {} }, add: { 'map.n': 1 } }),
      ).rejects.toMatchObject({ name: 'ValidationException' });
    });

    test('reads what it adds to as it was before the write', async () => {
      await table.put({ ...key, a: 1, b: 10 });

      expect(await table.update(key, { add: { a: 1, b: 1 } })).toMatchObject({ a: 2, b: 11 });
    });

    test('changes nothing when its condition fails', async () => {
      await table.put({ ...key, value: 1 });

      const item = await table.update(key, { set: { value: 2 } }, notThere);

      expect(item).toBeUndefined();
      expect(await table.get(key)).toEqual({ ...key, value: 1 });
    });

    test('creates nothing when its condition needs an item that is missing', async () => {
      const condition = { expression: 'seen = :one', values: { one: 1 } };

      await expect(table.update(key, { set: { value: 1 } }, condition)).resolves.toBeUndefined();
      expect(await table.get(key)).toBeUndefined();
    });
  });

  describe('delete', () => {
    test('deletes an item, and succeeds when there is none', async () => {
      await table.put({ ...key, value: 1 });

      await expect(table.delete(key)).resolves.toBe(true);
      await expect(table.delete(key)).resolves.toBe(true);
      expect(await table.get(key)).toBeUndefined();
    });

    test('changes nothing when its condition fails', async () => {
      await table.put({ ...key, value: 1 });

      await expect(table.delete(key, notThere)).resolves.toBe(false);
      expect(await table.get(key)).toEqual({ ...key, value: 1 });
    });
  });

  describe('conditions', () => {
    const item = { ...key, revision: 5, fileId: 'b', lease: { owner: 'me' }, state: 'open' };
    const holds = async (expression: string, values = {}, names = {}) => {
      await table.put(item);
      return table.put(item, { expression, values, names });
    };

    test.each([
      ['revision = :v', { v: 5 }, true],
      ['revision = :v', { v: 6 }, false],
      ['revision = :v', { v: '5' }, false],
      ['revision < :v', { v: 5 }, false],
      ['revision <= :v', { v: 5 }, true],
      ['revision > :v', { v: 4 }, true],
      ['revision >= :v', { v: 6 }, false],
      ['revision < :v', { v: '6' }, false],
      ['revision <> :v', { v: '5' }, true],
      ['fileId < :v', { v: 'c' }, true],
      ['fileId < :v', { v: 'Z' }, false],
      ['tat = :v', { v: 5 }, false],
      ['tat < :v', { v: 5 }, false],
      ['tat > :v', { v: 5 }, false],
      ['tat <> :v', { v: 5 }, true],
    ])('%s with %o: %s', async (expression, values, expected) => {
      expect(await holds(expression, values)).toBe(expected);
    });

    test.each([
      ['attribute_not_exists(tat)', true],
      ['attribute_not_exists(fileId)', false],
      ['attribute_exists(fileId)', true],
      ['attribute_exists(tat)', false],
    ])('%s: %s', async (expression, expected) => {
      expect(await holds(expression)).toBe(expected);
    });

    test('look into maps', async () => {
      const names = { owner: 'owner' };

      expect(await holds('lease.#owner = :v', { v: 'me' }, names)).toBe(true);
      expect(await holds('lease.#owner = :v', { v: 'you' }, names)).toBe(false);
      expect(await holds('tat.#owner = :v', { v: 'me' }, names)).toBe(false);
    });

    test('bind AND before OR, and brackets before both', async () => {
      const values = { yes: 5, no: 6 };

      expect(await holds('revision = :yes OR revision = :no AND revision = :no', values)).toBe(
        true,
      );
      expect(await holds('(revision = :yes OR revision = :no) AND revision = :no', values)).toBe(
        false,
      );
    });

    test.each([
      ['a reserved word', 'state = :v', { v: 'open' }, {}],
      ['a missing value', 'revision = :v', {}, {}],
      ['an unused value', 'attribute_exists(revision)', { v: 1 }, {}],
      ['a missing name', '#name = :v', { v: 1 }, {}],
      ['an unused name', 'revision = :v', { v: 1 }, { name: 'revision' }],
      ['a malformed expression', 'revision = = :v', { v: 1 }, {}],
    ])('are refused as invalid for %s', async (_what, expression, values, names) => {
      await expect(holds(expression, values, names)).rejects.toMatchObject({
        name: 'ValidationException',
      });
    });
  });

  describe('query', () => {
    test('finds the items of a partition whose sort key has a prefix, in order', async () => {
      for (const sk of ['REF#b', 'CONTENT', 'REF#a', 'REG#a']) await table.put({ pk: 'c', sk });
      await table.put({ pk: 'd', sk: 'REF#z' });

      const { items, cursor } = await table.query({
        hash: { name: 'pk', value: 'c' },
        range: { name: 'sk', beginsWith: 'REF#' },
        consistent: true,
      });

      expect(items.map(({ sk }) => sk)).toEqual(['REF#a', 'REF#b']);
      expect(cursor).toBeUndefined();
    });

    test('continues from its cursor until there is none', async () => {
      for (const sk of ['1', '2', '3', '4', '5']) await table.put({ pk: 'c', sk, value: sk });

      const found: unknown[] = [];
      let cursor: Record<string, unknown> | undefined;
      let pages = 0;
      do {
        const page = await table.query({ hash: { name: 'pk', value: 'c' }, limit: 2, cursor });
        found.push(...page.items.map(({ value }) => value));
        cursor = page.cursor;
        pages += 1;
      } while (cursor);

      expect(found).toEqual(['1', '2', '3', '4', '5']);
      expect(pages).toBe(3);
    });

    test('finds in an index the items that have its keys, and returns only keys', async () => {
      const { name, hash } = indexes.byState;
      await table.put({ ...key, stateShard: 'open#1', stateAt: '2026', value: 1 });
      await table.put({ pk: 'DOC#b', sk: 'DOC', stateAt: '2026' });
      await table.put({ pk: 'DOC#c', sk: 'DOC', stateShard: 'open#2', stateAt: '2025' });

      const { items } = await table.query({ index: name, hash: { name: hash, value: 'open#1' } });

      expect(items).toEqual([{ ...key, stateShard: 'open#1', stateAt: '2026' }]);
    });

    test('pages through an index whose keys are equal', async () => {
      const { name, hash } = indexes.byFile;
      for (const pk of ['DOC#3', 'CONTENT#1', 'DOC#2']) {
        await table.put({ pk, sk: pk.startsWith('DOC') ? 'DOC' : 'CONTENT', fileId: 'file_1' });
      }

      const first = await table.query({
        index: name,
        hash: { name: hash, value: 'file_1' },
        limit: 2,
      });
      const second = await table.query({
        index: name,
        hash: { name: hash, value: 'file_1' },
        limit: 2,
        cursor: first.cursor,
      });

      const pks = [...first.items, ...second.items].map(({ pk }) => pk);
      expect(pks).toEqual(['CONTENT#1', 'DOC#2', 'DOC#3']);
    });
  });

  test('scan visits everything in an index once, a page at a time', async () => {
    const { name } = indexes.byFile;
    for (let n = 0; n < 7; n += 1) {
      await table.put({ pk: `DOC#${n}`, sk: 'DOC', ...(n === 3 ? {} : { fileId: `file_${n}` }) });
    }

    const seen: string[] = [];
    let cursor: Record<string, unknown> | undefined;
    do {
      const page = await table.scan({ index: name, limit: 2, cursor });
      seen.push(...page.items.map(({ fileId }) => String(fileId)));
      cursor = page.cursor;
    } while (cursor);

    expect(seen.sort()).toEqual(['file_0', 'file_1', 'file_2', 'file_4', 'file_5', 'file_6']);
  });
});

/** A DynamoDB that answers `reply` to everything and records what it was asked. */
function answering(reply: object) {
  const asked: unknown[] = [];
  const send = async ({ input }: { input: unknown }) => {
    asked.push(input);
    return reply;
  };
  const table = new Table({ send } as unknown as DynamoDBDocumentClient, 'ledger');
  return { asked, table };
}

test('an item is read consistently, because decisions depend on it', async () => {
  const { asked, table } = answering({});

  await table.get({ pk: 'DOC#a', sk: 'DOC' });

  expect(asked).toEqual([
    { TableName: 'ledger', Key: { pk: 'DOC#a', sk: 'DOC' }, ConsistentRead: true },
  ]);
});

test('an empty page has no items', async () => {
  const { table } = answering({});

  const queried = await table.query({ hash: { name: 'pk', value: 'DOC#a' } });
  const scanned = await table.scan({ index: 'by-file', limit: 1 });

  expect(queried).toEqual({ items: [], cursor: undefined });
  expect(scanned).toEqual({ items: [], cursor: undefined });
});
