import { z } from 'zod';
import {
  type AnswerRef,
  packReply,
  type RepliedAnswer,
  type StoredReply,
  unpackReply,
} from '../ledger/answers.ts';
import type { StepTools } from './tools.ts';

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
});

/** What of a reply is kept: its text with its citations, and why it ended. */
export interface KeptReply {
  content: { type: string; text?: string | undefined; citations?: unknown }[];
  stopReason: string;
}

/** Bytes of a packed reply that an item holds: DynamoDB takes 400 KB, and charges for each kilobyte. */
const maxPackedBytes = 50_000;

/** The key of a reply in the results bucket. */
export const replyKeyOf = (
  { contentId, question }: AnswerRef,
  generation: number,
): string => `answers/${contentId}/${question}/${generation}.json`;

/** A reply ready to be written down; a long one is put into the results bucket first. */
export async function stored(
  ref: AnswerRef,
  generation: number,
  reply: KeptReply,
  tools: Pick<StepTools, 'objects' | 'resultsBucket'>,
): Promise<StoredReply> {
  const packed = packReply(reply);
  if (packed.length <= maxPackedBytes) return { reply: packed };
  const key = replyKeyOf(ref, generation);
  await tools.objects.putText(
    { bucket: tools.resultsBucket, key },
    JSON.stringify(reply),
    'application/json',
  );
  return { replyKey: key };
}

/**
 * The reply of an answer.
 * @throws Error when its object is gone, which only somebody's hand can have done
 */
export async function replyOf(
  answer: RepliedAnswer,
  tools: Pick<StepTools, 'objects' | 'resultsBucket'>,
): Promise<KeptReply> {
  if (answer.reply) return replySchema.parse(unpackReply(answer.reply));
  const key = answer.replyKey ?? '';
  const text = await tools.objects.getText({ bucket: tools.resultsBucket, key });
  if (text === undefined) throw new Error(`the reply ${key} is gone from the results bucket`);
  return replySchema.parse(JSON.parse(text));
}

/** Deletes all that was asked about a content, the replies included. Idempotent. */
export async function forgetAnswers(
  contentId: string,
  tools: Pick<StepTools, 'answers' | 'objects' | 'resultsBucket'>,
): Promise<void> {
  for (const { question } of await tools.answers.ofContent(contentId)) {
    await tools.answers.delete({ contentId, question });
  }
  const prefix = `answers/${contentId}/`;
  const { objects } = await tools.objects.list(tools.resultsBucket, { prefix });
  for (const { key } of objects) {
    await tools.objects.delete({ bucket: tools.resultsBucket, key });
  }
}
