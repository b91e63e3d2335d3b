import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ObjectChanged, ObjectGone } from '../aws/objects.ts';
import { markedFilename } from '../claude/filename.ts';
import { RejectDocument, SkipDocument } from '../errors.ts';
import type { Limits } from '../formats/limits.ts';
import type { Conversion } from '../formats/types.ts';
import { hashFile } from '../hash.ts';
import type { DocumentItem, Source } from '../ledger/document-item.ts';
import type { ObjectChange } from '../messages.ts';
import type { Profile } from '../profiles.ts';
import { letGo } from './let-go.ts';
import { done, type Outcome, revived, settle } from './outcome.ts';
import { announceParts } from './parts.ts';
import type { StepTools } from './tools.ts';

export interface NormalizeTools extends StepTools {
  /** Converts a local file; `ConversionSandbox` outside of tests. */
  convert: (input: {
    path: string;
    name: string;
    contentType?: string | undefined;
    sizeBytes: number;
    outDir: string;
    limits: Limits;
  }) => Promise<Conversion>;
  limits: Limits;
  profileFor: (key: string) => Profile;
}

/**
 * Applies one change of an object: records it, and makes of a created object what Claude takes.
 *
 * Order of writes, and what a crash after each leaves: (1) the record says `received` or `removed`:
 * the redelivered event goes on from there; (2) parts are staged and announced under the sequencer
 * of this version: announced again at worst, and the ledger knows them; (3) the converted bytes
 * are staged under their own hash: staged again at worst; (4) the record says `normalized`; (5) the
 * upload message is sent: a redelivered event that finds `normalized` sends it again. What the
 * version before held is let go last, see `let-go.ts`.
 */
export async function normalize(change: ObjectChange, tools: NormalizeTools): Promise<Outcome> {
  const profile = tools.profileFor(change.key);
  const { outcome, document: found } = await tools.documents.receive(change, profile.name);
  const document = await revived(found, 'normalize', 'received', tools.documents);
  if (outcome === 'stale') {
    tools.log.info('an older event changes nothing', {
      documentId: document.documentId,
      key: document.key,
      sequencer: change.sequencer,
    });
    return done;
  }

  switch (document.status) {
    case 'received':
      if (document.rendering) {
        await tools.send({ step: 'render', ...ref(document) });
        return done;
      }
      return settle('normalize', document, tools, () => convertAndHandOn(document, tools));
    case 'normalized':
      await tools.send({ step: 'upload', ...contentRef(document) });
      return done;
    case 'removed':
    case 'failed':
    case 'skipped':
      await letGo(document, tools);
      return done;
    default:
      return done;
  }
}

async function convertAndHandOn(document: DocumentItem, tools: NormalizeTools): Promise<void> {
  if (document.key.endsWith('/') && document.sizeBytes === 0) {
    throw new SkipDocument({
      code: 'normalize.folder',
      message: 'The object is the empty marker of a folder.',
    });
  }
  const dir = await mkdtemp(join(tmpdir(), 'dropline-'));
  try {
    const file = await fetchOriginal(document, dir, tools);
    const conversion = await tools.convert({
      path: file.path,
      name: nameOf(document.key),
      contentType: file.contentType,
      sizeBytes: file.sizeBytes,
      outDir: file.outDir,
      limits: tools.limits,
    });
    await announceParts(document, conversion.parts, tools);
    await handOn(document, conversion, file, tools);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function fetchOriginal(document: DocumentItem, dir: string, tools: NormalizeTools) {
  if (document.sizeBytes === 0) {
    throw new RejectDocument({ code: 'normalize.empty', message: 'The file has no bytes.' });
  }
  if ((document.sizeBytes ?? 0) > tools.limits.maxBytes) {
    throw new RejectDocument({
      code: 'normalize.too_large',
      message: `The file has ${document.sizeBytes} bytes; the limit is ${tools.limits.maxBytes}.`,
    });
  }
  const path = join(dir, 'original');
  const outDir = join(dir, 'out');
  await mkdir(outDir);
  try {
    return { path, outDir, ...(await tools.objects.download(addressOf(document), path)) };
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
    throw error;
  }
}

async function handOn(
  document: DocumentItem,
  conversion: Conversion,
  original: { sizeBytes: number; sha256: string },
  tools: NormalizeTools,
): Promise<void> {
  const { fidelity } = conversion;
  if (conversion.outcome === 'container') {
    throw new SkipDocument({
      code: 'normalize.container',
      message: `The file only holds others: its ${conversion.parts.length} parts are documents of their own.`,
      fidelity,
    });
  }
  if (conversion.outcome === 'render') {
    const moved = await tools.documents.move(document, 'received', { fidelity, rendering: true });
    if (moved) await tools.send({ step: 'render', ...ref(document) });
    return;
  }

  const { mimeType, block } = conversion;
  const staged =
    conversion.outcome === 'file' ? await stage(document, conversion, tools) : undefined;
  const contentSha256 = staged?.sha256 ?? original.sha256;
  const source: Source = staged
    ? staged.source
    : {
        ...addressOf(document),
        sizeBytes: original.sizeBytes,
        filename: markedFilename(nameOf(document.key), contentSha256, extensionFor(mimeType)),
      };
  const moved = await tools.documents.move(
    document,
    'normalized',
    { contentSha256, mimeType, block, fidelity, source },
    { attempt: 'normalize', remove: ['error'] },
  );
  if (moved) await tools.send({ step: 'upload', ...contentRef(moved) });
}

/** Stores a converted file under its own hash, whatever document it came from. */
export async function stage(
  document: DocumentItem,
  file: { path: string; mimeType: string },
  tools: StepTools,
): Promise<{ sha256: string; source: Source }> {
  const sha256 = await hashFile(file.path);
  const { size: sizeBytes } = await stat(file.path);
  if (sizeBytes === 0) {
    throw new RejectDocument({
      code: 'normalize.empty',
      message: 'Nothing was found in the file that could be read.',
    });
  }
  const target = { bucket: tools.stagingBucket, key: `content/${sha256}` };
  await tools.objects.putFile(target, {
    path: file.path,
    sizeBytes,
    sha256,
    contentType: file.mimeType,
  });
  const filename = markedFilename(nameOf(document.key), sha256, extensionFor(file.mimeType));
  return { sha256, source: { ...target, sizeBytes, filename } };
}

/** Where the document's original bytes are, pinned. */
export function addressOf(document: DocumentItem) {
  if (document.original) return document.original;
  const { bucket, key, versionId, etag } = document;
  return { bucket, key, ...(versionId ? { versionId } : {}), ...(etag ? { etag } : {}) };
}

const ref = ({ documentId, order }: DocumentItem) => ({ documentId, order });

const contentRef = (document: DocumentItem) => ({
  ...ref(document),
  contentSha256: document.contentSha256 ?? '',
});

const nameOf = (key: string): string => key.split('/').at(-1) || key;

const extensions: Record<string, string> = {
  'application/pdf': 'pdf',
  'text/plain': 'txt',
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
};

const extensionFor = (mimeType: string): string => extensions[mimeType] ?? 'bin';
