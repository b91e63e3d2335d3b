/** Ends one attempt by its time limit or the caller's signal, and knows which of the two it was. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #callerSignal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #onCallerAbort = (): void => this.#controller.abort(this.#callerSignal?.reason);
  /** Whether the time limit ended the attempt. */
  timedOut = false;

  /**
   * @param timeoutMs milliseconds from now
   * @param signal the caller's; may already be aborted
   */
  constructor(timeoutMs: number, signal: AbortSignal | undefined) {
    this.#callerSignal = signal;
    this.#timer = setTimeout(() => {
      this.timedOut = !this.#controller.signal.aborted;
      this.#controller.abort(new Error(`No complete response within ${timeoutMs} ms.`));
    }, timeoutMs);
    if (signal?.aborted) this.#onCallerAbort();
    else signal?.addEventListener('abort', this.#onCallerAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Runs the work until the attempt ends, whichever comes first. Throws the reason of the end. */
  async orEnd<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this;
    signal.throwIfAborted();
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([work(), ended]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Removes the time limit; the caller's signal still applies. For replies read as a stream. */
  stopClock(): void {
    clearTimeout(this.#timer);
  }

  /** Releases the timer and the caller's signal. */
  end(): void {
    this.stopClock();
    this.#callerSignal?.removeEventListener('abort', this.#onCallerAbort);
  }
}
