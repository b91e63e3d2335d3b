import { createHash } from 'node:crypto';
import { z } from 'zod';
import { codes } from '../codes/index.ts';
import { type DroplineError, StopLane } from '../journey/errors.ts';
import type { Step } from '../journey/record.ts';
import type { QueuedStep } from '../journey/steps.ts';
import type { Key } from './keys.ts';
import type { Table } from './table.ts';
import { Troubles } from './troubles.ts';

/**
 * What a stop concerns: `claude` every call (a bad key, an unpaid bill), `upload` only new files
 * (the storage is full; deletes, which would free it, go on), `summarize` only messages (a model that does
 * not exist), `budget` only what the budget does not pay: it has no circuit, each document asks for itself.
 */
export type Lane = 'claude' | 'upload' | 'summarize' | 'budget';

/** The lanes that have a circuit. */
export const lanes: readonly Lane[] = ['claude', 'upload', 'summarize'];

/**
 * Reads the API key.
 * @param maxAgeMs how old the answer may be; `Infinity` for the key that was last used
 * @throws StopLane when there is none
 */
export type KeySource = (maxAgeMs?: number) => Promise<string>;

const circuitSchema = z.object({
  state: z.enum(['open', 'probing']),
  code: z.string(),
  message: z.string(),
  since: z.string(),
  /** Epoch milliseconds before which nothing is tried. */
  retryAt: z.number(),
  /** documentId of the document that met the refusal, if it was one. */
  openedBy: z.string().optional(),
  /** The step that met it: only its success shows that the reason is gone. */
  step: z.string().optional(),
  /** Short hash of the API key that was refused: another key is tried at once. */
  keyHash: z.string().optional(),
});
export type Circuit = z.infer<typeof circuitSchema>;

/** How many documents that a lane stopped may resume, and its circuit, if there is one. */
export interface Admission {
  admits: 'none' | 'one' | 'all';
  circuit: Circuit | undefined;
}

/** How long a worker trusts what it read, in milliseconds. */
const keptMs = 5_000;
/** How old the key may be that a stopped lane is compared with, in milliseconds. */
const keyKeptMs = 15_000;
/** How long a probe that a changed key has begun may take, in milliseconds. */
const probeMs = 10 * 60_000;

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
  /** What goes wrong at each step without a person having to act yet. */
  readonly troubles: Troubles;
  readonly #table: Table;
  readonly #now: () => number;
  readonly #apiKey: KeySource | undefined;
  readonly #known = new Map<Lane, { circuit: Circuit | undefined; at: number }>();
  readonly #reading = new Map<Lane, Promise<Circuit | undefined>>();
  #key: { hash: string | undefined; at: number } | undefined;

  /**
   * @param now epoch milliseconds
   * @param apiKey the key that calls are made with; without it, a changed key is not noticed
   */
  constructor(table: Table, now: () => number, apiKey?: KeySource) {
    this.#table = table;
    this.#now = now;
    this.#apiKey = apiKey;
    this.troubles = new Troubles(table, now);
  }

  /**
   * Throws LaneClosed, with what opened the lane, if it is open. An answer may be five seconds old. A lane
   * that was stopped with another key than the present one is probed at once, by whoever asks.
   */
  async check(lane: Lane): Promise<void> {
    const circuit = await this.#recent(lane);
    if (circuit?.state !== 'open') return;
    if (await this.#hasNewKey(circuit)) return this.probe(lane, probeMs);
    throw new LaneClosed({ code: circuit.code, message: circuit.message });
  }

  /**
   * Whether calls may be made in all these lanes, by answers that may be five seconds old. Unlike `check` it begins no
   * probe, so it may be asked before it is known that a call is needed.
   */
  async areFree(...some: Lane[]): Promise<boolean> {
    for (const lane of some) if ((await this.#recent(lane))?.state === 'open') return false;
    return true;
  }

  /** The circuit, by a consistent read. */
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
   * @param step the step that met it
   * @returns false when the key was replaced since it was refused: nothing is stopped, and the call may be repeated
   */
  async open(
    error: Pick<DroplineError, 'code' | 'message'>,
    waitMs: number,
    openedBy?: string,
    step?: Step,
  ): Promise<boolean> {
    const lane = laneOf({ code: error.code, step });
    const keyHash = await this.#hash(Number.POSITIVE_INFINITY);
    const present = await this.#hash(0);
    if (keyHash !== undefined && present !== undefined && present !== keyHash) return false;
    const circuit: Circuit = {
      state: 'open',
      code: error.code,
      message: error.message,
      since: new Date(this.#now()).toISOString(),
      retryAt: this.#now() + waitMs,
      ...(openedBy ? { openedBy } : {}),
      ...(step ? { step } : {}),
      ...(keyHash === undefined ? {} : { keyHash }),
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
    return true;
  }

  /**
   * What the reconciler may resume: nothing while the lane is open; one document, to find out, when its time
   * has come, the key is another one, or a person asks; and everything once that one did not open it again.
   * @param asked true when a person says that the reason is gone
   */
  async admission(lane: Lane, asked = false): Promise<Admission> {
    const circuit = await this.get(lane);
    if (!circuit) return { admits: 'all', circuit };
    const isDue = circuit.retryAt <= this.#now();
    if (circuit.state === 'probing') {
      return { admits: hasPassed(circuit, this.#now()) ? 'all' : asked ? 'one' : 'none', circuit };
    }
    const probes = isDue || asked || (await this.#hasNewKey(circuit));
    return { admits: probes ? 'one' : 'none', circuit };
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

  /** The probe passed: the lane is as if nothing had been. */
  async close(lane: Lane): Promise<void> {
    await this.#table.delete(keyOf(lane), {
      expression: 'attribute_not_exists(pk) OR #state = :probing',
      names: { state: 'state' },
      values: { probing: 'probing' },
    });
    this.#known.delete(lane);
  }

  /** Ends the troubles of the steps that have worked, and the probes of their lanes. */
  async settle(): Promise<void> {
    for (const step of await this.troubles.settle()) {
      for (const lane of lanesOf(step)) {
        const known = this.#known.get(lane);
        const circuit = known ? known.circuit : await this.get(lane);
        if (circuit?.state !== 'probing' || hasPassed(circuit, this.#now())) continue;
        // A lane that messages have stopped is not free because an upload gets through.
        if (circuit.step === undefined || circuit.step === step) await this.#pass(lane);
      }
    }
  }

  /** The probe succeeded: its time is up, and the reconciler resumes what waits. */
  async #pass(lane: Lane): Promise<void> {
    await this.#table.update(
      keyOf(lane),
      { set: { retryAt: this.#now() } },
      {
        expression: '#state = :probing',
        names: { state: 'state' },
        values: { probing: 'probing' },
      },
    );
    this.#known.delete(lane);
  }

  /** The circuit as it was at most five seconds ago. Callers that come during a read share it. */
  #recent(lane: Lane): Promise<Circuit | undefined> | Circuit | undefined {
    const known = this.#known.get(lane);
    if (known && this.#now() - known.at < keptMs) return known.circuit;
    const reading = this.#reading.get(lane) ?? this.get(lane);
    this.#reading.set(lane, reading);
    return reading.finally(() => this.#reading.delete(lane));
  }

  async #hasNewKey({ keyHash }: Circuit): Promise<boolean> {
    if (keyHash === undefined) return false;
    const hash = await this.#hash(keyKeptMs);
    return hash !== undefined && hash !== keyHash;
  }

  /** Short hash of the key, `none` without one; `undefined` when it cannot be read now. */
  async #hash(maxAgeMs: number): Promise<string | undefined> {
    const now = this.#now();
    if (!this.#apiKey) return undefined;
    if (maxAgeMs === keyKeptMs && this.#key && now - this.#key.at < maxAgeMs) return this.#key.hash;
    const hash = await this.#apiKey(maxAgeMs).then(
      (key) => createHash('sha256').update(key).digest('hex').slice(0, 12),
      (error: unknown) => (error instanceof StopLane ? 'none' : undefined),
    );
    this.#key = { hash, at: now };
    return hash;
  }
}

/** Whether a probe has succeeded, or its time is up without a failure. */
export const hasPassed = (circuit: Circuit, now: number): boolean =>
  circuit.state === 'probing' && circuit.retryAt <= now;

/** The lane that an error stops; the step decides where the code alone does not. */
export function laneOf({ code, step }: { code: string; step?: Step | undefined }): Lane {
  if (code === 'claude.storage_full') return 'upload';
  if (code.startsWith('summarize.budget_')) return 'budget';
  if (!codes[code]?.brakes) return 'claude';
  return step === 'summarize' ? 'summarize' : 'upload';
}

/** The lanes that a step's calls depend on. */
const lanesOf = (step: QueuedStep): Lane[] =>
  step === 'summarize' ? ['claude', 'summarize'] : ['claude', 'upload'];

const keyOf = (lane: Lane): Key => ({ pk: `CIRCUIT#${lane}`, sk: 'CIRCUIT' });
