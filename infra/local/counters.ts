/** Counts requests by service and operation, for the cost benchmark. */
export class Counters {
  readonly #counts = new Map<string, number>();

  /** @param operation `<service> <Operation>`, such as `s3 GetObject` */
  add(operation: string, times = 1): void {
    this.#counts.set(operation, (this.#counts.get(operation) ?? 0) + times);
  }

  snapshot(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  reset(): void {
    this.#counts.clear();
  }
}
