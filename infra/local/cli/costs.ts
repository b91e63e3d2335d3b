import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { type CostQuery, type CostSum, DroplineReader } from '../../../shared/client/index.ts';
import { localCredentials, localRegion } from '../credentials.ts';
import { startDynamo } from '../dynamodb/start.ts';
import { DataDirUnavailable, dynamoInUse, openState, type State } from '../state/database.ts';
import type { Command } from './arguments.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage.ts';

/**
 * Prints what paid calls have cost, by the ledger of a data directory. A host that is using it is asked; else only the
 * database is started, and nothing is worked on.
 * @returns the exit code
 */
export async function runCosts(
  { query, json, dataDir }: Command & { run: 'costs' },
  terminal: Terminal,
): Promise<number> {
  const say = (line: string) => terminal.progress.write(`${line}\n`);
  const ledger = await openLedger(resolve(dataDir), say);
  try {
    const sums = await costsIn(ledger.url, query);
    terminal.stdout.write(
      json ? sums.map((sum) => `${JSON.stringify(sum)}\n`).join('') : renderCosts(sums, query),
    );
    return 0;
  } finally {
    await ledger.close();
  }
}

async function costsIn(endpoint: string, query: CostQuery): Promise<CostSum[]> {
  const client = new DynamoDBClient({
    endpoint,
    region: localRegion,
    credentials: localCredentials,
  });
  try {
    const { TableNames: [table] = [] } = await client.send(new ListTablesCommand({}));
    if (table === undefined) return [];
    return await new DroplineReader({ table, client }).costs(query);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`--${error.message}`);
    throw error;
  } finally {
    client.destroy();
  }
}

interface OpenLedger {
  url: string;
  close(): Promise<void>;
}

async function openLedger(dir: string, say: (line: string) => void): Promise<OpenLedger> {
  if (!existsSync(join(dir, 'state.db'))) throw new UsageError(`${dir} has no data of Dropline`);
  let state: State;
  try {
    state = openState(dir);
  } catch (error) {
    const url = error instanceof DataDirUnavailable ? dynamoInUse(dir) : undefined;
    if (url === undefined) throw error;
    return { url, close: async () => {} };
  }
  // What was not closed stays so: the next host has to look after its indexes.
  const close = () => (state.unclean ? state.db.close() : state.close());
  try {
    const dynamo = await startDynamo({
      dataDir: dir,
      region: localRegion,
      port: 0,
      unclean: false,
      tables: [],
      onLog: (line) => say(`dynamodb: ${line}`),
    });
    state.markMigrated();
    return {
      url: dynamo.url,
      close: async () => {
        await dynamo.close();
        close();
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

const headings = ['calls', 'input', 'output', 'thinking', 'cached', 'USD', 'unknown'];

/** The sums as a table, with what they come to together. */
export function renderCosts(sums: readonly CostSum[], { from, to, by }: CostQuery): string {
  if (sums.length === 0) return `No paid calls from ${from} to ${to}.\n`;
  const rows = [
    [by, ...headings],
    ...sums.map((sum) => [nameOf(sum.group), ...cellsOf(sum)]),
    ['total', ...cellsOf(totalOf(sums))],
  ];
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths?.[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  '),
  );
  return `${lines.join('\n')}\n`;
}

/** A key or a name of somebody's: nothing in it controls the terminal. */
const nameOf = (group: string): string =>
  group === '' ? '(no folder)' : group.replaceAll(/\p{C}/gu, '?');

const cellsOf = (sum: Omit<CostSum, 'group'>): string[] => [
  ...[sum.calls, sum.inputTokens, sum.outputTokens, sum.thinkingTokens, sum.cacheReadTokens].map(
    (count) => count.toLocaleString('en'),
  ),
  sum.costUsd.toFixed(6),
  sum.unknownCalls.toLocaleString('en'),
];

function totalOf(sums: readonly CostSum[]): Omit<CostSum, 'group'> {
  const of = (field: Exclude<keyof CostSum, 'group'>) =>
    sums.reduce((sum, each) => sum + each[field], 0);
  return {
    calls: of('calls'),
    unknownCalls: of('unknownCalls'),
    costUsd: of('costUsd'),
    inputTokens: of('inputTokens'),
    outputTokens: of('outputTokens'),
    thinkingTokens: of('thinkingTokens'),
    cacheReadTokens: of('cacheReadTokens'),
  };
}
