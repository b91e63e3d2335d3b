/** Virtual time: advances only when all work is waiting for it. */
export class VirtualTime {
  #now: number;
  #timers: { at: number; fire: () => void }[] = [];

  /** @param now epoch milliseconds */
  constructor(now = Date.parse('2026-11-22T12:00:00Z')) {
    this.#now = now;
  }

  now = (): number => this.#now;

  sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      this.#timers.push({ at: this.#now + Math.max(0, ms), fire: resolve });
    });

  /** Advances time until `work` has ended. */
  async run<T>(work: Promise<T>): Promise<T> {
    let over = false;
    const ended = work.finally(() => {
      over = true;
    });
    // The caller handles the rejection: it is awaited below.
    ended.catch(() => {});
    for (;;) {
      // Everything that can proceed without time passing does so before the next timer fires. A document is read in the
      // turn of the event loop after the one that asked for it (ledger/grouped-table.ts).
      for (let turns = 0; turns < 20 && !over; turns += 1) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (over) return ended;
      const next = this.#timers.reduce<number | undefined>(
        (first, { at }) => (first === undefined || at < first ? at : first),
        undefined,
      );
      if (next === undefined) throw new Error('everybody waits, and not for time');
      this.#now = next;
      const due = this.#timers.filter(({ at }) => at <= next);
      this.#timers = this.#timers.filter(({ at }) => at > next);
      for (const { fire } of due) fire();
    }
  }
}
