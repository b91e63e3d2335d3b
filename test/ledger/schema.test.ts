import { describe, expect, test } from 'vitest';
import {
  checkLedgerSchema,
  LedgerTooNew,
  ledgerSchema,
  schemaKey,
} from '../../shared/ledger/schema.ts';
import { emptyLedger } from './support.ts';

const older = { version: 1, readableFrom: 1 };
const newer = { version: ledgerSchema.version + 1, readableFrom: 1 };
const foreign = { version: ledgerSchema.version + 1, readableFrom: ledgerSchema.version + 1 };

describe('a ledger', () => {
  test('without a schema item gets the version of the code', async () => {
    const { table } = await emptyLedger();

    await checkLedgerSchema(table);

    expect(await table.get(schemaKey)).toEqual({ ...schemaKey, ...ledgerSchema });
  });

  test('of an older version is raised', async () => {
    const { table } = await emptyLedger();
    await checkLedgerSchema(table, older);

    await checkLedgerSchema(table);

    expect(await table.get(schemaKey)).toMatchObject(ledgerSchema);
  });

  test('of a newer version that this code can read is used and not lowered', async () => {
    const { table } = await emptyLedger();
    await checkLedgerSchema(table, newer);

    await checkLedgerSchema(table);

    expect(await table.get(schemaKey)).toMatchObject(newer);
  });

  test('of a newer version that this code cannot read is refused and left alone', async () => {
    const { table } = await emptyLedger();
    await checkLedgerSchema(table, foreign);

    const refused = checkLedgerSchema(table);

    await expect(refused).rejects.toThrow(LedgerTooNew);
    await expect(refused).rejects.toThrow(
      /written by a newer Dropline .*Deploy the newer version again/,
    );
    expect(await table.get(schemaKey)).toMatchObject(foreign);
  });

  test('is refused to a process that reads it just before a newer one raises it', async () => {
    const { table } = await emptyLedger();
    let reads = 0;
    const racing = {
      update: table.update.bind(table),
      get: async (key: typeof schemaKey) => {
        const item = await table.get(key);
        reads += 1;
        if (reads === 1) await checkLedgerSchema(table, foreign);
        return item;
      },
    };

    await expect(checkLedgerSchema(racing)).rejects.toThrow(LedgerTooNew);

    expect(await table.get(schemaKey)).toMatchObject(foreign);
  });

  test('of the same version is read once and not written', async () => {
    const { table } = await emptyLedger();
    await checkLedgerSchema(table);
    const calls: string[] = [];
    const watched = {
      get: (key: typeof schemaKey) => {
        calls.push('get');
        return table.get(key);
      },
      update: (...given: Parameters<typeof table.update>) => {
        calls.push('update');
        return table.update(...given);
      },
    };

    await checkLedgerSchema(watched);

    expect(calls).toEqual(['get']);
  });
});
