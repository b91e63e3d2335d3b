import type { Duty } from './duty.ts';
import { note } from './report.ts';

/**
 * Settles what dead workers had reserved: by the cost entry of the call, or as spent where there is none. The counters
 * of the present day and month are looked at, and those before.
 */
export const settleLapsed: Duty = async (_cursor, { budgets, dryRun }, report) => {
  if (!budgets.isSet) return undefined;
  for (const period of budgets.watched) {
    for (const open of await budgets.lapsed(period)) {
      note(report, 'reservationsSettled', `${period} ${open.id}`);
      if (!dryRun) await budgets.settleLapsed(period, open);
    }
  }
  return undefined;
};

/** Sums the counters of the budget anew, from the cost entries and what is reserved. */
export const rebuildBudgets: Duty = async (_cursor, { budgets, dryRun }, report) => {
  for (const period of budgets.running) {
    if (await budgets.rebuild(period, dryRun)) note(report, 'budgetsCorrected', period);
  }
  return undefined;
};
