import { randomUUID } from 'node:crypto';
import type { State } from '../state/database.ts';
import { type NextFire, parseSchedule } from './expression.ts';

export interface ScheduleSettings {
  /** Names the schedule in the state, across restarts. */
  id: string;
  arn: string;
  expression: string;
  /** Sent instead of the scheduled event, where the template gives one. */
  input?: string;
}

/** Where time comes from; tests bring their own. */
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
 * Fires a schedule. The time of the last fire is kept in the state, so that a host that runs for
 * minutes a day still catches up on what was due while it was off, once.
 */
export class ScheduleRunner {
  readonly #settings: ScheduleSettings;
  readonly #state: State;
  readonly #clock: Clock;
  readonly #region: string;
  readonly #account: string;
  readonly #fire: (event: unknown) => void;
  readonly #next: NextFire;
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
    this.#next = parseSchedule(options.settings.expression);
  }

  start(): void {
    const name = `schedule:${this.#settings.id}`;
    const last = this.#state.getMeta(name);
    if (last === undefined) this.#state.setMeta(name, new Date(this.#clock.now()).toISOString());
    this.#arm(this.#next(last === undefined ? new Date(this.#clock.now()) : new Date(last)));
  }

  stop(): void {
    this.#cancel();
  }

  #arm(due: Date): void {
    const wait = Math.max(due.getTime() - this.#clock.now(), 0);
    this.#cancel = this.#clock.after(Math.min(wait, longestWaitMs), () => {
      if (wait > longestWaitMs) return this.#arm(due);
      const at = new Date(this.#clock.now());
      this.#state.setMeta(`schedule:${this.#settings.id}`, at.toISOString());
      this.#fire(this.#event(at));
      this.#arm(this.#next(at));
    });
  }

  /** "Scheduled Event" as EventBridge sends it. */
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
