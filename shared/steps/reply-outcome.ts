import { costUsd } from '../claude/prices.ts';
import { RejectDocument } from '../journey/errors.ts';
import type { Billed } from '../ledger/billed.ts';
import type { KeptReply } from './answer-store.ts';
import type { Claude, MoneyTools } from './tools.ts';
import { pausedTooOften } from './turns.ts';

type Message = Awaited<ReturnType<Claude['createMessage']>>;

/** What a reply was billed. @param batch whether it came in a Message Batch */
export function billedOf(
  reply: Message,
  tools: Pick<MoneyTools, 'prices' | 'now'>,
  batch = false,
): Billed {
  const { usage } = reply;
  const thinking = usage.output_tokens_details?.thinking_tokens;
  const cost = costUsd(usage, reply.model, { batch, table: tools.prices });
  return {
    model: reply.model,
    inputTokens: usage.input_tokens + (usage.cache_creation_input_tokens ?? 0),
    outputTokens: usage.output_tokens,
    ...(thinking === undefined ? {} : { thinkingTokens: thinking }),
    cacheReadTokens: usage.cache_read_input_tokens ?? 0,
    ...(cost === undefined ? {} : { costUsd: cost }),
    at: new Date(tools.now()).toISOString(),
  };
}

/** Why a reply is not a summary although the call succeeded, or `undefined` when it is one. */
export function unusableBecause({
  stopReason,
  billed,
  category,
}: KeptReply): RejectDocument | undefined {
  switch (stopReason) {
    case 'end_turn':
    case 'stop_sequence':
      return undefined;
    case 'refusal':
      return new RejectDocument({
        code: 'summarize.refused',
        message: `Claude declined to summarise this document${category ? ` (${category})` : ''}.`,
        category,
      });
    case 'pause_turn':
      return pausedTooOften();
    case 'max_tokens':
      return new RejectDocument({
        code: 'summarize.max_tokens',
        message: `The answer was cut off after ${billed.outputTokens} tokens.`,
      });
    case 'model_context_window_exceeded':
      return new RejectDocument({
        code: 'summarize.too_long',
        message: 'The document does not fit into the context of the model.',
      });
    default:
      return new RejectDocument({
        code: 'summarize.unexpected_stop',
        message: `Claude stopped for an unknown reason: ${stopReason}.`,
      });
  }
}
