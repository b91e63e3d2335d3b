import { z } from 'zod';

/**
 * The document record: the public contract that downstream apps read from DynamoDB
 * (`pk = DOC#<documentId>`, `sk = DOC`). Its JSON Schema is published as `docs/record.schema.json`.
 * Attributes not named here are Dropline's own book-keeping and may change.
 */

export const statuses = [
  'received',
  'normalized',
  'uploaded',
  'ready',
  'failed',
  'skipped',
  'removed',
  'held',
] as const;

export const statusSchema = z.enum(statuses);
/** How far a document has come; `terminalStatuses` are those that it can keep for good. */
export type Status = z.infer<typeof statusSchema>;

/**
 * The statuses that a document can keep for good. `held` is not one: it resumes by itself.
 * @example
 * import { terminalStatuses } from 'dropline-aws';
 * console.log(terminalStatuses.join()); // prints ready,failed,skipped,removed
 */
export const terminalStatuses = ['ready', 'failed', 'skipped', 'removed'] as const;

export const stepNames = ['normalize', 'render', 'upload', 'summarize', 'remove'] as const;
export const stepSchema = z.enum(stepNames);
export type Step = z.infer<typeof stepSchema>;

/** How Claude takes a file: the content block that may carry its `file_id`. */
export const blockSchema = z.enum(['document', 'image', 'container_upload']);
export type Block = z.infer<typeof blockSchema>;

const isoTime = z.iso.datetime().describe('RFC 3339 time, UTC');

export const warningSchema = z.object({
  code: z.string().describe('Stable code, listed in docs/formats.md'),
  message: z.string().describe('One sentence for a person'),
});
/** Something a person should know about a conversion that nevertheless succeeded. */
export type Warning = z.infer<typeof warningSchema>;

export const fidelitySchema = z.object({
  route: z.string().describe('How the file was converted for Claude, such as "docx→text"'),
  imagesFound: z.int().optional(),
  imagesKept: z.int().optional(),
  rowsFound: z.int().optional(),
  rowsKept: z.int().optional(),
  pages: z.int().optional(),
  encoding: z.string().optional().describe('Character encoding the original was read with'),
  warnings: z.array(warningSchema),
});
/** What a conversion found and what it kept. Absent counts do not apply to the format. */
export type Fidelity = z.infer<typeof fidelitySchema>;

/** A place in the document that supports a passage of the summary, as cited by Claude. */
export const citationSchema = z.object({
  field: z.enum(['title', 'text', 'keyPoints']).describe('The part of the summary it supports'),
  index: z.int().optional().describe('Which key point, counted from 0'),
  citedText: z.string(),
  location: z.discriminatedUnion('type', [
    z.object({
      type: z.literal('char'),
      start: z.int().describe('First character, counted from 0, in the text that went to Claude'),
      end: z.int().describe('After the last character'),
    }),
    z.object({
      type: z.literal('page'),
      start: z.int().describe('First page, counted from 1'),
      end: z.int().describe('After the last page'),
    }),
    z.object({
      type: z.literal('block'),
      start: z.int(),
      end: z.int(),
    }),
  ]),
});

const evidenceSchema = z.object({
  path: z.string().describe('JSON Pointer of the value in `data`'),
  quote: z.string().describe('Passage that Claude gives for the value; empty where it gave none'),
  grounded: z
    .boolean()
    .nullable()
    .describe(
      'Whether the quote stands in the text that went to Claude; null where there is no text to look in, as for pictures and scans',
    ),
  match: z
    .enum(['exact', 'normalised'])
    .optional()
    .describe(
      '`normalised`: whitespace, quotation marks, dashes, ligatures or hyphenation are written differently there',
    ),
  occurrences: z
    .int()
    .optional()
    .describe('How often the quote stands there, counted to 100; 1 when absent'),
  location: z
    .discriminatedUnion('type', [
      z.object({
        type: z.literal('char'),
        start: z
          .int()
          .describe('First UTF-16 unit, counted from 0, in the text that went to Claude'),
        end: z.int().describe('After the last unit'),
      }),
      z.object({
        type: z.literal('page'),
        start: z.int().describe('First page, counted from 1'),
        end: z.int().describe('After the last page'),
      }),
    ])
    .optional()
    .describe('Where the quote stands; the first place where there are several'),
});
/** What a value of the fields rests on. */
export type Evidence = z.infer<typeof evidenceSchema>;

const fieldsSchema = z.object({
  data: z
    .unknown()
    .optional()
    .describe("Valid against the profile's schema; absent when too long, then it is at `location`"),
  evidence: z
    .array(evidenceSchema)
    .describe('A quote for each value; when there are very many, the first ones'),
  ungrounded: z.int().describe('How many of all values have no quote that stands in the text'),
  unchecked: z.int().describe('How many could not be checked, because there is no text'),
  model: z.string(),
  at: isoTime,
  location: z
    .string()
    .optional()
    .describe('s3:// address of all `data` and `evidence` as JSON, when too long'),
});

export const summarySchema = z.object({
  title: z.string(),
  text: z.string(),
  keyPoints: z.array(z.string()),
  language: z.string().describe('BCP 47 tag of the language the document is written in'),
  citations: z.array(citationSchema),
  data: z.unknown().optional().describe('Never written; what a schema asks for is in `fields`'),
  checked: z
    .object({
      count: z.int().describe('Citations by character'),
      verified: z.int().describe('Those whose text stands at their place'),
      unit: z
        .enum(['utf16', 'codePoint'])
        .optional()
        .describe('What the API counted as a character, where the text tells'),
    })
    .optional()
    .describe('How many citations hold in the text that went to Claude'),
  model: z.string(),
  stopReason: z.string(),
  at: isoTime,
  carriedFrom: z
    .string()
    .optional()
    .describe(
      'Written by versions before 0.2: sequencer of the past version whose summary this is',
    ),
  location: z.string().optional().describe('s3:// address of the whole summary when too long'),
});

export const usageSchema = z.object({
  inputTokens: z.int().describe('Tokens billed as plain input'),
  outputTokens: z.int().describe('Tokens billed as output, thinking included'),
  thinkingTokens: z
    .int()
    .optional()
    .describe('Those of the output tokens that were thinking; absent when not known'),
  cacheReadTokens: z.int(),
  costUsd: z.number().describe('From the price table in force when the call was made'),
  calls: z
    .int()
    .describe(
      'Calls that were or may have been paid for this document; 0 when it shares an answer, above one a question when an answer was asked for again, a process died in a call or its reply was lost',
    ),
  costUnknownCalls: z
    .int()
    .optional()
    .describe('Those of the calls whose cost is not known and not in costUsd; 0 when absent'),
});

/** How one of the answers that a profile asks for ended. */
export const answerOutcomeSchema = z.object({
  outcome: z.enum(['answered', 'refused']),
  question: z.string().describe('Hash of all that the reply depends on besides the content'),
  generation: z.int().describe('How many times a refused question had been asked again'),
  sharedFrom: z
    .string()
    .optional()
    .describe('documentId of the document with the same content that paid for the answer'),
});

export const recordErrorSchema = z.object({
  code: z.string().describe('Stable code, listed in docs/errors.md'),
  message: z.string(),
  step: stepSchema,
  advice: z.string(),
  requestId: z.string().optional(),
  category: z
    .string()
    .optional()
    .describe('Why Claude declined, such as `cyber`, where it says (`summarize.refused`)'),
  at: isoTime,
});

/**
 * The record's contract as a Zod schema, for apps that receive records by another way than
 * `DroplineReader`, and the source of docs/record.schema.json.
 * @example
 * import { documentRecordSchema } from 'dropline-aws';
 * console.log(documentRecordSchema.shape.status.safeParse('done').success); // prints false
 */
export const documentRecordSchema = z.object({
  documentId: z.string().describe('Derived from bucket and key: documentIdOf(bucket, key)'),
  bucket: z.string(),
  key: z.string().describe('The key as S3 holds it, not URL-encoded'),
  versionId: z.string().optional(),
  etag: z.string().optional(),
  sequencer: z.string().describe('S3 sequencer of the newest event applied to this record'),
  sizeBytes: z.int().optional(),
  contentType: z.string().optional(),
  status: statusSchema,
  contentSha256: z.string().optional().describe('SHA-256 of the bytes that Claude gets, in hex'),
  mimeType: z.string().optional(),
  block: blockSchema.optional(),
  fileId: z.string().optional(),
  fileExpiresAt: isoTime.optional(),
  fidelity: fidelitySchema.optional(),
  summary: summarySchema.optional(),
  fields: fieldsSchema
    .optional()
    .describe("What the profile's schema asks for, and what it rests on"),
  files: z
    .array(
      z.object({
        name: z.string().describe('As Claude named it: text of a stranger, not a path'),
        mimeType: z.string(),
        sizeBytes: z.int(),
        location: z.string().describe('s3:// address in the results bucket'),
      }),
    )
    .optional()
    .describe('Files that Claude made for the answer by running code'),
  usage: usageSchema.optional(),
  answers: z
    .object({ summary: answerOutcomeSchema.optional(), fields: answerOutcomeSchema.optional() })
    .optional(),
  waiting: z
    .object({
      reason: z
        .enum(['answer', 'batch'])
        .describe(
          '`answer`: a document with the same content is being asked about; `batch`: the question is collected or under way in a Message Batch, which takes up to a day',
        ),
      since: isoTime,
    })
    .optional()
    .describe('What an open document waits for, when it is neither its turn nor a failure'),
  error: recordErrorSchema.optional(),
  attempts: z.partialRecord(stepSchema, z.int()).describe('Attempts that ended, by step'),
  parent: z.string().optional().describe('documentId of the mail or archive that contained it'),
  partsLeftOut: z
    .object({
      code: z.string().describe('Stable code, listed in docs/formats.md'),
      count: z.int().describe('Files that did not become documents'),
    })
    .optional()
    .describe(
      'Files inside this one that were left out because there are more than the limit maxParts; of a dropped file, those at every level',
    ),
  profile: z.string().describe('Name of the profile that the document has'),
  profileHash: z
    .string()
    .optional()
    .describe('Hash of the content of the profile; another one says that the profile was changed'),
  createdAt: isoTime.describe('When the key was first seen'),
  updatedAt: isoTime,
  revision: z.int().describe('Grows by one with every write of this record'),
});

/** A document's record as downstream apps read it. */
export type DocumentRecord = z.infer<typeof documentRecordSchema>;

/** What a record has besides, by its status. */
interface Implied {
  ready: 'fileId' | 'contentSha256' | 'mimeType' | 'block' | 'usage';
  failed: 'error';
  skipped: 'error';
  held: 'error';
}

/** A record with what its status implies. */
export type RecordIn<S extends keyof Implied> = DocumentRecord & { status: S } & Required<
    Pick<DocumentRecord, Implied[S]>
  >;

/**
 * Whether a record has a status, for the compiler too: a `ready` one has a `fileId`, a `failed` one an `error`.
 * @example
 * import { DroplineReader, hasStatus } from 'dropline-aws';
 * const reader = new DroplineReader({ table: 'dropline-ledger' });
 * const record = await reader.get('dropline-inbox', 'services-agreement.docx');
 * if (record && hasStatus(record, 'ready')) console.log(record.fileId.length > 0); // prints true
 */
export function hasStatus<S extends keyof Implied>(
  record: DocumentRecord,
  status: S,
): record is RecordIn<S> {
  return record.status === status;
}

/**
 * The record in an item of the table, without Dropline's own attributes. Throws `ZodError` when the
 * item is not a record.
 * @param item as the SDK's document client returns it
 * @example
 * import { toDocumentRecord } from 'dropline-aws';
 * const record = toDocumentRecord({
 *   documentId: 'v3lifevwn42uktzx2tim4sxafy', bucket: 'inbox', key: 'a.txt', sequencer: '01',
 *   status: 'received', attempts: {}, profile: 'default', createdAt: '2026-01-01T00:00:00Z',
 *   updatedAt: '2026-01-01T00:00:00Z', revision: 1, stateShard: 'open#3',
 * });
 * console.log('stateShard' in record); // prints false
 */
export function toDocumentRecord(item: unknown): DocumentRecord {
  return documentRecordSchema.parse(item);
}
