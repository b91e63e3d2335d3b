/** Ends one attempt: by its time limit or by the caller's signal, and knows which of the two it was. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #callerSignal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #onCallerAbort = (): void => this.#controller.abort(this.#callerSignal?.reason);
  /** Whether the time limit ended the attempt. */
  timedOut = false;

  /**
   * @param timeoutMs milliseconds from now
   * @param signal the caller's; may be aborted already
   */
  constructor(timeoutMs: number, signal: AbortSignal | undefined) {
    this.#callerSignal = signal;
    this.#timer = setTimeout(() => {
      this.timedOut = !this.#controller.signal.aborted;
      this.#controller.abort(new Error(`No whole answer within ${timeoutMs} ms.`));
    }, timeoutMs);
    if (signal?.aborted) this.#onCallerAbort();
    else signal?.addEventListener('abort', this.#onCallerAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The work, or the end of the attempt if that comes first. Throws the reason of the end. */
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

  /** Lets the time limit go; the caller's signal still counts. For replies read as a stream. */
  stopClock(): void {
    clearTimeout(this.#timer);
  }

  /** Lets go of the timer and of the caller's signal. */
  end(): void {
    this.stopClock();
    this.#callerSignal?.removeEventListener('abort', this.#onCallerAbort);
  }
}
