import type { MessageCreateParamsNonStreaming } from '@anthropic-ai/sdk/resources/messages';
import { InvalidRequest, NotFound } from '../claude/errors.ts';
import { RejectDocument } from '../journey/errors.ts';
import type { AnswerIn, AnswerRef } from '../ledger/answer-item.ts';
import type { Turn } from '../ledger/billed.ts';
import { betasOf } from '../summary/code-request.ts';
import { type KeptReply, keptReplyOf, replyKeyOf, spilledReply } from './answer-store.ts';
import type { AnswerTools, Claude } from './tools.ts';

/**
 * Turns that Claude pauses (`pause_turn`), as it does when code runs for long. The reply is written down whole, then the
 * lease is given back and the document sent on: each turn is a call of its own, with the time of one invocation.
 */

type Request = MessageCreateParamsNonStreaming;
type Message = Awaited<ReturnType<Claude['createMessage']>>;

/** Times that an answer may be paused. */
export const maxTurns = 10;

/** What is left of a container that is used again, in milliseconds: longer than a call takes. */
const containerMarginMs = 15 * 60_000;

export const isPaused = ({ stopReason }: KeptReply, { turns = [] }: AnswerIn<'asking'>): boolean =>
  stopReason === 'pause_turn' && turns.length < maxTurns;

/** The error of an answer that was paused too often. */
export const pausedTooOften = (): RejectDocument =>
  new RejectDocument({
    code: 'summarize.paused_too_often',
    message: `Claude had not finished after ${maxTurns + 1} calls.`,
  });

/** What a call replied, and whether it began anew although a turn was paused before. */
export interface Called {
  reply: Message;
  fresh: boolean;
}

/**
 * Makes the paid call: the request itself, or the next one of a paused turn, in the same container. Where that has expired,
 * what was done in it is lost, and the call begins anew.
 */
export async function makeCall(
  { ref, claimed }: { ref: AnswerRef; claimed: AnswerIn<'asking'> },
  request: Request,
  timeoutMs: () => number,
  tools: AnswerTools & { claude: Claude },
): Promise<Called> {
  const betas = betasOf(request);
  const send = (sent: Request) =>
    tools.claude.createMessage(sent, { timeoutMs: timeoutMs(), ...(betas ? { betas } : {}) });
  const wasPaused = (claimed.turns ?? []).length > 0;
  const next = wasPaused ? await nextOf(request, ref, claimed, tools) : undefined;
  if (next) {
    try {
      return { reply: await send(next), fresh: false };
    } catch (error) {
      if (!isContainerGone(error)) throw error;
      tools.log.warn('the container is gone: beginning anew', { ...ref, error: String(error) });
    }
  }
  return { reply: await send(request), fresh: wasPaused };
}

/** A refusal of the container, which is not billed. */
const isContainerGone = (error: unknown): boolean =>
  (error instanceof NotFound || error instanceof InvalidRequest) &&
  /\bcontainer\b.*\b(not found|does not exist|expired)\b/is.test(error.message);

/** The request that continues, or `undefined` where the container has expired. */
async function nextOf(
  request: Request,
  ref: AnswerRef,
  claimed: AnswerIn<'asking'>,
  tools: AnswerTools,
): Promise<Request | undefined> {
  const turns = claimed.turns ?? [];
  const first = Math.max(
    turns.findLastIndex(({ fresh }) => fresh),
    0,
  );
  const said: KeptReply[] = [];
  for (let index = first; index < turns.length; index += 1) {
    const kept = await spilledReply(ref, { ...claimed, turns: turns.slice(0, index) }, tools);
    // Only somebody's hand can have deleted it.
    if (!kept) return undefined;
    said.push(kept);
  }
  const container = said.at(-1)?.container;
  if (!container) return undefined;
  if (Date.parse(container.expiresAt) - tools.now() < containerMarginMs) return undefined;
  const { skills } = (request.container ?? {}) as { skills?: unknown };
  return {
    ...request,
    container: skills ? { ...(request.container as object), id: container.id } : container.id,
    messages: [
      ...request.messages,
      { role: 'assistant', content: said.flatMap(({ content }) => content) as never },
    ],
  };
}

/** The reply of a call as it is kept, with whether it began anew. */
export const keptTurnOf = ({ reply, fresh }: Called, billed: KeptReply['billed']): KeptReply => ({
  ...keptReplyOf(reply, billed),
  ...(fresh ? { fresh } : {}),
});

/**
 * Writes a paused turn down: its reply, then the answer, then its cost. A worker that dies before the answer knows of it leaves
 * a reply that the next one finds (`spilledReply`) and does not pay for again.
 * @param write does each write until it succeeds or the lease is over
 * @returns false when the worker no longer holds the lease, or the content was removed
 */
export async function keepTurn(
  ref: AnswerRef,
  claimed: AnswerIn<'asking'>,
  kept: KeptReply,
  write: <T>(work: () => Promise<T>) => Promise<T>,
  tools: AnswerTools,
): Promise<boolean> {
  const key = replyKeyOf(ref, claimed);
  const target = { bucket: tools.resultsBucket, key };
  const turn: Turn = {
    billed: kept.billed,
    call: claimed.calls,
    ...(kept.fresh ? { fresh: true } : {}),
  };
  const made = [...new Set([...(claimed.made ?? []), ...(kept.made ?? [])])];
  await write(() => tools.objects.putText(target, JSON.stringify(kept), 'application/json'));
  const paused = await write(() => tools.answers.pause(ref, claimed, turn, made));
  const turns = [...(claimed.turns ?? []), turn];
  await write(() => tools.costs.recordCut(ref, { ...claimed, turns }));
  return paused !== undefined;
}
