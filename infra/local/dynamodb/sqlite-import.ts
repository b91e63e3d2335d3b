import { existsSync, renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Item, Store, Table } from 'dynalite/db/index.js';
import dynalite from 'dynalite/db/index.js';
import { batch, put } from './level.ts';

/** Before version 2 of the data directory, dynalite 3 kept its key-value pairs in one SQLite file. */
const sqliteFile = (path: string) => `${path}.db`;

const chunk = 500;

/** Whether a table from before version 2 still has to be imported. */
export function hasSqliteTables(path: string): boolean {
  return existsSync(sqliteFile(path));
}

/**
 * Copies the tables and items of the SQLite file into LevelDB; the indexes must be rebuilt afterwards.
 * The file stays until `retireSqliteTables`, so a start that was killed in between is simply repeated.
 * Nothing that LevelDB already holds is overwritten: it is either the same item or a newer one.
 * @param path the LevelDB directory
 */
export async function importSqliteTables(path: string): Promise<void> {
  const from = new DatabaseSync(sqliteFile(path));
  const store = dynalite.create({ path });
  await store.db.open();
  try {
    const known = new Set<string>();
    for await (const { TableName } of store.tableDb.createValueStream()) known.add(TableName);
    for (const value of pairs(from, 'table')) {
      const table = value as Table;
      if (!known.has(table.TableName)) await put(store.tableDb, table.TableName, table);
      await importItems(from, store, table);
    }
  } finally {
    await store.db.close();
    from.close();
  }
}

/** Renames the SQLite file after all of it has been imported. It is kept for the user, not for Dropline. */
export function retireSqliteTables(path: string): void {
  renameSync(sqliteFile(path), `${sqliteFile(path)}.imported`);
}

async function importItems(from: DatabaseSync, store: Store, table: Table): Promise<void> {
  const level = store.getItemDb(table.TableName);
  const present = new Set<string>();
  for await (const key of level.createKeyStream()) present.add(key);
  let puts: { type: 'put'; key: string; value: Item }[] = [];
  for (const value of pairs(from, `item-${table.TableName}`)) {
    const item = value as Item;
    const key = dynalite.createKey(item, table);
    if (present.has(key)) continue;
    puts.push({ type: 'put', key, value: item });
    if (puts.length < chunk) continue;
    await batch(level, puts);
    puts = [];
  }
  if (puts.length > 0) await batch(level, puts);
}

/** The values of one of dynalite 3's sublevels, whose keys are `!<name>!<key>`. */
function* pairs(db: DatabaseSync, sublevel: string): Generator<unknown> {
  const from = Buffer.from(`!${sublevel}!`);
  const to = Buffer.from(`!${sublevel}"`);
  const rows = db.prepare('SELECT value FROM pairs WHERE key > ? AND key < ? ORDER BY key');
  for (const { value } of rows.iterate(from, to)) {
    yield JSON.parse(
      typeof value === 'string' ? value : Buffer.from(value as Uint8Array).toString(),
    );
  }
}
