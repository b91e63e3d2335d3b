import { randomUUID } from 'node:crypto';
import type { State } from '../state/database.ts';

export interface ScheduleSettings {
  /** Names the schedule in the state, across restarts. */
  id: string;
  arn: string;
  /** Time from one run to the next, in milliseconds. */
  periodMs: number;
  /** JSON sent instead of the scheduled event, where the template gives one. */
  input?: string;
}

/** The source of time; tests pass their own. */
export interface Clock {
  now(): number;
  /** Calls back once. @returns how to cancel it */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: Date.now,
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** setTimeout cannot wait longer than 2³¹ ms. */
const longestWaitMs = 2 ** 31 - 1;

/**
 * Runs something on a schedule. The time of the last run is kept in the state, so a host that runs for only
 * minutes a day still catches up, once, on what was due while it was off.
 */
export class ScheduleRunner {
  readonly #settings: ScheduleSettings;
  readonly #state: State;
  readonly #clock: Clock;
  readonly #region: string;
  readonly #account: string;
  readonly #fire: (event: unknown) => void;
  #cancel: () => void = () => {};

  constructor(options: {
    settings: ScheduleSettings;
    state: State;
    clock: Clock;
    region: string;
    account: string;
    fire: (event: unknown) => void;
  }) {
    this.#settings = options.settings;
    this.#state = options.state;
    this.#clock = options.clock;
    this.#region = options.region;
    this.#account = options.account;
    this.#fire = options.fire;
  }

  start(): void {
    const name = `schedule:${this.#settings.id}`;
    const last = this.#state.getMeta(name);
    const now = this.#clock.now();
    if (last === undefined) this.#state.setMeta(name, new Date(now).toISOString());
    this.#arm((last === undefined ? now : Date.parse(last)) + this.#settings.periodMs);
  }

  stop(): void {
    this.#cancel();
  }

  /** @param due epoch milliseconds */
  #arm(due: number): void {
    const wait = Math.max(due - this.#clock.now(), 0);
    this.#cancel = this.#clock.after(Math.min(wait, longestWaitMs), () => {
      if (wait > longestWaitMs) return this.#arm(due);
      const now = this.#clock.now();
      const at = new Date(now);
      this.#state.setMeta(`schedule:${this.#settings.id}`, at.toISOString());
      this.#fire(this.#event(at));
      this.#arm(now + this.#settings.periodMs);
    });
  }

  /** A "Scheduled Event" as EventBridge sends it. */
  #event(at: Date): unknown {
    const { input, arn } = this.#settings;
    if (input !== undefined) return JSON.parse(input);
    return {
      version: '0',
      id: randomUUID(),
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      account: this.#account,
      time: at.toISOString().replace(/\.\d{3}Z$/, 'Z'),
      region: this.#region,
      resources: [arn],
      detail: {},
    };
  }
}
