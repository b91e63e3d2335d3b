import type { Index, Item, Level, Store, Table } from 'dynalite/db/index.js';
import dynalite from 'dynalite/db/index.js';
import { batch, put } from './level.ts';

/** A table as CreateTable takes it. */
export interface TableSettings {
  TableName: string;
  AttributeDefinitions: { AttributeName: string; AttributeType: string }[];
  KeySchema: { AttributeName: string; KeyType: string }[];
  GlobalSecondaryIndexes?: Index[];
}

const chunk = 500;

/**
 * Applies the wanted settings to the tables on disk before the server opens them, and rebuilds the
 * indexes where they may be wrong: dynalite writes an index entry before its item and without a
 * transaction, so a kill between the two leaves an entry without an item.
 * @param rebuild whether the previous process was killed
 */
export async function repairTables(
  path: string,
  wanted: TableSettings[],
  rebuild: boolean,
): Promise<void> {
  const store = dynalite.create({ path });
  await store.db.open();
  try {
    for await (const table of store.tableDb.createValueStream()) {
      if (table.TableStatus !== 'ACTIVE') {
        // Killed between creating the table and marking it active.
        table.TableStatus = 'ACTIVE';
        await put(store.tableDb, table.TableName, table);
      }
      const settings = wanted.find(({ TableName }) => TableName === table.TableName);
      if (!settings) continue;
      const changed =
        indexText(table.GlobalSecondaryIndexes) !== indexText(settings.GlobalSecondaryIndexes);
      if (changed) await changeIndexes(store, table, settings);
      if (changed || rebuild) await rebuildIndexes(store, table);
    }
  } finally {
    await store.db.close();
  }
}

async function changeIndexes(store: Store, table: Table, settings: TableSettings): Promise<void> {
  for (const { IndexName } of table.GlobalSecondaryIndexes ?? []) {
    await clear(store.getIndexDb('Global', table.TableName, IndexName));
  }
  table.AttributeDefinitions = settings.AttributeDefinitions;
  const indexes = settings.GlobalSecondaryIndexes?.map((index) => ({
    ...index,
    IndexStatus: 'ACTIVE',
    IndexSizeBytes: 0,
    ItemCount: 0,
    ProvisionedThroughput: {
      ReadCapacityUnits: 0,
      WriteCapacityUnits: 0,
      NumberOfDecreasesToday: 0,
    },
  }));
  if (indexes) table.GlobalSecondaryIndexes = indexes;
  else delete table.GlobalSecondaryIndexes;
  await put(store.tableDb, table.TableName, table);
}

async function rebuildIndexes(store: Store, table: Table): Promise<void> {
  const indexes = table.GlobalSecondaryIndexes ?? [];
  if (indexes.length === 0) return;
  const entries = new Map<string, { type: 'put'; key: string; value: Item }[]>();
  for (const { IndexName } of indexes) {
    await clear(store.getIndexDb('Global', table.TableName, IndexName));
    entries.set(IndexName, []);
  }
  const flush = async (least: number) => {
    for (const [name, list] of entries) {
      if (list.length < least) continue;
      await batch(store.getIndexDb('Global', table.TableName, name), list.splice(0));
    }
  };
  for await (const item of store.getItemDb(table.TableName).createValueStream()) {
    for (const entry of dynalite.getIndexActions(indexes, undefined, item, table).puts) {
      entries.get(entry.index)?.push({ type: 'put', key: entry.key, value: entry.item });
    }
    await flush(chunk);
  }
  await flush(1);
}

async function clear(level: Level<Item>): Promise<void> {
  let keys: { type: 'del'; key: string }[] = [];
  for await (const key of level.createKeyStream()) {
    keys.push({ type: 'del', key });
    if (keys.length < chunk) continue;
    await batch(level, keys);
    keys = [];
  }
  if (keys.length > 0) await batch(level, keys);
}

/** The indexes in a form that can be compared, without the fields that the server adds. */
function indexText(indexes: Index[] | undefined): string {
  const plain = (indexes ?? []).map(({ IndexName, KeySchema, Projection }) =>
    JSON.stringify([IndexName, KeySchema, Projection]),
  );
  return plain.sort().join('\n');
}
