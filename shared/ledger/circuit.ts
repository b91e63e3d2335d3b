import { z } from 'zod';
import { type DroplineError, StopLane } from '../journey/errors.ts';
import type { Key } from './keys.ts';
import type { Table } from './table.ts';

/**
 * What a stop concerns: `claude` every call (a bad key, an unpaid bill), `upload` only new files
 * (the storage is full; deletes, which would free it, go on).
 */
export type Lane = 'claude' | 'upload';

const circuitSchema = z.object({
  state: z.enum(['open', 'probing']),
  code: z.string(),
  message: z.string(),
  since: z.string(),
  /** Epoch milliseconds before which nothing is tried. */
  retryAt: z.number(),
  /** documentId of the document that met the refusal, if it was one. */
  openedBy: z.string().optional(),
});
export type Circuit = z.infer<typeof circuitSchema>;

/** How many documents that a lane stopped may go on, and the circuit as it stands, if there is one. */
export interface Admission {
  admits: 'none' | 'one' | 'all';
  circuit: Circuit | undefined;
}

/** How long a worker trusts what it read, in milliseconds. */
const keptMs = 5_000;

/**
 * The lane is known to be closed to calls: nothing was tried, so nothing new was learnt about it.
 * Were it taken for a fresh failure, every document that comes along would put off the next probe.
 */
export class LaneClosed extends StopLane {}

/**
 * One circuit breaker a lane, for the whole fleet: `open` stops documents before they make a call
 * that a person has to make possible first; `probing` lets a few through to find out.
 */
export class Circuits {
  readonly #table: Table;
  readonly #now: () => number;
  readonly #known = new Map<Lane, { circuit: Circuit | undefined; at: number }>();

  /** @param now epoch milliseconds */
  constructor(table: Table, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /** Throws LaneClosed, with what opened the lane, if it is open. An answer may be five seconds old. */
  async check(lane: Lane): Promise<void> {
    const known = this.#known.get(lane);
    const circuit = known && this.#now() - known.at < keptMs ? known.circuit : await this.get(lane);
    if (circuit?.state === 'open') {
      throw new LaneClosed({ code: circuit.code, message: circuit.message });
    }
  }

  async get(lane: Lane): Promise<Circuit | undefined> {
    const item = await this.#table.get(keyOf(lane));
    const circuit = item && circuitSchema.parse(item);
    this.#known.set(lane, { circuit, at: this.#now() });
    return circuit;
  }

  /**
   * Opens the lane that `error` concerns for `waitMs`. Workers that fail while it is open already
   * change nothing: or the time of the next probe would never come.
   * @param openedBy the document that met it, which will not be the one to find out whether it is over
   */
  async open(error: DroplineError, waitMs: number, openedBy?: string): Promise<void> {
    const lane = laneOf(error);
    const circuit: Circuit = {
      state: 'open',
      code: error.code,
      message: error.message,
      since: new Date(this.#now()).toISOString(),
      retryAt: this.#now() + waitMs,
      ...(openedBy ? { openedBy } : {}),
    };
    await this.#table.put(
      { ...keyOf(lane), ...circuit },
      {
        expression: 'attribute_not_exists(pk) OR #state = :probing OR retryAt <= :now',
        names: { state: 'state' },
        values: { probing: 'probing', now: this.#now() },
      },
    );
    this.#known.set(lane, { circuit, at: this.#now() });
  }

  /**
   * What the reconciler may let go on: nothing while the lane is open, one document to find out
   * when its time has come, and everything once that one did not open it again.
   */
  async admission(lane: Lane): Promise<Admission> {
    const circuit = await this.get(lane);
    if (!circuit) return { admits: 'all', circuit };
    if (circuit.retryAt > this.#now()) return { admits: 'none', circuit };
    return { admits: circuit.state === 'open' ? 'one' : 'all', circuit };
  }

  /** Lets calls through again until one of them opens the lane; looked at again after `waitMs`. */
  async probe(lane: Lane, waitMs: number): Promise<void> {
    await this.#table.update(
      keyOf(lane),
      { set: { state: 'probing', retryAt: this.#now() + waitMs } },
      {
        expression: '#state = :open',
        names: { state: 'state' },
        values: { open: 'open' },
      },
    );
    this.#known.delete(lane);
  }

  /** The probe held: the lane is as if nothing had been. */
  async close(lane: Lane): Promise<void> {
    await this.#table.delete(keyOf(lane), {
      expression: 'attribute_not_exists(pk) OR #state = :probing',
      names: { state: 'state' },
      values: { probing: 'probing' },
    });
    this.#known.delete(lane);
  }
}

/** The lane that an error stops. */
export function laneOf(error: Pick<DroplineError, 'code'>): Lane {
  return error.code === 'claude.storage_full' ? 'upload' : 'claude';
}

const keyOf = (lane: Lane): Key => ({ pk: `CIRCUIT#${lane}`, sk: 'CIRCUIT' });
