import type { DocumentItem } from '../ledger/document-item.ts';
import { documentKey } from '../ledger/keys.ts';
import { isOpen } from '../ledger/version.ts';
import { partChange } from '../steps/parts.ts';
import type { DutyTools } from './duty.ts';
import { mayAnnounce, onItsWayMs } from './intake.ts';
import { parsedDocument } from './read-document.ts';
import { note, type ReconcileReport } from './report.ts';

/** A part that a version of its container staged. */
export interface StagedPart {
  documentId: string;
  parent: DocumentItem;
  /** Padded sequencer of the version that staged it. */
  order: string;
  /** Its key as a document. */
  key: string;
  /** Its key in the staging bucket. */
  staged: string;
  sizeBytes: number;
}

/** Whether a version is still being worked on, or waits for a person before it is. */
export const inProgress = ({ status }: DocumentItem): boolean =>
  isOpen(status) || status === 'held';

/**
 * Announces the parts of present versions that have no record, or a record of an older version: their events were
 * lost. The sequencer is that of the container, as when they were announced first.
 */
export async function announceMissedParts(
  parts: readonly StagedPart[],
  tools: DutyTools,
  report: ReconcileReport,
): Promise<void> {
  const settled = parts.filter(
    ({ parent, order }) =>
      order === parent.order && !inProgress(parent) && ageOf(parent, tools) >= onItsWayMs,
  );
  if (settled.length === 0) return;
  const keys = new Map(settled.map(({ documentId }) => [documentId, documentKey(documentId)]));
  const items = await tools.table.getMany([...keys.values()]);
  const known = new Map(items.map((item) => [String(item.pk), parsedDocument(item, report)]));
  for (const { documentId, parent, key, staged, sizeBytes } of settled) {
    const document = known.get(documentKey(documentId).pk);
    // `null` is a record that cannot be read; the report lists it.
    if (document === null || (document && document.order >= parent.order)) continue;
    if (!mayAnnounce(ageOf(parent, tools), tools)) {
      note(report, 'inBacklog', documentId);
      continue;
    }
    note(report, 'announced', key);
    if (tools.dryRun) continue;
    await tools.announce(
      partChange(parent, key, { bucket: tools.stagingBucket, key: staged }, sizeBytes),
    );
  }
}

const ageOf = ({ updatedAt }: DocumentItem, { now }: DutyTools): number =>
  now() - Date.parse(updatedAt);
