import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DataDirUnavailable } from './database.ts';

/** Who has a data directory: this process until `release`, a host, or nobody because there is none. */
export type Hold = { by: 'us'; release: () => void } | { by: 'another' } | { by: 'nobody' };

/**
 * Takes the lock of a data directory that no host has, and changes nothing in it: what the next host has to repair after
 * a kill, it still finds.
 * @throws {DataDirUnavailable} when it cannot be read
 */
export function holdState(dir: string): Hold {
  const path = join(dir, 'state.db');
  if (!existsSync(path)) return { by: 'nobody' };
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    db.exec('PRAGMA locking_mode = EXCLUSIVE;');
    // The lock is taken with the first write.
    db.exec('BEGIN IMMEDIATE; COMMIT;');
    return { by: 'us', release: () => db?.close() };
  } catch (error) {
    db?.close();
    if (/locked|busy/i.test(String(error))) return { by: 'another' };
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataDirUnavailable(`cannot read ${path} (${reason}); use another --data`);
  }
}
