import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { temporaryDir } from '../local/support.ts';
import { unpackDataDir } from './pack.ts';

/** A directory of its own for a test. */
export interface PastDir {
  path: string;
  remove: () => void;
}

/** A copy of the data directory that commit b1a0632 left (`make-past.ts`). */
export function pastDataDir(): PastDir {
  const dir = temporaryDir();
  unpackDataDir(new URL('fixtures/b1a0632.json.br', import.meta.url), dir.path);
  return dir;
}

/** The ledger's items in such a directory, before a newer version has opened it. */
export function pastItems(dataDir: string): Record<string, unknown>[] {
  const db = new DatabaseSync(join(dataDir, 'dynamodb.db'));
  const rows = db.prepare('SELECT key, value FROM pairs').all();
  db.close();
  const text = (bytes: unknown) => Buffer.from(bytes as Uint8Array).toString();
  return rows
    .filter(({ key }) => text(key).startsWith('!item-'))
    .map(({ value }) => unmarshall(JSON.parse(text(value))));
}
