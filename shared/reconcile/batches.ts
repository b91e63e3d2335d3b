import { callBatches } from '../steps/batch-line.ts';
import { hasWork } from '../steps/batch-turn.ts';
import type { Duty } from './duty.ts';
import { note } from './report.ts';

/** Has somebody look at the Message Batches where nobody does any more, because a worker died or a message was lost. */
export const callForBatches: Duty = async (_cursor, tools, report) => {
  if (!(await hasWork(tools))) return undefined;
  if (!tools.dryRun && (await callBatches(tools))) note(report, 'batchesCalled', 'batches');
  return undefined;
};
