import { stat } from 'node:fs/promises';
import { hashFile } from '../journey/hash.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import type { Staged } from './staging.ts';
import type { StepTools } from './tools.ts';

/**
 * Stages the text layer of a PDF beside its version, for the step that looks up quotes: that one holds the key of the
 * API and must not parse files of strangers. It goes with the other staged bytes of the version.
 * @param path a JSON list of the pages' texts; without one, there is none
 */
export async function withTextLayer(
  document: DocumentItem,
  staged: Staged,
  path: string | undefined,
  { objects, stagingBucket }: StepTools,
): Promise<Staged> {
  if (path === undefined) return staged;
  const sha256 = await hashFile(path);
  const { size: sizeBytes } = await stat(path);
  const key = `staged/${document.documentId}/${document.order}/${sha256}`;
  const file = { path, sizeBytes, sha256, contentType: 'application/json' };
  await objects.putFile({ bucket: stagingBucket, key }, file);
  return { ...staged, source: { ...staged.source, textLayer: key } };
}
