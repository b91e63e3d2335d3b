import { z } from 'zod';

/**
 * The messages in Dropline's queues. A message names a version of a document and nothing more: the facts
 * are in the ledger, so a redelivered or late message cannot carry stale ones.
 */

const documentRef = {
  documentId: z.string().min(1),
  /** Padded sequencer of the version. */
  order: z.string().min(1),
};

/** The content of a version, so that a message that comes too late can still release it. */
const content = {
  contentSha256: z.string().length(64),
  /** Its id in the ledger, where that is not the SHA-256 itself (ledger/content-id.ts). */
  contentId: z.string().optional(),
};

/** Work for one version of one document, in the queue of the step named by `step`. */
export const stepMessageSchema = z.discriminatedUnion('step', [
  z.object({ step: z.literal('render'), ...documentRef }),
  z.object({ step: z.literal('upload'), ...documentRef, ...content }),
  z.object({
    step: z.literal('summarize'),
    ...documentRef,
    // Functions of 0.1 send neither.
    contentSha256: content.contentSha256.optional(),
    contentId: content.contentId,
    /** A hint, not a fact: the content had its file before, so there is probably an answer, which is looked for first. */
    shared: z.boolean().optional(),
  }),
  /** A question has an answer, or its asker gave up: wakes the documents that wait, a page at a time. */
  z.object({
    step: z.literal('wake'),
    contentId: z.string(),
    question: z.string(),
    /** Only one of them, which will ask in its turn. */
    one: z.boolean().optional(),
    cursor: z.record(z.string(), z.unknown()).optional(),
  }),
  /** Looks at the Message Batches: collects, creates, applies. Only the message that names the turn does. */
  z.object({ step: z.literal('batch'), turn: z.number() }),
  /** A version no longer uses a content: drop its reference, and the remote file if it was the last. */
  z.object({
    step: z.literal('release'),
    ...documentRef,
    ...content,
    /** The document was removed: what was asked about the content goes with the last reference. */
    purge: z.boolean().optional(),
  }),
]);
export type StepMessage = z.infer<typeof stepMessageSchema>;

const addressSchema = z.object({
  bucket: z.string(),
  key: z.string(),
  versionId: z.string().optional(),
  etag: z.string().optional(),
});

/** A change of an object in the inbox, as the core knows it. Translated from S3's event at the edge. */
export const objectChangeSchema = z.object({
  kind: z.enum(['created', 'removed']),
  bucket: z.string(),
  /** As S3 holds it, not URL-encoded. */
  key: z.string(),
  versionId: z.string().optional(),
  /** Without quotes. */
  etag: z.string().optional(),
  /**
   * True when one version was deleted for good (by hand, or by a lifecycle rule for old versions) in a
   * bucket with versioning: only the bucket knows what is under the key now.
   */
  ofVersion: z.boolean().optional(),
  /** Hexadecimal; orders the events of one key. */
  sequencer: z.string(),
  sizeBytes: z.int().optional(),
  /** Where the bytes are, when not at bucket and key: a part extracted from a mail or an archive. */
  original: addressSchema.optional(),
  /** documentId of the mail or archive this is a part of. */
  parent: z.string().optional(),
  /** How many containers it is in. */
  depth: z.int().optional(),
  /** The profile that the mail or archive asked for: its parts have it too. */
  profileAsked: z.string().optional(),
});
export type ObjectChange = {
  [Field in keyof z.infer<typeof objectChangeSchema>]: z.infer<typeof objectChangeSchema>[Field];
};

/**
 * A change that Dropline itself announces to the intake queue: a part of a mail or archive, or a
 * replacement for an event that was lost.
 */
export const announcementSchema = z.object({
  dropline: z.literal('change'),
  change: objectChangeSchema,
});
