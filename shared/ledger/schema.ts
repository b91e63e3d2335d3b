import { z } from 'zod';
import type { Key } from './keys.ts';
import type { Table } from './table.ts';

/**
 * The version of the ledger's items that this code writes, and the oldest version of the code that can work on
 * the same table. Raise `version` with every change of what an item holds. Raise `readableFrom` only
 * when older code would damage or misread the items: during a deployment old and new functions run together,
 * and from then on the old ones refuse.
 * - 1: the table has no schema item. What wrote it last is commit b1a0632 or earlier.
 * - 2: the table has one.
 * - 3: answers that wait for a Message Batch, under a lease of a month: older code waits for them.
 */
export const ledgerSchema = { version: 3, readableFrom: 1 } as const;

export const schemaKey: Key = { pk: 'SCHEMA', sk: 'SCHEMA' };

const schemaItem = z.object({ version: z.int(), readableFrom: z.int() });

/** The table was written by a newer Dropline whose items this code must not touch. */
export class LedgerTooNew extends Error {
  override readonly name = 'LedgerTooNew';
}

/**
 * Makes sure that this code may work on the table, and records its version there. A function calls it once per
 * process: one read, and one write after an upgrade.
 * @param code the versions of the code; those of this code outside of tests
 * @throws LedgerTooNew
 */
export async function checkLedgerSchema(
  table: Pick<Table, 'get' | 'update'>,
  code: { version: number; readableFrom: number } = ledgerSchema,
): Promise<void> {
  const item = await table.get(schemaKey);
  const found = item && schemaItem.parse(item);
  if (found && found.readableFrom > code.version) {
    throw new LedgerTooNew(
      `The ledger was written by a newer Dropline (schema ${found.version}, readable from ${found.readableFrom} on), and this one has schema ${code.version}. Nothing was changed. Deploy the newer version again.`,
    );
  }
  if (found && found.version >= code.version) return;
  const raised = await table.update(
    schemaKey,
    { set: { version: code.version, readableFrom: code.readableFrom } },
    {
      expression: 'attribute_not_exists(#version) OR #version < :version',
      names: { version: 'version' },
      values: { version: code.version },
    },
  );
  // Refused: another process has raised it meanwhile, perhaps further.
  if (!raised) await checkLedgerSchema(table, code);
}
