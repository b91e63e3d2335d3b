import { z } from 'zod';
import { documentRecordSchema, type Status } from '../journey/record.ts';

/** Where the bytes that Claude gets are: the staged conversion, or the original itself. */
export const sourceSchema = z.object({
  bucket: z.string(),
  key: z.string(),
  versionId: z.string().optional(),
  etag: z.string().optional(),
  sizeBytes: z.int(),
  /** Marked name the remote file gets (shared/claude/filename.ts). */
  filename: z.string(),
  /** Key in the staging bucket of the text layer of a PDF, as JSON, by pages; kept where fields are asked for. */
  textLayer: z.string().optional(),
});
export type Source = z.infer<typeof sourceSchema>;

/** A reference to a content that a version held and that must be dropped. */
export const releaseSchema = z.object({
  contentSha256: z.string(),
  /** Id of the content where it is not the SHA-256 itself (content-id.ts). */
  contentId: z.string().optional(),
  order: z.string(),
  /** True where the version had its file, which a newer version may go on with. */
  hadFile: z.boolean().optional(),
});
export type Release = z.infer<typeof releaseSchema>;

/** Every attribute that a document item may have: the public record and Dropline's own book-keeping. */
const attributes = documentRecordSchema.extend({
  pk: z.string(),
  sk: z.string(),
  /** The sequencer, padded so that strings compare as S3 orders events. */
  order: z.string(),
  /** The newest event, padded as `order`, that is known to have left this version standing. */
  confirmedBy: z.string().optional(),
  /** When the event of this version was applied, RFC 3339. */
  stateAt: z.string(),
  /** Where the bytes of the object itself are; differs from bucket and key for parts of a mail or archive. */
  original: z
    .object({
      bucket: z.string(),
      key: z.string(),
      versionId: z.string().optional(),
      etag: z.string().optional(),
    })
    .optional(),
  /** Id of the content where it is not the SHA-256 itself (content-id.ts). */
  contentId: z.string().optional(),
  source: sourceSchema.optional(),
  /** True while the document waits for the render step. */
  rendering: z.boolean().optional(),
  /** True where the render step has to keep the text of the PDF that it makes, because fields are asked for. */
  keepsText: z.boolean().optional(),
  releases: z.array(releaseSchema).optional(),
  /** Fence of a paid call by a function of 0.1, which may still run; respected, no longer written. */
  lease: z.object({ owner: z.string(), until: z.number() }).optional(),
  /** Times a known file turned out gone and the content was uploaded again. */
  evictions: z.int().optional(),
  /** Times in a row that the step this document waits for found the Claude API down. */
  outages: z.int().optional(),
  /** When a person had its dead letter retried: what was sent to its step before that counts no more. */
  retriedAt: z.string().optional(),
  /** The status that a held document resumes from. */
  heldFrom: z.enum(['received', 'normalized', 'uploaded']).optional(),
  /** What a document that the budget holds needs: the tokens of its prompt, and the most of its answer. */
  needs: z.object({ promptTokens: z.int(), maxTokens: z.int() }).optional(),
  /** Calls about a question of this version of which nobody has seen the reply: they count although another is asked since. */
  unseen: z.record(z.string(), z.int()).optional(),
  /** The profile that the object asks for by name, or the container that it is a part of. */
  profileAsked: z.string().optional(),
  /** How deep in containers this document is: 0 for an object of the inbox. */
  depth: z.int().optional(),
  /** True when parts of this version were announced as documents of their own. */
  hasParts: z.boolean().optional(),
  /** `tagged`: the keys of this version's parts have tags; without it, they have none (docs/decisions/0046). */
  partKeys: z.literal('tagged').optional(),
  /** How many of this version's parts are announced, while not all of them are. */
  partsAnnounced: z.int().optional(),
  /** True while parts of past versions may still have to be retired. */
  retiresParts: z.boolean().optional(),
  /** Order of a removal that still has to delete what the versions before it left behind. */
  purgesBefore: z.string().optional(),
});

/** An item as it is read where it is only replaced: one that a fault has broken must not block its successor. */
export const replacedItemSchema = attributes;

/** What a version has once the bytes that Claude gets are known. */
const normalized = attributes.required({
  contentSha256: true,
  mimeType: true,
  block: true,
  source: true,
});
/** What a version has once a remote file carries those bytes. */
const uploaded = normalized.required({ fileId: true, usage: true });
const ended = attributes.required({ error: true });

/** One schema for each status: an item cannot lack what its status implies. */
const byStatus = {
  received: attributes.extend({ status: z.literal('received') }),
  normalized: normalized.extend({ status: z.literal('normalized') }),
  uploaded: uploaded.extend({ status: z.literal('uploaded') }),
  ready: uploaded.extend({ status: z.literal('ready') }),
  failed: ended.extend({ status: z.literal('failed') }),
  skipped: ended.extend({ status: z.literal('skipped') }),
  removed: attributes.extend({ status: z.literal('removed') }),
  held: ended.required({ heldFrom: true }).extend({ status: z.literal('held') }),
} satisfies Record<Status, z.ZodType>;

/** The document item as it is in the table, by status. */
export const documentItemSchema = z.discriminatedUnion('status', [
  byStatus.received,
  byStatus.normalized,
  byStatus.uploaded,
  byStatus.ready,
  byStatus.failed,
  byStatus.skipped,
  byStatus.removed,
  byStatus.held,
]);
export type DocumentItem = z.infer<typeof documentItemSchema>;

/** A document item in one status. */
export type DocumentIn<S extends Status> = Extract<DocumentItem, { status: S }>;

/** Any attribute of a document item, present or not. */
export type DocumentAttributes = z.infer<typeof attributes>;

/**
 * A version that a newer event has replaced. It keeps its fileId as `pastFileId`, so that the index by file
 * finds only documents that are still on that file.
 */
export const pastVersionSchema = attributes.extend({ pastFileId: z.string().optional() });
export type PastVersion = z.infer<typeof pastVersionSchema>;

/** An item lacks what its status implies: a fault in the code, found before it reaches the table. */
export class BrokenInvariant extends Error {
  override readonly name = 'BrokenInvariant';
}

/**
 * Asserts that an item which is about to be written has what its status implies.
 * @param item the attributes that the item will have
 * @throws BrokenInvariant that names what is missing
 */
export function assertImplied(
  status: Status,
  item: { [Field in keyof DocumentAttributes]?: DocumentAttributes[Field] | undefined },
): void {
  const missing = implied(status).filter((name) => item[name] === undefined);
  if (missing.length > 0) {
    throw new BrokenInvariant(`a document that is ${status} must have ${missing.join(', ')}`);
  }
}

const impliedBy = new Map<Status, (keyof DocumentAttributes)[]>();

/** The attributes that are optional in general and that a status implies. */
function implied(status: Status): (keyof DocumentAttributes)[] {
  const known = impliedBy.get(status);
  if (known) return known;
  const { shape } = byStatus[status];
  const names = (Object.keys(attributes.shape) as (keyof DocumentAttributes)[]).filter(
    (name) =>
      attributes.shape[name].safeParse(undefined).success &&
      !shape[name].safeParse(undefined).success,
  );
  impliedBy.set(status, names);
  return names;
}
