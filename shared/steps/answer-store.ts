import { z } from 'zod';
import {
  type AnswerItem,
  type AnswerRef,
  packReply,
  type RepliedAnswer,
  type StoredReply,
  unpackReply,
} from '../ledger/answer-item.ts';
import { type Billed, billedSchema } from '../ledger/billed.ts';
import { isRidOf, type Made, madeIn, wordsOf } from './made.ts';
import type { AnswerTools, Claude } from './tools.ts';

/**
 * Where replies are kept: in the answer's item where they fit, else as an object of the results bucket. The results
 * bucket is also where a paid reply goes when the ledger cannot take it.
 */

const citationSchema = z.looseObject({ type: z.string(), cited_text: z.string() });
const replySchema = z.object({
  content: z.array(
    z.looseObject({
      type: z.string(),
      text: z.string().optional(),
      citations: z.array(citationSchema).nullish(),
    }),
  ),
  stopReason: z.string(),
  category: z.string().optional(),
  billed: billedSchema,
  made: z.array(z.string()).optional(),
  container: z.object({ id: z.string(), expiresAt: z.string() }).optional(),
  fresh: z.boolean().optional(),
});

/** What of a reply is kept: its text with its citations, why it ended, and what it was billed. */
export interface KeptReply extends Made {
  content: Message['content'];
  stopReason: string;
  /** Why Claude refused, where it says. */
  category?: string | undefined;
  billed: Billed;
  /** Whether the call began anew although a turn before it was paused. */
  fresh?: boolean | undefined;
}

type Message = Awaited<ReturnType<Claude['createMessage']>>;

/** The part of a message that is kept: what it says; of a paused turn all, because the next call sends it back. */
export const keptReplyOf = (message: Message, billed: Billed): KeptReply => ({
  content: message.stop_reason === 'pause_turn' ? message.content : wordsOf(message.content),
  ...madeIn(message),
  stopReason: message.stop_reason ?? 'end_turn',
  ...(message.stop_details?.category ? { category: message.stop_details.category } : {}),
  billed,
});

const kept = (json: unknown): KeptReply => replySchema.parse(json) as unknown as KeptReply;

/** Bytes of a packed reply that an item holds: DynamoDB charges for each kilobyte. */
const maxPackedBytes = 20_000;

/** What tells the replies of one question apart. */
type ReplyOf = Pick<AnswerItem, 'life' | 'generation' | 'cut' | 'turns'>;

/**
 * The key of a reply in the results bucket. A reply after one that was cut off or paused has a key of its own, and so has one of an
 * answer that was deleted with its content and asked for anew.
 */
export const replyKeyOf = (
  { contentId, question }: AnswerRef,
  { life, generation, cut, turns = [] }: ReplyOf,
): string => {
  const turn = turns.length > 0 ? `-turn-${turns.length}` : '';
  return `answers/${contentId}/${question}/${life}-${generation}${turn}${cut ? '-again' : ''}.json`;
};

/** A reply ready to be written down; a long one is put into the results bucket first. */
export async function stored(
  ref: AnswerRef,
  claimed: ReplyOf & Pick<AnswerItem, 'made'>,
  reply: KeptReply,
  tools: Pick<AnswerTools, 'objects' | 'resultsBucket'>,
): Promise<StoredReply> {
  const packed = packReply(reply);
  const made = [...new Set([...(claimed.made ?? []), ...(reply.made ?? [])])];
  const files = made.length > 0 ? { made } : {};
  if (packed.length <= maxPackedBytes) return { reply: packed, ...files };
  const key = replyKeyOf(ref, claimed);
  await tools.objects.putText(
    { bucket: tools.resultsBucket, key },
    JSON.stringify(reply),
    'application/json',
  );
  return { replyKey: key, ...files };
}

/**
 * The reply of an answer.
 * @throws Error when its object is gone, which only somebody's hand can have done
 */
export async function replyOf(
  answer: RepliedAnswer,
  tools: Pick<AnswerTools, 'objects' | 'resultsBucket'>,
): Promise<KeptReply> {
  if (answer.reply) return kept(unpackReply(answer.reply));
  const key = answer.replyKey ?? '';
  const text = await tools.objects.getText({ bucket: tools.resultsBucket, key });
  if (text === undefined) throw new Error(`the reply ${key} is gone from the results bucket`);
  return kept(JSON.parse(text));
}

/** A reply that a worker saved because the ledger would not take it, if there is one. */
export async function spilledReply(
  ref: AnswerRef,
  claimed: ReplyOf,
  { objects, resultsBucket }: Pick<AnswerTools, 'objects' | 'resultsBucket'>,
): Promise<KeptReply | undefined> {
  const key = replyKeyOf(ref, claimed);
  const text = await objects.getText({ bucket: resultsBucket, key });
  return text === undefined ? undefined : kept(JSON.parse(text));
}

/** When a removal is tried again whose files at Claude could not be deleted, in milliseconds. */
const laterMs = 60_000;

/**
 * Deletes all that was asked about a content, the replies included. Idempotent.
 * @returns milliseconds after which it has to be called again, because a worker may still be in its call; 0 when all is gone
 */
export async function forgetAnswers(
  contentId: string,
  tools: Pick<AnswerTools, 'answers' | 'costs' | 'objects' | 'resultsBucket' | 'now' | 'log'> & {
    claude: Claude;
  },
): Promise<number> {
  let againMs = 0;
  for (const answer of await tools.answers.ofContent(contentId)) {
    const ref = { contentId, question: answer.question };
    const isUnderWay = answer.state === 'asking' && answer.leaseUntil >= tools.now();
    if (answer.state === 'asking') await tools.costs.recordCut(ref, answer);
    else await tools.costs.recordReply(ref, answer);
    if (!isUnderWay) await tools.costs.recordUnknown(ref, answer, answer.unknownCalls);
    // Their ids stand nowhere else.
    if (!(await isRidOf([...(answer.made ?? []), ...(answer.left ?? [])], tools))) {
      againMs = Math.max(againMs, laterMs);
      continue;
    }
    const busyUntil = await tools.answers.remove(ref, answer);
    if (busyUntil !== undefined) againMs = Math.max(againMs, busyUntil - tools.now(), 1_000);
  }
  const prefix = `answers/${contentId}/`;
  const { objects } = await tools.objects.list(tools.resultsBucket, { prefix });
  if (objects.length === 0) return againMs;
  // A document may have come back to the content since, and asked again.
  const left = new Set((await tools.answers.ofContent(contentId)).map(({ question }) => question));
  for (const { key } of objects) {
    if (left.has(key.slice(prefix.length).split('/')[0] ?? '')) continue;
    await tools.objects.delete({ bucket: tools.resultsBucket, key });
  }
  return againMs;
}
