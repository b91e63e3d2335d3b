import type { Conversion, ConvertInput } from '../formats/index.ts';
import { RejectDocument, SkipDocument } from '../journey/errors.ts';
import { documentIdOf } from '../journey/ids.ts';
import type { ObjectChange } from '../journey/messages.ts';
import { done, type Outcome } from '../journey/outcome.ts';
import {
  asksForFields,
  isDataset,
  type Profile,
  type ProfileFor,
  recordedProfile,
} from '../journey/profiles.ts';
import type { Fidelity } from '../journey/record.ts';
import type { DocumentItem } from '../ledger/document-item.ts';
import { orderOf } from '../ledger/keys.ts';
import { newestOrder } from '../ledger/version.ts';
import { attempt, resumeFromDeadLetter } from './attempt.ts';
import { nameOf, type Original, profileAskedOf, withOriginal } from './original.ts';
import { announceParts, leftOutWarning, type PartTools } from './parts.ts';
import { profileOf } from './profile-of.ts';
import { releasePast, releasePastEarly } from './release-past.ts';
import { handToUpload, passedThrough, sendToUpload, stage } from './staging.ts';
import { withTextLayer } from './text-layer.ts';

export interface NormalizeTools extends PartTools {
  /** Converts a local file; `ConversionSandbox` outside of tests. */
  convert: (input: ConvertInput) => Promise<Conversion>;
  profileFor: ProfileFor;
}

/**
 * Applies one change of an object: records it, and converts a created object into what Claude takes.
 *
 * Order of writes, and what a crash after each leaves: (1) the record says `received` or `removed`:
 * the redelivered event goes on from there; (2) parts are staged and announced under the sequencer
 * of this version: announced again at worst, and the ledger knows them; (3) the converted bytes
 * are staged under their own hash: staged again at worst; (4) the record says `normalized`; (5) the
 * upload message is sent: a redelivered event that finds `normalized` sends it again. What the
 * version before held is let go last, see `release-past.ts`.
 */
export async function normalize(event: ObjectChange, tools: NormalizeTools): Promise<Outcome> {
  const change = event.ofVersion ? await asItStands(event, tools) : event;
  if (!change) return done;
  const { key, profileAsked } = change;
  const profile = tools.profileFor({ key, profileAsked });
  const { outcome, document: found } = await tools.documents.receive(
    change,
    profile?.name ?? profileAsked ?? '',
    profile?.hash,
  );
  if (outcome === 'stale') {
    tools.log.info('an older event changes nothing', {
      documentId: found.documentId,
      key: found.key,
      sequencer: change.sequencer,
    });
    return done;
  }
  await releasePastEarly(found, tools);
  const document = await resumeFromDeadLetter(found, 'normalize', 'received', tools.documents);

  switch (document.status) {
    case 'received':
      if (document.rendering) {
        await tools.send({ step: 'render', ...ref(document) });
        return done;
      }
      return attempt('normalize', document, tools, () => convertAndHandOn(document, tools));
    case 'normalized':
      await sendToUpload(document, tools);
      return done;
    case 'removed':
    case 'failed':
    case 'skipped':
      await releasePast(document, tools);
      return done;
    default:
      return done;
  }
}

/**
 * What the permanent deletion of one version means for its key. The bucket is asked what stands there
 * now: nothing, then the object is removed; an object (the version deleted was an old one, the newest
 * of several, or a delete marker), then it is as if that were created by this event.
 * @returns undefined when the record tells of that object already
 */
async function asItStands(
  event: ObjectChange,
  { objects, documents }: NormalizeTools,
): Promise<ObjectChange | undefined> {
  const { bucket, key, sequencer, ofVersion: _, ...rest } = event;
  const present = await objects.head({ bucket, key });
  if (!present) return { ...rest, bucket, key, sequencer };
  const { versionId, etag, sizeBytes } = present;
  for (;;) {
    const document = await documents.get(documentIdOf(bucket, key));
    const stands =
      document !== undefined &&
      newestOrder(document) < orderOf(sequencer) &&
      document.status !== 'removed' &&
      document.versionId === versionId &&
      document.etag === etag;
    if (!stands) break;
    if (await documents.confirm(document, sequencer)) return undefined;
  }
  return { ...rest, kind: 'created', bucket, key, sequencer, versionId, etag, sizeBytes };
}

async function convertAndHandOn(received: DocumentItem, tools: NormalizeTools): Promise<void> {
  if (received.key.endsWith('/') && received.sizeBytes === 0) {
    throw new SkipDocument({
      code: 'normalize.folder',
      message: 'The object is the empty marker of a folder.',
    });
  }
  await withOriginal(received, tools.limits, tools, async (original) => {
    const document = await withProfile(received, original, tools);
    if (!document) return;
    const { path, contentType, sizeBytes, outDir } = original;
    const name = nameOf(document.key);
    const { limits } = tools;
    const depth = document.depth ?? 0;
    const profile = profileOf(document, tools);
    const wantsText = asksForFields(profile);
    const input = { path, name, contentType, sizeBytes, outDir, limits, depth, wantsText };
    const conversion = isDataset(document.key, profile)
      ? asItIs(name)
      : await tools.convert(input).catch(orContainerUpload(profile));
    const announced = await announceParts(document, conversion, tools);
    const found = { ...conversion, fidelity: withLeftOut(conversion, announced, tools) };
    await handOn(document, found, announced, { ...original, wantsText }, tools);
  });
}

/**
 * Writes down that the object asks for a profile by name, in its metadata or a tag; that is known once it is read. A
 * part keeps what its container asks for. One write more, and only where something is asked.
 * @returns `undefined` when a newer event came first
 */
async function withProfile(
  document: DocumentItem,
  original: Original,
  tools: NormalizeTools,
): Promise<DocumentItem | undefined> {
  const profileAsked = await profileAskedOf(document, original, tools);
  if (profileAsked === document.profileAsked) return document;
  const { key } = document;
  const profile = tools.profileFor({ key, profileAsked });
  return tools.documents.move(
    document,
    document.status,
    profile
      ? { ...recordedProfile(profile), profileAsked }
      : { profile: profileAsked, profileAsked },
    {
      remove: [
        ...(profile ? [] : ['profileHash' as const]),
        ...(profileAsked ? [] : ['profileAsked' as const]),
      ],
    },
  );
}

/** What the code execution tool reads goes up without being looked into. */
function asItIs(name: string): Conversion {
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
  return {
    outcome: 'pass',
    mimeType: tableTypes[extension] ?? 'application/octet-stream',
    block: 'container_upload',
    fidelity: { route: 'dataset', warnings: [] },
    parts: [],
  };
}

const tableTypes: Record<string, string> = {
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

/** A type that is not converted goes up as it is where the profile asks for that. */
function orContainerUpload({ containerUploads }: Profile): (error: unknown) => Conversion {
  return (error) => {
    const unsupported =
      error instanceof SkipDocument && error.code === 'normalize.unsupported' && containerUploads;
    if (!unsupported) throw error;
    return {
      outcome: 'pass',
      mimeType: 'application/octet-stream',
      block: 'container_upload',
      fidelity: { route: 'container upload', warnings: [] },
      parts: [],
    };
  };
}

/** What the conversion found, and how many of its parts are no documents because there are too many. */
function withLeftOut(
  { fidelity, parts, partsBeyondLimit = 0 }: Conversion,
  announced: number,
  { limits }: NormalizeTools,
): Fidelity {
  const found = parts.length + partsBeyondLimit;
  if (announced === found) return fidelity;
  const warning = leftOutWarning(found - announced, found, limits);
  return { ...fidelity, warnings: [...fidelity.warnings, warning] };
}

async function handOn(
  document: DocumentItem,
  conversion: Conversion,
  announced: number,
  original: Original & { wantsText: boolean },
  tools: NormalizeTools,
): Promise<void> {
  const { fidelity } = conversion;
  if (conversion.outcome === 'container') {
    if (announced === 0) {
      throw new RejectDocument({
        code: 'normalize.too_many_parts',
        message: `None of the files inside became a document: the dropped file has used up its ${tools.limits.maxParts}.`,
      });
    }
    throw new SkipDocument({
      code: 'normalize.container',
      message: `The file only holds others: its ${announced} parts are documents of their own.`,
      fidelity,
    });
  }
  if (conversion.outcome === 'render') {
    const moved = await tools.documents.move(
      document,
      'received',
      { fidelity, rendering: true, ...(original.wantsText ? { keepsText: true } : {}) },
      { attempt: 'normalize', remove: ['error'] },
    );
    if (moved) await tools.send({ step: 'render', ...ref(document) });
    return;
  }

  const { mimeType, block } = conversion;
  const staged =
    conversion.outcome === 'file'
      ? await stage(document, conversion, tools)
      : await withTextLayer(
          document,
          passedThrough(document, original, mimeType, tools),
          conversion.textLayer,
          tools,
        );
  await handToUpload('normalize', document, { ...staged, mimeType, block, fidelity }, tools);
}

const ref = ({ documentId, order }: DocumentItem) => ({ documentId, order });
