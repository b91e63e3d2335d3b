/** The parts of abstract-leveldown 6.2 that are used here; the package has no types. */
declare module 'abstract-leveldown' {
  export type Stored = string | Buffer;
  export type Callback<Value = void> = (error?: unknown, value?: Value) => void;
  export type NextCallback = (error?: unknown, key?: Stored, value?: Stored) => void;

  export interface ReadOptions {
    asBuffer?: boolean;
  }

  export interface IteratorOptions<Key> {
    gt?: Key;
    gte?: Key;
    lt?: Key;
    lte?: Key;
    reverse?: boolean;
    limit?: number;
    keyAsBuffer?: boolean;
    valueAsBuffer?: boolean;
  }

  export type BatchOperation<Key> =
    | { type: 'put'; key: Key; value: Stored }
    | { type: 'del'; key: Key };

  export class AbstractIterator {
    constructor(db: AbstractLevelDOWN);
    _next(callback: NextCallback): void;
  }

  export class AbstractLevelDOWN {
    _open(options: unknown, callback: Callback): void;
    _close(callback: Callback): void;
    _get(key: Buffer, options: ReadOptions, callback: Callback<Stored>): void;
    _put(key: Buffer, value: Stored, options: unknown, callback: Callback): void;
    _del(key: Buffer, options: unknown, callback: Callback): void;
    _batch(operations: BatchOperation<Buffer>[], options: unknown, callback: Callback): void;
    _iterator(options: IteratorOptions<Buffer>): AbstractIterator;
    _serializeKey(key: Stored): Buffer;
    _serializeValue(value: Stored): Stored;
    _nextTick<Arguments extends unknown[]>(
      callback: (...values: Arguments) => void,
      ...values: Arguments
    ): void;
  }
}
