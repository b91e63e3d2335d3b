import { ZodError } from 'zod';
import type { DocumentItem } from '../ledger/document-item.ts';
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
    // Several duties may encounter it.
    if (!report.ids.unreadable?.includes(documentId)) note(report, 'unreadable', documentId);
    return null;
  }
}
