import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * One SQLite file holds the local SQS messages and the index of the local S3 objects, so that an object and its
 * event are written in one transaction: a kill cannot come between the two.
 */
const schema = `
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  queue TEXT NOT NULL,
  message_id TEXT NOT NULL,
  body TEXT NOT NULL,
  md5 TEXT NOT NULL,
  attributes TEXT NOT NULL,
  sent_at INTEGER NOT NULL,
  visible_at INTEGER NOT NULL,
  receive_count INTEGER NOT NULL DEFAULT 0,
  first_received_at INTEGER,
  receipt TEXT
);
CREATE INDEX IF NOT EXISTS messages_by_visibility ON messages (queue, visible_at, id);
CREATE INDEX IF NOT EXISTS messages_by_receipt ON messages (receipt) WHERE receipt IS NOT NULL;

CREATE TABLE IF NOT EXISTS objects (
  bucket TEXT NOT NULL,
  key TEXT NOT NULL,
  version TEXT NOT NULL,
  sequencer TEXT NOT NULL,
  latest INTEGER NOT NULL,
  marker INTEGER NOT NULL DEFAULT 0,
  size INTEGER NOT NULL,
  etag TEXT NOT NULL,
  segments TEXT NOT NULL,
  headers TEXT NOT NULL,
  modified_at INTEGER NOT NULL,
  PRIMARY KEY (bucket, key, version)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_latest ON objects (bucket, key) WHERE latest = 1;

CREATE TABLE IF NOT EXISTS uploads (
  upload_id TEXT PRIMARY KEY,
  bucket TEXT NOT NULL,
  key TEXT NOT NULL,
  headers TEXT NOT NULL,
  started_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS parts (
  upload_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  file TEXT NOT NULL,
  size INTEGER NOT NULL,
  etag TEXT NOT NULL,
  modified_at INTEGER NOT NULL,
  PRIMARY KEY (upload_id, number)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS trash (file TEXT PRIMARY KEY) WITHOUT ROWID;
`;

/**
 * Version of the whole data directory, kept as SQLite's `user_version`. Raise it when an earlier version would
 * misread what this one writes, and read or migrate what the version before wrote.
 * - 1: the table is dynalite 3's, in `dynamodb.db`.
 * - 2: the table is dynalite 4's, in `dynamodb/`. Version 1 would start with an empty table.
 */
const schemaVersion = 2;

/** The mode bit of folders such as /tmp, which are not one user's to close. */
const sticky = 0o1000;

/** The data directory is in use by another host, written by a newer version, or not writable. */
export class DataDirUnavailable extends Error {
  override name = 'DataDirUnavailable';
}

/** An open data directory. */
export interface State {
  db: DatabaseSync;
  /** Absolute path of the data directory. */
  dir: string;
  /** Whether the previous host ended without closing it. */
  unclean: boolean;
  /** Runs `work` in one transaction; nested calls join the outer one. */
  transaction<T>(work: () => T): T;
  getMeta(name: string): string | undefined;
  setMeta(name: string, value: string): void;
  /** Marks everything in the directory as migrated to this version; from now on earlier versions refuse it. */
  markMigrated(): void;
  /** Writes, for other hosts, who is using the directory. */
  announce(text: string): void;
  close(): void;
}

/**
 * Opens (or creates) the state below `dir` and locks it. SQLite's exclusive lock ends with the process, however
 * that ends, so there are no stale locks. Long because each method of the state is here, around its one database.
 * @throws {DataDirUnavailable} when another process has it, or nothing can be written there
 */
export function openState(dir: string): State {
  const db = openDatabase(dir);
  const hostFile = join(dir, 'host.txt');
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;');
    // In WAL mode NORMAL never corrupts; only a power cut can lose the last transactions.
    db.exec('PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;');
    // The lock is taken with the first write, and journal_mode may already be WAL.
    db.exec('BEGIN IMMEDIATE; COMMIT;');
  } catch (error) {
    db.close();
    if (!/locked|busy/i.test(String(error))) throw unusable(dir, error);
    throw new DataDirUnavailable(
      `${dir} is in use by another Dropline host (${readText(hostFile) ?? 'just starting'}); stop it or use another --data`,
    );
  }
  const version = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
  if (version > schemaVersion) {
    db.close();
    throw new DataDirUnavailable(`${dir} was written by a newer Dropline; use another --data`);
  }
  db.exec(schema);

  const getMetaStatement = db.prepare('SELECT value FROM meta WHERE name = ?');
  const setMetaStatement = db.prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)');
  const getMeta = (name: string) => {
    const value = getMetaStatement.get(name)?.value;
    return value === undefined ? undefined : String(value);
  };
  const setMeta = (name: string, value: string) => {
    setMetaStatement.run(name, value);
  };
  const unclean = getMeta('running') === 'yes';
  setMeta('running', 'yes');

  let depth = 0;
  let open = true;
  return {
    db,
    dir,
    unclean,
    getMeta,
    setMeta,
    transaction<T>(work: () => T): T {
      if (depth > 0) return work();
      db.exec('BEGIN');
      depth += 1;
      try {
        const result = work();
        db.exec('COMMIT');
        return result;
      } catch (error) {
        db.exec('ROLLBACK');
        throw error;
      } finally {
        depth -= 1;
      }
    },
    markMigrated() {
      db.exec(`PRAGMA user_version = ${schemaVersion}`);
    },
    announce(text: string) {
      writeFileSync(hostFile, text);
    },
    close() {
      if (!open) return;
      open = false;
      setMeta('running', 'no');
      db.close();
    },
  };
}

/** The address of the DynamoDB of the host that is using a data directory, if it says. */
export const dynamoInUse = (dir: string): string | undefined =>
  /DynamoDB (http\S+)/.exec(readText(join(dir, 'host.txt')) ?? '')?.[1];

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function openDatabase(dir: string): DatabaseSync {
  try {
    mkdirSync(dir, { recursive: true });
    if ((statSync(dir).mode & sticky) !== 0) throw new Error('it is a folder that users share');
    // Documents, records and logs are for this user only. Earlier versions let others in.
    chmodSync(dir, 0o700);
    return new DatabaseSync(join(dir, 'state.db'));
  } catch (error) {
    throw unusable(dir, error);
  }
}

function unusable(dir: string, error: unknown): DataDirUnavailable {
  const reason = error instanceof Error ? error.message : String(error);
  return new DataDirUnavailable(`cannot keep data in ${dir} (${reason}); use another --data`);
}
