import type { State } from '../state/database.ts';

/** The SQL statements of the index of objects and of unfinished uploads. */
export function prepareStatements({ db }: State) {
  return {
    latest: db.prepare('SELECT * FROM objects WHERE bucket = ? AND key = ? AND latest = 1'),
    version: db.prepare('SELECT * FROM objects WHERE bucket = ? AND key = ? AND version = ?'),
    pageFrom: db.prepare(
      'SELECT * FROM objects WHERE bucket = ? AND latest = 1 AND key >= ? AND marker = 0 ORDER BY key LIMIT ?',
    ),
    pageAfter: db.prepare(
      'SELECT * FROM objects WHERE bucket = ? AND latest = 1 AND key > ? AND marker = 0 ORDER BY key LIMIT ?',
    ),
    versions: db.prepare(
      'SELECT * FROM objects WHERE bucket = ? AND key > ? ORDER BY key, sequencer DESC LIMIT ?',
    ),
    insert: db.prepare(
      'INSERT INTO objects (bucket, key, version, sequencer, latest, marker, size, etag, segments, headers, modified_at) VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)',
    ),
    demote: db.prepare('UPDATE objects SET latest = 0 WHERE bucket = ? AND key = ? AND latest = 1'),
    promote: db.prepare(
      'UPDATE objects SET latest = 1 WHERE bucket = ? AND key = ? AND sequencer = (SELECT max(sequencer) FROM objects WHERE bucket = ? AND key = ?)',
    ),
    setHeaders: db.prepare(
      'UPDATE objects SET headers = ? WHERE bucket = ? AND key = ? AND version = ?',
    ),
    remove: db.prepare('DELETE FROM objects WHERE bucket = ? AND key = ? AND version = ?'),
    createUpload: db.prepare('INSERT INTO uploads VALUES (?, ?, ?, ?, ?)'),
    upload: db.prepare('SELECT * FROM uploads WHERE upload_id = ? AND bucket = ? AND key = ?'),
    uploads: db.prepare('SELECT * FROM uploads WHERE bucket = ? ORDER BY key, started_at'),
    dropUpload: db.prepare('DELETE FROM uploads WHERE upload_id = ?'),
    part: db.prepare('SELECT file FROM parts WHERE upload_id = ? AND number = ?'),
    putPart: db.prepare('INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?)'),
    parts: db.prepare('SELECT * FROM parts WHERE upload_id = ? ORDER BY number'),
    dropParts: db.prepare('DELETE FROM parts WHERE upload_id = ?'),
  };
}
