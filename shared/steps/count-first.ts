import { buffer } from 'node:stream/consumers';
import type {
  DocumentBlockParam,
  MessageCreateParamsNonStreaming,
} from '@anthropic-ai/sdk/resources/messages';
import { PromptTooLong } from '../claude/errors.ts';
import type { PriceTable } from '../claude/prices.ts';
import type { RejectDocument } from '../journey/errors.ts';
import { isSummarized, type Profile } from '../journey/profiles.ts';
import { contentIdOf } from '../ledger/content-id.ts';
import type { DocumentIn } from '../ledger/document-item.ts';
import {
  isWorthCounting,
  refusedAsTooLong,
  tooLongBySize,
  tooLongByTokens,
} from '../long/length.ts';
import { summaryRequest } from '../summary/prompt.ts';
import { questionsOf } from './questions.ts';
import { count } from './reserve.ts';
import { streamContent } from './stream-content.ts';
import type { AnswerTools, Claude } from './tools.ts';

export interface CountFirstTools extends AnswerTools {
  claude: Claude;
  prices: PriceTable;
}

type Request = MessageCreateParamsNonStreaming;

/**
 * Rejects a document that its profile cannot ask about, before it is uploaded: more pages or tokens than the model takes,
 * or an answer that may cost more than the profile allows. Counting is free, and done only for a document that may be too
 * long. Nothing is written, so whoever dies here leaves nothing behind.
 *
 * What is answered already passes: that answer is free, whatever the model takes now.
 * @throws RejectDocument `summarize.too_long`, `summarize.too_expensive`; Defer, StopLane or RetryLater when it cannot be
 *   counted now
 */
export async function countFirst(
  document: DocumentIn<'normalized'>,
  profile: Profile,
  tools: CountFirstTools,
): Promise<void> {
  if (!isSummarized(document, profile) || document.block !== 'document') return;
  const { mimeType, source, fidelity } = document;
  const length = { mimeType, sizeBytes: source.sizeBytes, pages: fidelity?.pages };
  const bySize = tooLongBySize(length, profile);
  const counts = !bySize && isWorthCounting(length, profile, tools.prices);
  if (!bySize && !counts) return;
  if (await isAnswered(document, profile, tools)) return;
  if (bySize) throw bySize;
  // With a live file there is nothing to save: the answer's own reservation counts.
  const content = await tools.contents.get(contentIdOf(document));
  if (content?.state === 'live') return;
  await tools.circuits.check('claude');
  const reason = await oneAtATime(() => byCount(document, profile, tools));
  if (reason) throw reason;
}

async function isAnswered(
  document: DocumentIn<'normalized'>,
  profile: Profile,
  { answers }: CountFirstTools,
): Promise<boolean> {
  const asked = await Promise.all(
    questionsOf(document, profile).map(({ ref }) => answers.get(ref)),
  );
  return asked.every((answer) => answer !== undefined && answer.state !== 'asking');
}

/** Counts the document with what a summary asks about it; the question about fields is of about the same length. */
async function byCount(
  { source, contentSha256, block, key, mimeType }: DocumentIn<'normalized'>,
  profile: Profile,
  tools: CountFirstTools,
): Promise<RejectDocument | undefined> {
  const { signal } = new AbortController();
  const bytes = await buffer(streamContent(source, contentSha256, tools, signal));
  const request = summaryRequest({ fileId: '', block, key }, profile);
  try {
    const tokens = await count(withContent(request, inline(bytes, mimeType)), tools);
    return tokens === undefined ? undefined : tooLongByTokens(tokens, profile, tools.prices);
  } catch (error) {
    if (error instanceof PromptTooLong) return refusedAsTooLong(error.message, profile);
    throw error;
  }
}

/** A document as it stands in a request that does not name a file. */
function inline(bytes: Buffer, mimeType: string): DocumentBlockParam['source'] {
  return mimeType === 'application/pdf'
    ? { type: 'base64', media_type: mimeType, data: bytes.toString('base64') }
    : { type: 'text', media_type: 'text/plain', data: bytes.toString('utf8') };
}

/** The same request with the content itself in place of the file, which is not uploaded yet. */
function withContent(request: Request, source: DocumentBlockParam['source']): Request {
  const messages = request.messages.map((message) =>
    message.role === 'user' && typeof message.content !== 'string'
      ? {
          ...message,
          content: message.content.map((block) =>
            block.type === 'document' ? { ...block, source } : block,
          ),
        }
      : message,
  );
  return { ...request, messages };
}

let last: Promise<unknown> = Promise.resolve();

/** A function works on ten messages at once, and ten long documents would not fit into its memory. */
function oneAtATime<T>(work: () => Promise<T>): Promise<T> {
  const turn = last.then(work, work);
  last = turn.catch(() => undefined);
  return turn;
}
