import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ObjectChanged, ObjectGone, ObjectUnreadable } from '../aws/objects.ts';
import type { Limits } from '../formats/index.ts';
import { RejectDocument } from '../journey/errors.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import type { StepTools } from './tools.ts';
import { rejectUnreadable } from './unreadable.ts';

/** A document's original bytes in a local file. */
export interface Original {
  path: string;
  /** An empty directory beside it, for what is made of it. */
  outDir: string;
  sizeBytes: number;
  sha256: string;
  contentType: string | undefined;
  /** The profile that the object's metadata asks for. */
  profileAsked?: string | undefined;
  /** How many tags the object has. */
  tagCount?: number | undefined;
}

/**
 * Fetches the document's original bytes, does `work` on them, and removes the local copy.
 * @throws RejectDocument `normalize.empty`, `normalize.too_large`, `normalize.object_gone`,
 *   `normalize.object_changed`, `normalize.archived` or `normalize.forbidden`
 */
export async function withOriginal(
  document: DocumentItem,
  limits: Limits,
  tools: StepTools,
  work: (original: Original) => Promise<void>,
): Promise<void> {
  if (document.sizeBytes === 0) {
    throw new RejectDocument({ code: 'normalize.empty', message: 'The file has no bytes.' });
  }
  if ((document.sizeBytes ?? 0) > limits.maxBytes) {
    throw new RejectDocument({
      code: 'normalize.too_large',
      message: `The file has ${document.sizeBytes} bytes; the limit is ${limits.maxBytes}.`,
    });
  }
  // On a local disk, waiting for these takes less than handing them to a thread.
  const dir = mkdtempSync(join(tmpdir(), 'dropline-'));
  try {
    const path = join(dir, 'original');
    const outDir = join(dir, 'out');
    mkdirSync(outDir);
    const fetched = await fetchTo(path, document, tools);
    await work({ path, outDir, ...fetched });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function fetchTo(path: string, document: DocumentItem, tools: StepTools) {
  return orRejected(() => tools.objects.download(addressOf(document), path));
}

/**
 * The profile that a document asks for by name: by the object's metadata, which come with its bytes, else by its tag,
 * which is read only where the object has tags. A part has what its container asks for.
 */
export async function profileAskedOf(
  document: DocumentItem,
  { profileAsked, tagCount = 0 }: Pick<Original, 'profileAsked' | 'tagCount'>,
  tools: StepTools,
): Promise<string | undefined> {
  if (document.parent) return document.profileAsked;
  if (profileAsked !== undefined || tagCount === 0) return profileAsked;
  return orRejected(() => tools.objects.profileTag(addressOf(document)));
}

async function orRejected<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ObjectGone) {
      throw new RejectDocument({
        code: 'normalize.object_gone',
        message: 'The object was removed before it could be read.',
        cause: error,
      });
    }
    if (error instanceof ObjectChanged) {
      throw new RejectDocument({
        code: 'normalize.object_changed',
        message: 'The object was overwritten before it could be read.',
        cause: error,
      });
    }
    if (error instanceof ObjectUnreadable) throw rejectUnreadable('normalize', error);
    throw error;
  }
}

/** Where the document's original bytes are, pinned. */
export function addressOf(document: DocumentItem) {
  if (document.original) return document.original;
  const { bucket, key, versionId, etag } = document;
  return { bucket, key, ...(versionId ? { versionId } : {}), ...(etag ? { etag } : {}) };
}

/** The file's name: the last part of its key. */
export const nameOf = (key: string): string => key.split('/').at(-1) || key;
