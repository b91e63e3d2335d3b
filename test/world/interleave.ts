import type { Gate } from './mortal.ts';

/** A worker that waits at its gate before each call. */
export type GatedWorker = (gate: Gate) => Promise<unknown>;

/** Chooses which of the waiting workers makes its next call; `last` made the previous one. */
export type Choose = (waiting: number[], last: number | undefined) => number;

interface Runner {
  /** Lets the worker make the call it is waiting for. */
  go: () => void;
  done: boolean;
  /** Settles when the worker waits again or has ended. */
  still: Promise<void>;
}

/**
 * Runs workers at once, one call at a time. `choose` decides whose call is next, so every order of the calls of
 * two workers can be tried and repeated.
 */
export async function interleave(workers: GatedWorker[], choose: Choose): Promise<void> {
  const runners = workers.map(start);
  let last: number | undefined;
  for (;;) {
    await Promise.all(runners.map(({ still }) => still));
    const waiting = [...runners.keys()].filter((index) => !runners[index]?.done);
    if (waiting.length === 0) return;
    last = choose(waiting, last);
    runners[last]?.go();
  }
}

function start(work: GatedWorker): Runner {
  const runner: Runner = { done: false, still: Promise.resolve(), go: () => {} };
  let arrived = () => {};
  const moves = () => {
    runner.still = new Promise((resolve) => {
      arrived = resolve;
    });
  };
  // A worker may make several calls at once: each waits for its turn.
  const waiting: (() => void)[] = [];
  const gate: Gate = () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      arrived();
    });
  runner.go = () => {
    const next = waiting.shift();
    if (!next) return;
    moves();
    next();
    if (waiting.length > 0) arrived();
  };
  const end = () => {
    runner.done = true;
    arrived();
  };
  moves();
  // A failed worker shows in what it left behind, which the test checks.
  work(gate).then(end, end);
  return runner;
}

/** A way to interleave two workers: which one begins, and after how many calls each switch happens. */
export interface Plan {
  first: 0 | 1;
  after: number[];
}

/**
 * Plays every way to interleave two workers with at most `switches` switches from one to the other
 * before one of them ends: most races need one or two ("Finding and Reproducing Heisenbugs in
 * Concurrent Programs", OSDI 2008).
 * @param play plays one and returns how many of its switches were reached
 * @returns how many were played
 */
export async function everyPlan(
  switches: number,
  play: (plan: Plan) => Promise<number>,
): Promise<number> {
  let played = 0;
  const extend = async (first: 0 | 1, after: number[]): Promise<void> => {
    for (let count = 1; ; count += 1) {
      const plan = { first, after: [...after, count] };
      played += 1;
      // A switch after a worker's last call makes no difference.
      if ((await play(plan)) < plan.after.length) return;
      if (plan.after.length < switches) await extend(first, plan.after);
    }
  };
  await extend(0, []);
  await extend(1, []);
  return played;
}

/** Follows a plan and counts the switches that it reached. */
export function following({ first, after }: Plan): { choose: Choose; reached: () => number } {
  let current: number = first;
  let calls = 0;
  let reached = 0;
  const choose: Choose = (waiting) => {
    const both = waiting.length === 2;
    if (both && calls === after[reached]) {
      current = 1 - current;
      calls = 0;
      reached += 1;
    }
    if (!waiting.includes(current)) return waiting[0] ?? 0;
    calls += 1;
    return current;
  };
  return { choose, reached: () => reached };
}
