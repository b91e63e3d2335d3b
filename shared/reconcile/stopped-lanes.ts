import { laneStopped } from '../journey/alarm-lines.ts';
import { type Circuits, lanes } from '../ledger/circuit.ts';
import type { ReconcileTools } from './duty.ts';

/**
 * Logs each lane that is stopped, in every run. A document logs its own stop once, when it is held; while none
 * arrives, only this keeps the alarm from falling silent before the person has acted.
 */
export async function reportStoppedLanes({
  circuits,
  log,
}: Pick<ReconcileTools, 'log'> & { circuits: Pick<Circuits, 'get'> }): Promise<void> {
  for (const lane of lanes) {
    const circuit = await circuits.get(lane);
    if (!circuit) continue;
    const { code, since, message } = circuit;
    log.error(laneStopped, { lane, code, since, reason: message });
  }
}
