import { readMark } from '../claude/filename.ts';
import { indexes } from '../ledger/keys.ts';
import type { Duty, ReconcileTools } from './duty.ts';
import { note } from './report.ts';

/**
 * Pages through the remote files. A file with our mark that no content or document refers to is an orphan, and
 * is deleted once it is older than the grace period (a newer one may belong to an upload that is still being
 * recorded). Files without the mark, or with another deployment's, are never touched.
 */
export const sweepOrphans: Duty = async (cursor, tools, report) => {
  const page = await tools.claude.listFiles({ limit: 1_000, from: cursor });
  if (cursor === undefined) {
    report.storageBytes = 0;
    report.remoteFiles = 0;
  }
  // In the beta dialect the next page begins after this file, so it must still exist.
  const anchor = page.next && tools.dialect === 'beta' ? page.files.at(-1) : undefined;
  for (const file of page.files) {
    // Code made it, whatever its name: for a reply that was lost, or another application. It is told, and never deleted.
    if (file.downloadable) {
      note(report, 'madeByTools', file.id);
      continue;
    }
    if (readMark(file.filename)?.deployment !== tools.deployment) continue;
    const age = tools.now() - Date.parse(file.createdAt);
    const old = age >= tools.orphanGraceMs && file !== anchor;
    const orphan = old && !(await isKnown(file.id, tools));
    if (orphan) note(report, 'orphansDeleted', file.id);
    if (orphan && !tools.dryRun) {
      await tools.claude.deleteFile(file.id);
      continue;
    }
    report.storageBytes = (report.storageBytes ?? 0) + file.sizeBytes;
    report.remoteFiles = (report.remoteFiles ?? 0) + 1;
  }
  return page.next;
};

async function isKnown(fileId: string, tools: ReconcileTools): Promise<boolean> {
  const { items } = await tools.table.query({
    index: indexes.byFile.name,
    hash: { name: indexes.byFile.hash, value: fileId },
    limit: 1,
  });
  return items.length > 0;
}
