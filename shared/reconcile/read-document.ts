import { ZodError } from 'zod';
import { type DocumentItem, documentItemSchema } from '../ledger/document-item.ts';
import type { Item } from '../ledger/table.ts';
import type { ReconcileTools } from './duty.ts';
import { note, type ReconcileReport } from './report.ts';

/**
 * A document, `undefined` when there is none, or `null` when its item cannot be read: one broken item must not
 * block the documents after it. The report lists it as `unreadable`.
 */
export async function readDocument(
  documentId: string,
  { documents }: Pick<ReconcileTools, 'documents'>,
  report: ReconcileReport,
): Promise<DocumentItem | undefined | null> {
  try {
    return await documents.get(documentId);
  } catch (error) {
    if (!(error instanceof ZodError)) throw error;
    noteUnreadable(documentId, report);
    return null;
  }
}

/** The document in an item that was read already, or `null` as in `readDocument`. */
export function parsedDocument(item: Item, report: ReconcileReport): DocumentItem | null {
  const parsed = documentItemSchema.safeParse(item);
  if (parsed.success) return parsed.data;
  noteUnreadable(String(item.pk).slice('DOC#'.length), report);
  return null;
}

function noteUnreadable(documentId: string, report: ReconcileReport): void {
  // Several duties may encounter it.
  if (!report.ids.unreadable?.includes(documentId)) note(report, 'unreadable', documentId);
}
