import { Defer } from '../../journey/errors.ts';

/** How long one who was turned away should wait before coming back, in milliseconds. */
const comeBackMs = 1_000;

/**
 * Hands out a number of places, in the order in which they were asked for. Whoever waits longer than `patienceMs` is turned
 * away: a document must not spend its invocation behind a slow neighbour while another worker may be idle.
 */
export class Turns {
  readonly #patienceMs: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  /** @param patienceMs without it everybody waits as long as it takes */
  constructor(places: number, patienceMs = Number.POSITIVE_INFINITY) {
    this.#free = places;
    this.#patienceMs = patienceMs;
  }

  /**
   * Waits for a place. Whoever got one must call `give` when done.
   * @throws Defer `normalize.busy`
   */
  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer =
      this.#patienceMs === Number.POSITIVE_INFINITY
        ? undefined
        : setTimeout(() => {
            this.#waiting.splice(this.#waiting.indexOf(mine), 1);
            reject(
              new Defer({
                code: 'normalize.busy',
                message: 'Another conversion of this worker takes long.',
                delayMs: comeBackMs,
              }),
            );
          }, this.#patienceMs);
    const mine = (): void => {
      clearTimeout(timer);
      resolve();
    };
    this.#waiting.push(mine);
    return promise;
  }

  /** Hands the place on to the next who waits. */
  give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}
