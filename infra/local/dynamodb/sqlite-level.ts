import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  AbstractIterator,
  AbstractLevelDOWN,
  type BatchOperation,
  type Callback,
  type IteratorOptions,
  type NextCallback,
  type ReadOptions,
  type Stored,
} from 'abstract-leveldown';

/**
 * dynalite's storage, in one SQLite file instead of LevelDB: nothing to compile (leveldown has no build for
 * Apple silicon), and a read needs no thread pool. Keys are bytes, in byte order.
 */
class SqliteLevel extends AbstractLevelDOWN {
  readonly #path: string;
  #db: DatabaseSync | undefined;
  #statements: ReturnType<typeof prepare> | undefined;
  /** Callbacks of the writes in the open transaction. */
  #waiting: Callback[] = [];

  constructor(path: string) {
    super();
    this.#path = path;
  }

  get statements(): ReturnType<typeof prepare> {
    if (!this.#statements) throw new Error('Database is not open');
    return this.#statements;
  }

  override _open(_options: unknown, callback: Callback): void {
    try {
      const db = new DatabaseSync(`${this.#path}.db`);
      db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL');
      db.exec('PRAGMA synchronous = NORMAL');
      db.exec('CREATE TABLE IF NOT EXISTS pairs (key BLOB PRIMARY KEY, value BLOB NOT NULL)');
      this.#db = db;
      this.#statements = prepare(db);
      this._nextTick(callback);
    } catch (error) {
      this._nextTick(callback, error);
    }
  }

  override _close(callback: Callback): void {
    this.#commit();
    this.#db?.close();
    this.#db = undefined;
    this.#statements = undefined;
    this._nextTick(callback);
  }

  override _serializeKey(key: Stored): Buffer {
    return Buffer.isBuffer(key) ? key : Buffer.from(key);
  }

  override _serializeValue(value: Stored): Stored {
    return value;
  }

  override _get(key: Buffer, options: ReadOptions, callback: Callback<Stored>): void {
    const row = this.statements.get.get(key);
    if (row) this._nextTick(callback, null, storedOf(row.value, options.asBuffer));
    else this._nextTick(callback, new Error('NotFound'));
  }

  override _put(key: Buffer, value: Stored, _options: unknown, callback: Callback): void {
    this.#write(callback, () => this.statements.put.run(key, value));
  }

  override _del(key: Buffer, _options: unknown, callback: Callback): void {
    this.#write(callback, () => this.statements.del.run(key));
  }

  override _batch(
    operations: BatchOperation<Buffer>[],
    _options: unknown,
    callback: Callback,
  ): void {
    this.#write(callback, () => {
      for (const operation of operations) {
        if (operation.type === 'put') this.statements.put.run(operation.key, operation.value);
        else this.statements.del.run(operation.key);
      }
    });
  }

  /** Writes in one turn of the event loop share a transaction; callbacks run after it is committed. */
  #write(callback: Callback, work: () => unknown): void {
    if (this.#waiting.length === 0) {
      this.#db?.exec('BEGIN');
      setImmediate(() => this.#commit());
    }
    this.#waiting.push(callback);
    work();
  }

  #commit(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#db?.exec('COMMIT');
    for (const callback of waiting) this._nextTick(callback);
  }

  override _iterator(options: IteratorOptions<Buffer>): AbstractIterator {
    return new SqliteIterator(this, options);
  }
}

/** Rows are read in growing pages: most queries need few, scans need all. */
const firstPage = 16;
const largestPage = 512;

class SqliteIterator extends AbstractIterator {
  readonly #level: SqliteLevel;
  readonly #options: IteratorOptions<Buffer>;
  readonly #reverse: boolean;
  #left: number;
  #low: { key: Buffer; inclusive: boolean };
  #high: { key: Buffer | null; inclusive: boolean };
  #page: { key: Buffer; value: SQLInputValue }[] = [];
  #index = 0;
  #pageSize = firstPage;
  #ended = false;

  constructor(level: SqliteLevel, options: IteratorOptions<Buffer>) {
    super(level);
    this.#level = level;
    this.#options = options;
    this.#reverse = options.reverse === true;
    this.#left = options.limit === undefined || options.limit < 0 ? Infinity : options.limit;
    const low = options.gte ?? options.gt;
    this.#low = { key: low ?? Buffer.alloc(0), inclusive: options.gte !== undefined || !low };
    const high = options.lte ?? options.lt;
    this.#high = { key: high ?? null, inclusive: options.lte !== undefined };
  }

  override _next(callback: NextCallback): void {
    if (this.#left <= 0) return void process.nextTick(callback);
    if (this.#index >= this.#page.length && !this.#ended) this.#fill();
    const row = this.#page[this.#index];
    if (!row) return void process.nextTick(callback);
    this.#index += 1;
    this.#left -= 1;
    const key = this.#options.keyAsBuffer === false ? row.key.toString() : row.key;
    process.nextTick(callback, null, key, storedOf(row.value, this.#options.valueAsBuffer));
  }

  #fill(): void {
    const low = this.#low;
    const high = this.#high;
    const statement = this.#level.statements.range(this.#reverse, low.inclusive, high.inclusive);
    const limit = Math.min(this.#pageSize, this.#left);
    this.#page = statement.all(low.key, high.key, high.key, limit).map(({ key, value }) => ({
      key: bufferOf(key as Uint8Array),
      value: value as SQLInputValue,
    }));
    this.#index = 0;
    this.#ended = this.#page.length < limit;
    this.#pageSize = Math.min(this.#pageSize * 4, largestPage);
    const last = this.#page.at(-1);
    if (!last) return;
    if (this.#reverse) this.#high = { key: last.key, inclusive: false };
    else this.#low = { key: last.key, inclusive: false };
  }
}

function storedOf(value: unknown, asBuffer: boolean | undefined): Stored {
  if (typeof value === 'string') return asBuffer === false ? value : Buffer.from(value);
  const bytes = bufferOf(value as Uint8Array);
  return asBuffer === false ? bytes.toString() : bytes;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function prepare(db: DatabaseSync) {
  const ranges = new Map<string, StatementSync>();
  return {
    get: db.prepare('SELECT value FROM pairs WHERE key = ?'),
    put: db.prepare('INSERT OR REPLACE INTO pairs (key, value) VALUES (?, ?)'),
    del: db.prepare('DELETE FROM pairs WHERE key = ?'),
    range(reverse: boolean, lowInclusive: boolean, highInclusive: boolean): StatementSync {
      const sql = `SELECT key, value FROM pairs WHERE key ${lowInclusive ? '>=' : '>'} ? AND (? IS NULL OR key ${highInclusive ? '<=' : '<'} ?) ORDER BY key ${reverse ? 'DESC' : 'ASC'} LIMIT ?`;
      const statement = ranges.get(sql) ?? db.prepare(sql);
      ranges.set(sql, statement);
      return statement;
    },
  };
}

/** What `require('leveldown')` returns; called with or without `new`. */
const leveldown = (path: string) => new SqliteLevel(path);

export { leveldown as 'module.exports' };
