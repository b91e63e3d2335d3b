import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { billedSchema, cutSchema, turnSchema } from './billed.ts';
import { reservedSchema } from './reserved.ts';

/** What became of the files that Claude made. */
const producedSchema = z.object({
  stored: z.array(
    z.object({
      name: z.string(),
      mimeType: z.string(),
      sizeBytes: z.int(),
      /** In the results bucket. */
      key: z.string(),
    }),
  ),
  warnings: z.array(z.object({ code: z.string(), message: z.string() })),
});
export type Produced = z.infer<typeof producedSchema>;

/**
 * The answer to one question about one content: what is paid for, and therefore an item of its own. Documents
 * with the same content share it; whoever claims it first asks, the others wait.
 * - `asking`: a worker holds the lease and makes the paid call, or held it and died or failed; or, with `batchLine`, it waits
 *   for a Message Batch or is in one, under a lease that outlasts the batch;
 * - `answered`: the reply is in the item, or in the results bucket where it is long;
 * - `refused`: the call was paid and its reply is of no use. Only a person's retry asks again.
 */
const attributes = z.object({
  /** What `questionOf` made of all that the reply depends on besides the content. */
  question: z.string(),
  /** How many times a person has had a refused question asked again. */
  generation: z.int().default(0),
  /** Epoch milliseconds at which the question was first asked. */
  bornAt: z.number(),
  /** Owner that first asked it: tells this answer from one that was deleted with its content before. */
  life: z.string(),
  /** Calls that were or may have been paid. */
  calls: z.int(),
  /** Those of them whose cost nobody could record (yet): under way, or their worker died, or their reply was lost. */
  unknownCalls: z.int(),
  /** The version of a document for which the question was last asked, and what its cost entry says. */
  askedBy: z.object({
    documentId: z.string(),
    order: z.string(),
    model: z.string(),
    profile: z.string(),
    /** The key's folder, up to and including its last slash; empty at the top. */
    prefix: z.string(),
  }),
  /** `unknownCalls` when a person last had the question asked again. */
  unknownEarlier: z.int().optional(),
  /** What refused replies were billed, that a person had asked again after. */
  earlier: billedSchema.optional(),
  /**
   * What a reply was billed that was cut off at the room of the first call, or was not what the schema asks for, and the
   * number of that call: the question is asked once more, with all the room that the profile gives.
   */
  cut: cutSchema.optional(),
  /** Replies with which Claude paused its turn; they are in the results bucket, and the next call continues them. */
  turns: z.array(turnSchema).optional(),
  /** Ids of files that Claude made for the answer and that are to be deleted there, once they are stored. */
  made: z.array(z.string()).optional(),
  /** Ids of those that are too large or too many to be stored: they are deleted with the answer. */
  left: z.array(z.string()).optional(),
  /** The files that were stored, and what a person should know about the others. */
  files: producedSchema.optional(),
  /** Tokens of the prompt, as counted before a call. */
  promptTokens: z.int().optional(),
  /** What was last reserved of the budget, and for which call. It stays when that is settled. */
  reserved: reservedSchema.optional(),
  /** True when it has been in a batch that gave no reply: it is asked by a call of its own from then on. */
  singly: z.boolean().optional(),
  /** True when documents wait for the answer: they are woken once there is one. */
  awaited: z.boolean().default(false),
});

const replied = attributes.extend({
  billed: billedSchema,
  /** The number of the call that gave the reply, which names its cost entry; 0 where every reply was lost. */
  call: z.int(),
  /** The reply as gzipped JSON. */
  reply: z.instanceof(Uint8Array).optional(),
  /** Key of the reply in the results bucket, where it is too long for the item. */
  replyKey: z.string().optional(),
});

export const answerItemSchema = z.discriminatedUnion('state', [
  attributes.extend({
    state: z.literal('asking'),
    owner: z.string().optional(),
    /** Epoch milliseconds until which nobody else may ask; 0 when the worker gave the lease back. */
    leaseUntil: z.number(),
    /** Its `custom_id` in a Message Batch, from when it begins to wait for one. */
    batchLine: z.string().optional(),
    /** The batch that it goes or went into (ledger/batches.ts). */
    batchName: z.string().optional(),
    /** True when the content was removed during the call: the reply is not kept. */
    revoked: z.boolean().optional(),
  }),
  replied.extend({ state: z.literal('answered') }),
  replied.extend({
    state: z.literal('refused'),
    /** Why the reply is of no use. */
    error: z.object({
      code: z.string(),
      message: z.string(),
      /** Why Claude refused, where it says. */
      category: z.string().optional(),
    }),
  }),
]);
export type AnswerItem = z.infer<typeof answerItemSchema>;
export type AnswerIn<State extends AnswerItem['state']> = Extract<AnswerItem, { state: State }>;
export type RepliedAnswer = AnswerIn<'answered' | 'refused'>;

/** On whose behalf a question is asked. */
export type Asker = AnswerItem['askedBy'];

/** Names an answer. */
export interface AnswerRef {
  contentId: string;
  question: string;
}

/** A reply as it is written down: within the item, or by its key in the results bucket. */
export type StoredReply = ({ reply: Uint8Array } | { replyKey: string }) & {
  /** Ids of files that Claude made for it. */
  made?: string[] | undefined;
};

/** A reply as it is kept in an item: text shrinks to a third, and DynamoDB charges by the kilobyte. */
export const packReply = (reply: unknown): Uint8Array =>
  new Uint8Array(gzipSync(Buffer.from(JSON.stringify(reply))));

/** What `packReply` packed. */
export const unpackReply = (packed: Uint8Array): unknown =>
  JSON.parse(gunzipSync(packed).toString()) as unknown;
