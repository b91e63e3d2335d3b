/** Thrown by every port of a killed worker: nothing it does from then on has any effect. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

/** Where to kill a worker: before or after its nth outside call, counted from 0. */
export interface KillPoint {
  call: number;
  /** `before`: the call has no effect; `after`: it has its effect, but its result is never seen. */
  when: 'before' | 'after';
}

/** Called with the name of a call before it is made. */
export type Gate = (call: string) => Promise<void>;

/** Makes a call, or lets it go wrong. */
export type Fault = (call: string, make: () => unknown) => Promise<unknown>;

/**
 * A worker's life. All outside calls (ledger, buckets, queues, Claude) go through ports that it wraps, so that
 * the points at which a process can die are enumerated, not chosen: between two calls nothing outside changes.
 */
export class Life {
  /** Every call made, as `port.method`. */
  readonly calls: string[] = [];
  readonly #kill: KillPoint | undefined;
  readonly #gate: Gate | undefined;
  readonly #fault: Fault | undefined;
  dead = false;

  /**
   * @param gate what every call waits for; without it none does
   * @param fault what may go wrong with a call although the worker lives on
   */
  constructor(kill?: KillPoint, gate?: Gate, fault?: Fault) {
    this.#kill = kill;
    this.#gate = gate;
    this.#fault = fault;
  }

  /** The port as this worker sees it. Work on a message (`queues.working`) is not a call to the outside. */
  wrap<Port extends object>(name: string, port: Port): Port {
    return new Proxy(port, {
      get: (target, property) => {
        const member = Reflect.get(target, property, target) as unknown;
        if (property === 'batches') return this.wrap(`${name}.batches`, member as object);
        if (typeof member !== 'function' || typeof property !== 'string') return member;
        if (property === 'working') return member;
        return (...args: unknown[]) =>
          this.#pass(`${name}.${property}`, () => member.apply(target, args));
      },
    });
  }

  #pass(name: string, make: () => unknown): unknown {
    // Workers do not meet in buckets and queues, so the order of those calls does not matter. A call that
    // returns an iterator is not a promise and cannot be made to wait.
    const meets = /^(table|claude)\./.test(name) && !returnsIterator(name);
    if (!this.#gate || !meets) return this.#call(name, make);
    return this.#gate(name).then(() => this.#call(name, make));
  }

  #call(name: string, make: () => unknown): unknown {
    this.#breathe();
    const index = this.calls.push(name) - 1;
    const fatal = this.#kill?.call === index ? this.#kill.when : undefined;
    if (fatal === 'before') {
      this.dead = true;
      if (returnsIterator(name)) throw new Killed(name);
      return Promise.reject(new Killed(name));
    }
    const fault = returnsIterator(name) ? undefined : this.#fault;
    const result = fault ? fault(name, make) : make();
    if (!(result instanceof Promise)) return result;
    return result.finally(() => {
      if (fatal === 'after') this.dead = true;
      this.#breathe();
    });
  }

  #breathe(): void {
    if (this.dead) throw new Killed('the worker is dead');
  }
}

const returnsIterator = (name: string): boolean =>
  name === 'claude.iterateFiles' || name === 'claude.batches.results';
