import { codes } from '../codes/index.ts';
import { laneStopped } from '../journey/alarm-lines.ts';
import type { DroplineError } from '../journey/errors.ts';
import type { QueuedStep } from '../journey/steps.ts';
import { laneOf } from '../ledger/circuit.ts';
import type { StepTools } from './tools.ts';

/** Whether a failure with this code is the deployment's fault and never the document's. */
export const canBrake = (code: string): boolean => codes[code]?.brakes === true;

/**
 * Whether a document that failed with a code that brakes is held instead: its lane is stopped, or is being
 * probed, and this was the answer. In the second case the lane is stopped again.
 */
export async function isBraked(
  step: QueuedStep,
  documentId: string,
  error: DroplineError,
  { circuits, heldMs }: StepTools,
): Promise<boolean> {
  if (!canBrake(error.code)) return false;
  const circuit = await circuits.get(laneOf({ code: error.code, step }));
  if (!circuit) return false;
  await circuits.open(error, heldMs, documentId, step);
  return true;
}

/**
 * Counts a document that failed with a code that brakes. After `policy.brakeAfter` of them in a row, in the
 * whole fleet, the lane is stopped: a model that does not exist fails a few documents and not all.
 */
export async function brake(
  step: QueuedStep,
  error: DroplineError,
  { circuits, policy, heldMs, log }: StepTools,
): Promise<void> {
  if (!canBrake(error.code)) return;
  const failures = await circuits.troubles.failed(step, error.code);
  if (failures < policy.brakeAfter) return;
  const message = `The last ${failures} documents failed with this. ${error.message}`;
  await circuits.open({ code: error.code, message }, heldMs, undefined, step);
  log.error(laneStopped, { step, code: error.code, failures, reason: error.message });
}
