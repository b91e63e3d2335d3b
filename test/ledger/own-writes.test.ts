import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { Table } from '../../shared/ledger/table.ts';
import { MemoryDynamo } from '../world/memory-dynamodb.ts';
import { unnamed } from './support.ts';

/**
 * The SDK sends a write again whose response was lost. If the first try took effect, the second finds its own
 * condition refused, or, where it still holds, would take effect a second time.
 */

const key = { pk: 'DOC#a', sk: 'DOC' };
const notThere = { expression: 'attribute_not_exists(pk)' };
const valueIs = (value: number) => ({
  expression: '#v = :v',
  names: { v: 'value' },
  values: { v: value },
});

let dynamo: MemoryDynamo;
let table: Table;
/** Another worker's table: the same items. */
let other: Table;

beforeEach(() => {
  dynamo = new MemoryDynamo();
  const name = dynamo.createTable();
  table = new Table(dynamo.client, name);
  other = new Table(dynamo.client, name);
});

describe('a write whose first acknowledgement was lost succeeds', () => {
  test('when it is a put', async () => {
    dynamo.loseAcknowledgement();

    await expect(table.put({ ...key, value: 1 }, notThere)).resolves.toBe(true);

    expect(unnamed(await table.get(key))).toEqual({ ...key, value: 1 });
  });

  test('when it is a put without a condition', async () => {
    dynamo.loseAcknowledgement();

    await expect(table.put({ ...key, value: 1 })).resolves.toBe(true);

    expect(await table.get(key)).toEqual({ ...key, value: 1 });
  });

  test('when it is an update, which returns the item', async () => {
    await table.put({ ...key, value: 1, kept: 'k' });
    dynamo.loseAcknowledgement();

    const item = await table.update(key, { set: { value: 2 }, add: { count: 1 } }, valueIs(1));

    expect(unnamed(item)).toEqual({ ...key, value: 2, kept: 'k', count: 1 });
    expect(await table.get(key)).toEqual(item);
  });

  test('when it is a deletion', async () => {
    await table.put({ ...key, value: 1 });
    dynamo.loseAcknowledgement();

    await expect(table.delete(key, valueIs(1))).resolves.toBe(true);

    expect(await table.get(key)).toBeUndefined();
  });
});

test('an update whose condition still holds after the first try takes effect once', async () => {
  await table.put({ ...key, value: 1, calls: 2 });
  dynamo.loseAcknowledgement();

  const item = await table.update(key, { add: { calls: -1 } }, valueIs(1));

  expect(item).toMatchObject({ calls: 1 });
  expect(await table.get(key)).toEqual(item);
});

describe('a write that was refused stays refused', () => {
  beforeEach(async () => {
    await table.put({ ...key, value: 1 });
  });

  test.each([
    ['put', () => table.put({ ...key, value: 2 }, notThere), false],
    ['update', () => table.update(key, { set: { value: 2 } }, valueIs(7)), undefined],
    ['deletion', () => table.delete(key, valueIs(7)), false],
  ])('when it is a %s whose refusal was lost', async (_, write, refused) => {
    dynamo.loseAcknowledgement();

    expect(await write()).toBe(refused);

    expect(await table.get(key)).toEqual({ ...key, value: 1 });
  });

  test.each([
    ['put', () => table.put({ ...key, value: 2 }, notThere), false],
    ['update', () => table.update(key, { set: { value: 2 } }, valueIs(7)), undefined],
    ['deletion', () => table.delete(key, valueIs(7)), false],
  ])('when it is a %s that was sent once, without another read', async (_, write, refused) => {
    table.get = () => Promise.reject(new Error('a read'));

    expect(await write()).toBe(refused);
  });

  test('when the item is the same by chance, but another worker wrote it', async () => {
    await table.delete(key);
    dynamo.loseAcknowledgement(async () => {
      await other.delete(key);
      await other.put({ ...key, value: 2 }, notThere);
    });

    expect(await table.put({ ...key, value: 2 }, notThere)).toBe(false);
  });

  test('when another worker has changed the item since', async () => {
    dynamo.loseAcknowledgement(() => other.update(key, { set: { value: 3 } }));

    expect(await table.update(key, { set: { value: 2 } }, valueIs(1))).toBeUndefined();
    expect(await table.get(key)).toMatchObject({ value: 3 });
  });

  test('when another worker has put the item without a condition since', async () => {
    dynamo.loseAcknowledgement(() => other.put({ ...key, value: 3 }));

    expect(await table.update(key, { set: { value: 2 } }, valueIs(1))).toBeUndefined();
  });

  test('when a deleted item has come back since', async () => {
    dynamo.loseAcknowledgement(() => other.put({ ...key, value: 3 }));

    expect(await table.delete(key, valueIs(1))).toBe(false);
    expect(await table.get(key)).toMatchObject({ value: 3 });
  });
});

test('other errors pass through, whatever the number of tries', async () => {
  const send = () => Promise.reject(Object.assign(new Error('m'), { $metadata: { attempts: 3 } }));
  const failing = new Table({ send } as unknown as DynamoDBDocumentClient, 'ledger');

  await expect(failing.put(key, notThere)).rejects.toThrow('m');
  await expect(failing.update(key, {})).rejects.toThrow('m');
  await expect(failing.delete(key)).rejects.toThrow('m');
});

test('each write that has a condition or changes an item has a name of its own', async () => {
  let names = 0;
  const named = new Table(dynamo.client, dynamo.createTable(), () => `write-${++names}`);

  await named.put({ ...key, value: 1 }, notThere);
  const first = await named.get(key);
  const second = await named.update(key, { set: { value: 2 } }, valueIs(1));
  await named.put({ ...key, value: 3 });

  expect([first?.written, second?.written]).toEqual(['write-1', 'write-2']);
  expect(await named.get(key)).toEqual({ ...key, value: 3 });
});
