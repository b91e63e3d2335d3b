import '../../infra/local/dynamodb/storage.ts';
import db, { type Level, type Store } from 'dynalite/db/index.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryDir } from './support.ts';

let store: Store;
let level: Level<unknown>;
let dir: ReturnType<typeof temporaryDir>;

beforeEach(async () => {
  dir = temporaryDir();
  store = db.create({ path: `${dir.path}/store` });
  await store.db.open();
  level = store.getItemDb('ledger');
});

afterEach(async () => {
  await store.db.close();
  dir.remove();
});

async function keys(range: object): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of level.createReadStream(range)) found.push(String(key));
  return found;
}

describe('the storage below the local DynamoDB', () => {
  it('returns exactly the text that was put, and reports a missing key', async () => {
    await level.put('number', 12);
    await level.put('text', 'ü🦀');
    await level.put('gone', 'x');
    await level.del('gone');

    expect(await level.get('number')).toBe(12);
    expect(await level.get('text')).toBe('ü🦀');
    await expect(level.get('gone')).rejects.toMatchObject({ notFound: true });
  });

  it('reads ranges in byte order, in both directions, with inclusive or exclusive bounds', async () => {
    const all = ['a', 'b', 'ba', 'c', 'é', '\uffee', '🦀'];
    await level.batch(all.map((key) => ({ type: 'put', key, value: key })));
    // A neighbour in the same store must not appear.
    await store.getItemDb('ledges').put('b', { other: true });

    expect(await keys({})).toEqual(all);
    expect(await keys({ reverse: true })).toEqual([...all].reverse());
    expect(await keys({ gte: 'b', lt: 'c' })).toEqual(['b', 'ba']);
    expect(await keys({ gt: 'b', lte: 'c' })).toEqual(['ba', 'c']);
    expect(await keys({ gt: 'a', reverse: true, limit: 2 })).toEqual(['🦀', '\uffee']);
    expect(await keys({ lt: 'ba', reverse: true })).toEqual(['b', 'a']);
    expect(await keys({ limit: 0 })).toEqual([]);
  });

  it('reads long ranges page by page without losing or repeating a key', async () => {
    const all = Array.from({ length: 3000 }, (_, index) => String(index).padStart(5, '0'));
    await level.batch(all.map((key) => ({ type: 'put', key, value: key })));

    expect(await keys({})).toEqual(all);
    expect(await keys({ reverse: true })).toEqual([...all].reverse());
    expect(await keys({ gte: '00100', limit: 1000 })).toEqual(all.slice(100, 1100));
  });
});
