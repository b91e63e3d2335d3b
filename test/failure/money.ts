import { counterOf } from '../../shared/ledger/reserved.ts';
import { costEntries, ledger } from './support.ts';

/** The counters of the budget, by period. */
export function counters(): Record<string, ReturnType<typeof counterOf>> {
  const items = ledger.items().filter(({ sk }) => sk === 'BUDGET');
  return Object.fromEntries(items.map((item) => [String(item.period), counterOf(item)]));
}

/** What the cost entries sum up to, in billionths of a dollar. */
export async function spentNano(): Promise<number> {
  const entries = await costEntries();
  return entries.reduce((sum, { costUsd = 0 }) => sum + Math.ceil(costUsd * 1e9), 0);
}

/** The text of a configuration with a budget. */
export const configOf = (budget: object, ...profiles: object[]): string =>
  JSON.stringify({ profiles, ...(Object.keys(budget).length > 0 ? { budget } : {}) });
