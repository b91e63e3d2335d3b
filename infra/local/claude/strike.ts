import { setTimeout as sleep } from 'node:timers/promises';
import { accountError } from './account-faults.ts';
import type { CallContext } from './call.ts';
import { ApiError, storageFull } from './errors.ts';
import type { Fault } from './faults.ts';
import type { EmulatorState } from './state.ts';

/** Thrown to end a call without an answer. */
export class ConnectionFault extends Error {
  readonly action: 'cut' | 'hang';

  constructor(action: 'cut' | 'hang') {
    super(`connection fault: ${action}`);
    this.name = 'ConnectionFault';
    this.action = action;
  }
}

/** Waits `ms`, or until the emulator closes. Throws `ConnectionFault` when it closes. */
export async function pauseCall(state: EmulatorState, ms: number): Promise<void> {
  if (ms <= 0) return;
  await sleep(ms, undefined, { signal: state.stop }).catch(() => {
    throw new ConnectionFault('cut');
  });
}

/**
 * Applies the fault, if any, that matches this call: once on arrival without a `filename`, and again
 * for each file name the call turns out to be about. Faults that end a call throw; the others stay in
 * `call.fault`.
 */
export async function strike(call: CallContext, filename?: string): Promise<void> {
  if (call.fault) return;
  const fault = call.state.faults.pick(call, filename);
  if (!fault) return;
  call.fault = fault;
  call.entry.fault = fault.kind;

  const refused = accountError(fault, call);
  if (refused) throw refused;
  switch (fault.kind) {
    case 'error':
      throw faultError(fault);
    case 'spend_cap': {
      const message = fault.message ?? 'You have reached your specified API usage limits.';
      const details = { error_code: fault.errorCode ?? 'enforced_spend_limit_reached' };
      throw new ApiError(429, message, { details, headers: fault.headers });
    }
    case 'storage_full':
      throw storageFull(call.shape);
    case 'cut_before':
      throw new ConnectionFault('cut');
    case 'hang':
      throw new ConnectionFault('hang');
    case 'delay':
      return pauseCall(call.state, fault.delayMs ?? 1_000);
    default:
  }
}

/** Carries out a fault of kind `expire_file` or `vanish_file` on the file `id`. */
export async function loseFile(call: CallContext, id: string): Promise<void> {
  if (call.fault?.kind === 'expire_file') await call.state.files.expire(id);
  if (call.fault?.kind === 'vanish_file') await call.state.files.purge(id);
}

function faultError(fault: Fault): ApiError {
  const status = fault.status ?? 500;
  const retryAfter = fault.retryAfter === undefined && status === 429 ? 1 : fault.retryAfter;
  const waits = retryAfter !== undefined && retryAfter !== null;
  return new ApiError(status, fault.message ?? `A fault was requested: status ${status}.`, {
    type: fault.errorType,
    details: fault.errorCode === undefined ? undefined : { error_code: fault.errorCode },
    headers: { ...(waits ? { 'retry-after': String(retryAfter) } : {}), ...fault.headers },
  });
}
