import { stat } from 'node:fs/promises';
import { markedFilename } from '../claude/filename.ts';
import { RejectDocument } from '../journey/errors.ts';
import { hashFile } from '../journey/hash.ts';
import { contentNameOf, newContentId } from '../ledger/content-id.ts';
import type { DocumentIn, DocumentItem, Source } from '../ledger/document-item.ts';
import { addressOf, nameOf, type Original } from './original.ts';
import type { StepTools } from './tools.ts';

/** The bytes that Claude will get, and where they are. */
export interface Staged {
  contentSha256: string;
  source: Source;
}

/**
 * Stores a converted file below its version, under its own hash: two workers on one event make the
 * same bytes of it, unless a deploy came between them, and neither must overwrite what the record names.
 */
export async function stage(
  document: DocumentItem,
  file: { path: string; mimeType: string },
  tools: StepTools,
): Promise<Staged> {
  const sha256 = await hashFile(file.path);
  const { size: sizeBytes } = await stat(file.path);
  if (sizeBytes === 0) {
    throw new RejectDocument({
      code: 'normalize.empty',
      message: 'Nothing was found in the file that could be read.',
    });
  }
  const target = {
    bucket: tools.stagingBucket,
    key: `staged/${document.documentId}/${document.order}/${sha256}`,
  };
  await tools.objects.putFile(target, {
    path: file.path,
    sizeBytes,
    sha256,
    contentType: file.mimeType,
  });
  const filename = filenameFor(document, sha256, file.mimeType, tools);
  return { contentSha256: sha256, source: { ...target, sizeBytes, filename } };
}

/** The original itself, where nothing has to be converted. */
export function passedThrough(
  document: DocumentItem,
  { sha256, sizeBytes }: Original,
  mimeType: string,
  tools: StepTools,
): Staged {
  const filename = filenameFor(document, sha256, mimeType, tools);
  return {
    contentSha256: sha256,
    source: { ...addressOf(document), sizeBytes, filename },
  };
}

/** Writes down what Claude will get, then hands the document to upload. */
export async function handToUpload(
  step: 'normalize' | 'render',
  document: DocumentItem,
  made: Staged & Pick<DocumentIn<'normalized'>, 'mimeType' | 'block' | 'fidelity'>,
  tools: StepTools,
): Promise<void> {
  const { contentSha256, mimeType } = made;
  const contentId = await idFor(contentSha256, mimeType, tools);
  const name = contentId === contentSha256 ? {} : { contentId };
  const moved = await tools.documents.move(
    document,
    'normalized',
    { ...made, ...name },
    {
      attempt: step,
      remove: ['error', 'rendering', 'keepsText'],
    },
  );
  if (moved) await sendToUpload(moved, tools);
}

/** The id of the content. What 0.1 uploaded for the code execution tool is under its SHA-256 alone, and stays there. */
async function idFor(sha256: string, mimeType: string, { contents }: StepTools): Promise<string> {
  const contentId = newContentId(sha256, mimeType);
  if (contentId === sha256) return contentId;
  const old = await contents.get(sha256);
  return old?.mimeType === mimeType ? sha256 : contentId;
}

/** Sends a normalized document to upload. */
export async function sendToUpload(
  document: DocumentIn<'normalized'>,
  tools: StepTools,
): Promise<void> {
  const { documentId, order } = document;
  await tools.send({ step: 'upload', documentId, order, ...contentNameOf(document) });
}

const extensions: Record<string, string> = {
  'application/pdf': 'pdf',
  'text/plain': 'txt',
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
};

function filenameFor(
  document: DocumentItem,
  sha256: string,
  mimeType: string,
  { deployment }: StepTools,
): string {
  const name = nameOf(document.key);
  const own = /\.([A-Za-z0-9]{1,10})$/.exec(name)?.[1]?.toLowerCase() ?? 'bin';
  return markedFilename(name, sha256, deployment, extensions[mimeType] ?? own);
}
