import type { DocumentRecord } from '../journey/record.ts';
import type { NamedDocument } from './errors.ts';

/** One file at Claude that a question is about, with the documents that have this content. */
export interface Source {
  fileId: string;
  block: 'document' | 'image';
  /** Of a PDF, where its record says it. */
  pages?: number;
  isPdf: boolean;
  /** More than one when the same content was dropped under several keys: it is sent, and paid for, once. */
  documents: [NamedDocument, ...NamedDocument[]];
}

/** A document that is not part of the question, and why. */
export interface LeftOut extends NamedDocument {
  reason: 'no_file' | 'expired' | 'container_upload';
  /** One sentence for a person. */
  message: string;
}

/** The statuses of documents whose file, if they have one, is that of their newest content. */
const settled: readonly string[] = ['ready', 'uploaded', 'held', 'failed'];

/** The files to ask about: each once, in the order of the documents; and the documents that have none. */
export function sourcesOf(
  records: readonly DocumentRecord[],
  now: number,
): { sources: Source[]; leftOut: LeftOut[] } {
  const sources = new Map<string, Source>();
  const leftOut: LeftOut[] = [];
  const seen = new Set<string>();
  for (const record of records) {
    const { documentId, key, block, fileId, mimeType, fidelity } = record;
    if (seen.has(documentId)) continue;
    seen.add(documentId);
    const why = whyNot(record, now);
    if (why !== undefined || fileId === undefined || block === undefined) {
      leftOut.push({ documentId, key, ...(why ?? noFile(record)) });
      continue;
    }
    const known = sources.get(fileId);
    if (known) {
      known.documents.push({ documentId, key });
      continue;
    }
    sources.set(fileId, {
      fileId,
      block: block === 'image' ? 'image' : 'document',
      isPdf: mimeType === 'application/pdf',
      ...(fidelity?.pages === undefined ? {} : { pages: fidelity.pages }),
      documents: [{ documentId, key }],
    });
  }
  return { sources: [...sources.values()], leftOut };
}

type Why = Pick<LeftOut, 'reason' | 'message'>;

function whyNot(record: DocumentRecord, now: number): Why | undefined {
  const { status, block, fileId, fileExpiresAt } = record;
  if (fileId === undefined || !settled.includes(status)) return noFile(record);
  if (block === 'container_upload') {
    return {
      reason: 'container_upload',
      message: 'only code execution can read it, and a question uses no tools',
    };
  }
  if (fileExpiresAt !== undefined && Date.parse(fileExpiresAt) <= now) {
    return { reason: 'expired', message: `its file at Claude expired at ${fileExpiresAt}` };
  }
  return undefined;
}

function noFile({ status, error }: DocumentRecord): Why {
  const because = error ? ` (${error.code})` : '';
  return { reason: 'no_file', message: `it is ${status}${because} and has no file at Claude` };
}
