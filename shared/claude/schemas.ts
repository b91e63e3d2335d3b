import type { Message } from '@anthropic-ai/sdk/resources/messages/messages';
import { z } from 'zod';

/**
 * The parts of the API's replies that Dropline reads. Unknown fields are accepted; a missing or
 * changed field that is read is an error. Source: types of the official SDK 1.12.
 */

/** RFC 3339 with any offset and precision, converted to UTC milliseconds as in our records. */
const time = z.iso.datetime({ offset: true }).transform((value) => new Date(value).toISOString());

/** A remote file, the same for both dialects. */
export interface FileMetadata {
  id: string;
  filename: string;
  mimeType: string;
  sizeBytes: number;
  /** RFC 3339, UTC. */
  createdAt: string;
  /** RFC 3339, UTC; undefined when it does not expire. Only in the ga dialect. */
  expiresAt?: string;
  downloadable?: boolean;
}

export const fileSchema = z
  .object({
    id: z.string().min(1),
    type: z.literal('file'),
    filename: z.string(),
    mime_type: z.string(),
    size_bytes: z.int().nonnegative(),
    created_at: time,
    expires_at: time.nullish(),
    downloadable: z.boolean().nullish(),
  })
  .transform((file): FileMetadata => {
    const metadata: FileMetadata = {
      id: file.id,
      filename: file.filename,
      mimeType: file.mime_type,
      sizeBytes: file.size_bytes,
      createdAt: file.created_at,
    };
    if (file.expires_at) metadata.expiresAt = file.expires_at;
    if (typeof file.downloadable === 'boolean') metadata.downloadable = file.downloadable;
    return metadata;
  });

export const gaListSchema = z.object({
  data: z.array(fileSchema),
  next_page: z.string().min(1).nullish(),
});

export const betaListSchema = z.object({
  data: z.array(fileSchema),
  has_more: z.boolean(),
  last_id: z.string().min(1).nullish(),
});

export const deletedSchema = z.object({ id: z.string() });

export const tokenCountSchema = z.object({ input_tokens: z.int().nonnegative() });

const support = z.object({ supported: z.boolean() });

/** The limits of a model, in tokens. The API does not know undefined ones. */
export interface ModelLimits {
  id: string;
  maxInputTokens?: number;
  maxOutputTokens?: number;
  /** Whether a feature such as `citations` or `pdf_input` is supported; absent when unknown. */
  supports: Record<string, boolean>;
}

export const modelSchema = z
  .object({
    id: z.string().min(1),
    max_input_tokens: z.int().positive().nullish(),
    max_tokens: z.int().positive().nullish(),
    capabilities: z.record(z.string(), z.unknown()).nullish(),
  })
  .transform((model): ModelLimits => {
    const limits: ModelLimits = { id: model.id, supports: {} };
    if (model.max_input_tokens) limits.maxInputTokens = model.max_input_tokens;
    if (model.max_tokens) limits.maxOutputTokens = model.max_tokens;
    for (const [name, value] of Object.entries(model.capabilities ?? {})) {
      const parsed = support.safeParse(value);
      if (parsed.success) limits.supports[name] = parsed.data.supported;
    }
    return limits;
  });

const index = z.int().nonnegative();
const cited = { cited_text: z.string(), document_index: index };

/** The three locations of a document citation; other kinds of citation are passed on unread. */
const documentCitation = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('char_location'),
    ...cited,
    start_char_index: index,
    end_char_index: index,
  }),
  z.looseObject({
    type: z.literal('page_location'),
    ...cited,
    start_page_number: index,
    end_page_number: index,
  }),
  z.looseObject({
    type: z.literal('content_block_location'),
    ...cited,
    start_block_index: index,
    end_block_index: index,
  }),
]);

const otherCitation = z.looseObject({
  type: z.string().regex(/^(?!(char|page|content_block)_location$)/),
});

const textBlock = z.looseObject({
  type: z.literal('text'),
  text: z.string(),
  citations: z.array(z.union([documentCitation, otherCitation])).nullish(),
});

const otherBlock = z.looseObject({ type: z.string().regex(/^(?!text$)/) });

const tokens = z.int().nonnegative();

/** The checked part of a message; the rest is passed on unchanged. */
export const messageSchema = z.looseObject({
  id: z.string().min(1),
  type: z.literal('message'),
  role: z.literal('assistant'),
  model: z.string().min(1),
  content: z.array(z.union([textBlock, otherBlock])),
  stop_reason: z.string(),
  // Nice to know: what is wrong in them must not cost a paid reply.
  stop_details: z.looseObject({ category: z.string().nullish() }).nullish().catch(undefined),
  usage: z.looseObject({
    input_tokens: tokens,
    output_tokens: tokens,
    cache_creation_input_tokens: tokens.nullish(),
    cache_read_input_tokens: tokens.nullish(),
    output_tokens_details: z
      .looseObject({ thinking_tokens: tokens.nullish() })
      .nullish()
      .catch(undefined),
  }),
});

/**
 * The checked message, typed as the SDK's. Only the fields that Dropline reads have been checked; the
 * others (thinking, tools) are passed on as the API sent them.
 */
export function asMessage(message: z.output<typeof messageSchema>): Message {
  return message as unknown as Message;
}

/** A Message Batch. */
export interface Batch {
  id: string;
  status: 'in_progress' | 'canceling' | 'ended';
  counts: {
    processing: number;
    succeeded: number;
    errored: number;
    canceled: number;
    expired: number;
  };
  /** RFC 3339, UTC. */
  createdAt: string;
  /** RFC 3339, UTC. Requests without a result by then expire. */
  expiresAt: string;
  endedAt?: string;
}

export const batchSchema = z
  .object({
    id: z.string().min(1),
    type: z.literal('message_batch'),
    processing_status: z.enum(['in_progress', 'canceling', 'ended']),
    request_counts: z.object({
      processing: index,
      succeeded: index,
      errored: index,
      canceled: index,
      expired: index,
    }),
    created_at: time,
    expires_at: time,
    ended_at: time.nullish(),
  })
  .transform((batch): Batch => {
    const result: Batch = {
      id: batch.id,
      status: batch.processing_status,
      counts: batch.request_counts,
      createdAt: batch.created_at,
      expiresAt: batch.expires_at,
    };
    if (batch.ended_at) result.endedAt = batch.ended_at;
    return result;
  });

export const batchListSchema = z.object({
  data: z.array(batchSchema),
  has_more: z.boolean(),
  last_id: z.string().min(1).nullish(),
});

export const batchLineSchema = z.object({
  custom_id: z.string(),
  result: z.discriminatedUnion('type', [
    z.object({ type: z.literal('succeeded'), message: messageSchema }),
    z.object({ type: z.literal('errored'), error: z.unknown() }),
    z.object({ type: z.literal('canceled') }),
    z.object({ type: z.literal('expired') }),
  ]),
});
