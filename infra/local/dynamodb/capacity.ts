import type { Index, Item, Table } from 'dynalite/db/index.js';
import dynalite from 'dynalite/db/index.js';

/**
 * Capacity units consumed so far, by what they were consumed for and the kind of item: `write DOC`, `index DOC`
 * (an entry of a global index), `refused DOC` (a write whose condition failed), `read DOC`.
 */
export type Capacity = Record<string, number>;

const kilobyte = 1024;

/**
 * Counts the capacity that DynamoDB would charge, in dynalite's own process. dynalite's
 * `ReturnConsumedCapacity` leaves out the indexes and the refused writes, so this follows the rules itself:
 * - a write costs the larger of the old and the new item, in whole KB; so does a refused one
 * - an entry of an index costs a write when it appears, disappears or changes, two when its key changes,
 *   and nothing when it stays as it is
 *
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html and
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html ("Write capacity units")
 * @returns the running totals
 */
export function countCapacity(): Map<string, number> {
  const totals = new Map<string, number>();
  const add = (name: string, units: number) => {
    if (units > 0) totals.set(name, (totals.get(name) ?? 0) + units);
  };
  const { updateIndexes, checkConditional, addConsumedCapacity, queryTable } = dynalite;

  dynalite.updateIndexes = (store, table, existing, item, done) => {
    const kind = kindOf(item ?? existing);
    add(`write ${kind}`, Math.max(unitsOf(existing), unitsOf(item), 1));
    add(`index ${kind}`, indexUnits(table, existing, item));
    updateIndexes(store, table, existing, item, done);
  };
  dynalite.checkConditional = (data, existing) => {
    const refusal = checkConditional(data, existing);
    if (refusal) add(`refused ${kindOf(data.Key ?? data.Item)}`, Math.max(unitsOf(existing), 1));
    return refusal;
  };
  // Every read of one item passes here, whether or not it asks for its capacity.
  dynalite.addConsumedCapacity = (data, isRead, item, other) => {
    if (isRead) {
      add(
        `read ${kindOf(item ?? data.Key)}`,
        dynalite.capacityUnits(item, true, data.ConsistentRead),
      );
    }
    return addConsumedCapacity(data, isRead, item, other);
  };
  dynalite.queryTable = (store, table, data, ...rest) => {
    const done = rest.pop() as (error: unknown, result?: { ConsumedCapacity?: Units }) => void;
    const asked = data.ReturnConsumedCapacity;
    const counting = (error: unknown, result?: { ConsumedCapacity?: Units }) => {
      const least = data.ConsistentRead ? 1 : 0.5;
      const units = Math.max(result?.ConsumedCapacity?.CapacityUnits ?? 0, least);
      add(`read ${data.IndexName ?? 'table'}`, units);
      if (asked === undefined || asked === 'NONE') delete result?.ConsumedCapacity;
      done(error, result);
    };
    const query = { ...data, ReturnConsumedCapacity: asked === 'INDEXES' ? asked : 'TOTAL' };
    queryTable(store, table, query, ...rest, counting);
  };
  return totals;
}

interface Units {
  CapacityUnits: number;
}

function unitsOf(item: Item | null | undefined): number {
  return item ? Math.ceil(dynalite.itemSize(item) / kilobyte) : 0;
}

function indexUnits(
  table: Table,
  existing: Item | null | undefined,
  item: Item | null | undefined,
): number {
  const entries = (of: Item | null | undefined, index: Index) =>
    dynalite.getIndexActions([index], undefined, of ?? undefined, table).puts;
  let units = 0;
  for (const index of table.GlobalSecondaryIndexes ?? []) {
    const [before] = entries(existing, index);
    const [after] = entries(item, index);
    if (before && after && before.key === after.key) {
      // The same place in the index: it costs only when what is projected has changed.
      const same = JSON.stringify(before.item) === JSON.stringify(after.item);
      if (!same) units += Math.max(unitsOf(before.item), unitsOf(after.item));
    } else units += unitsOf(before?.item) + unitsOf(after?.item);
  }
  return units;
}

/** `DOC`, `CONTENT`, `REF` …: how the sort key begins. */
function kindOf(item: Item | null | undefined): string {
  const { S: pk = '' } = (item?.pk ?? {}) as { S?: string };
  // The sort key of a cost entry names an answer.
  if (pk.startsWith('COST#')) return 'COST';
  const { S = 'other' } = (item?.sk ?? {}) as { S?: string };
  return S.split('#')[0] ?? S;
}
