import type { DocumentRecord } from '../../../shared/journey/record.ts';

export interface Selection {
  /** In the order of what was wanted, then of their keys. */
  documents: DocumentRecord[];
  /** Ids of those that were named by their whole key. */
  named: ReadonlySet<string>;
  /** Keys and prefixes that no document has. */
  missing: string[];
}

/**
 * The documents that are wanted. What is the key of a document stands for that one, and else for all below it as a
 * prefix, without those that were removed.
 * @param records of all documents, wherever they are kept
 */
export async function selectDocuments(
  records: AsyncIterable<DocumentRecord>,
  wanted: readonly string[],
): Promise<Selection> {
  const exact = new Map<string, DocumentRecord>();
  const below = new Map(wanted.map((prefix) => [prefix, [] as DocumentRecord[]]));
  for await (const record of records) {
    for (const [prefix, found] of below) {
      if (record.key === prefix) exact.set(prefix, record);
      else if (record.key.startsWith(prefix) && record.status !== 'removed') found.push(record);
    }
  }
  const found = [...below].map(([prefix, documents]) => {
    const one = exact.get(prefix);
    return { prefix, documents: one ? [one] : documents.sort(byKey) };
  });
  return {
    documents: found.flatMap(({ documents }) => documents),
    named: new Set([...exact.values()].map(({ documentId }) => documentId)),
    missing: found.filter(({ documents }) => documents.length === 0).map(({ prefix }) => prefix),
  };
}

/** By code units, so that the order is the same on every machine. */
const byKey = (a: DocumentRecord, b: DocumentRecord): number => (a.key < b.key ? -1 : 1);
