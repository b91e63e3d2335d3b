import { z } from 'zod';
import { documentRecordSchema } from '../journey/record.ts';

/** Where the bytes that Claude gets are: the staged conversion, or the original itself. */
export const sourceSchema = z.object({
  bucket: z.string(),
  key: z.string(),
  versionId: z.string().optional(),
  etag: z.string().optional(),
  sizeBytes: z.int(),
  /** Marked name the remote file gets (shared/claude/filename.ts). */
  filename: z.string(),
});
export type Source = z.infer<typeof sourceSchema>;

/** A reference to a content that a version held and that must be dropped. */
export const releaseSchema = z.object({
  contentSha256: z.string(),
  order: z.string(),
  /** True where the version had its file, which a newer version may go on with. */
  hadFile: z.boolean().optional(),
});
export type Release = z.infer<typeof releaseSchema>;

/** The document item as it is in the table: the public record and Dropline's own attributes. */
export const documentItemSchema = documentRecordSchema.extend({
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
  source: sourceSchema.optional(),
  /** True while the document waits for the render step. */
  rendering: z.boolean().optional(),
  releases: z.array(releaseSchema).optional(),
  /** The past version whose summary, there or being paid for, may be carried over when the content is the same. */
  prior: z
    .object({ order: z.string(), contentSha256: z.string(), fingerprint: z.string() })
    .optional(),
  /** What the summary was made with: prompt, model and options, hashed. */
  fingerprint: z.string().optional(),
  /** Fence of the paid call. */
  lease: z.object({ owner: z.string(), until: z.number() }).optional(),
  /** Times a known file turned out gone and the content was uploaded again. */
  evictions: z.int().optional(),
  /** Times in a row that the step this document waits for found the Claude API down. */
  outages: z.int().optional(),
  /** The status that a held document resumes from. */
  heldFrom: z.enum(['received', 'normalized', 'uploaded']).optional(),
  /** How deep in containers this document is: 0 for an object of the inbox. */
  depth: z.int().optional(),
  /** True when parts of this version were announced as documents of their own. */
  hasParts: z.boolean().optional(),
  /** True while parts of past versions may still have to be retired. */
  retiresParts: z.boolean().optional(),
});
export type DocumentItem = z.infer<typeof documentItemSchema>;
