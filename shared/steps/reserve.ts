import type { MessageCreateParamsNonStreaming } from '@anthropic-ai/sdk/resources/messages';
import { isThrottled } from '../aws/throttled.ts';
import { isFileGone, PromptTooLong } from '../claude/errors.ts';
import { factsOf } from '../claude/models.ts';
import { outcomeOf } from '../claude/outcome.ts';
import { mostUsd } from '../claude/prices.ts';
import { Defer, DroplineError, RejectDocument, RetryLater, StopLane } from '../journey/errors.ts';
import type { Profile } from '../journey/profiles.ts';
import type { AnswerIn, AnswerItem, AnswerRef, RepliedAnswer } from '../ledger/answer-item.ts';
import { type Billed, billedSoFar } from '../ledger/billed.ts';
import { Unaffordable } from '../ledger/budgets.ts';
import type { DocumentIn } from '../ledger/document-item.ts';
import { nanoUsd, shownUsd } from '../ledger/reserved.ts';
import { roomFor } from '../summary/prompt.ts';
import type { Claude, MoneyTools } from './tools.ts';

export interface ReserveTools extends MoneyTools {
  claude: Claude;
}

/** A call that is about to be paid for. */
interface PaidCall {
  document: DocumentIn<'uploaded'>;
  profile: Profile;
  ref: AnswerRef;
  claimed: AnswerIn<'asking'>;
}

type Request = MessageCreateParamsNonStreaming;

/** The most that the answer about one document may cost where its profile does not say, in USD. */
export const usualMostUsd = 1;

/**
 * Makes sure that a call may be paid for, before it is made: that it does not cost more than the profile allows for one
 * document, and that the budget has that much left, which is reserved. Nothing is asked or written where there is no
 * budget and the size of the document alone shows that it stays below the limit.
 *
 * Nothing is paid when it throws. Whatever the ledger or S3 throw here comes as an attempt that was not paid.
 * @returns the claimed answer, with its reservation if one was made
 * @throws RejectDocument `summarize.too_expensive`; Unaffordable when the budget does not pay it now
 */
export async function reserve(
  call: PaidCall,
  request: Request,
  tools: ReserveTools,
): Promise<AnswerIn<'asking'>> {
  try {
    return await reserved(call, request, tools);
  } catch (thrown) {
    // The API refused the prompt itself: that is read as a refusal of the call.
    if (thrown instanceof DroplineError || isOfThePrompt(thrown)) throw thrown;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    if (isThrottled(thrown)) {
      const message = `The ledger is busy; nothing was asked yet: ${reason}`;
      throw new Defer({ code: 'summarize.under_way', message, delayMs: throttledMs });
    }
    throw new RetryLater({
      code: 'summarize.internal',
      message: `Unexpected: ${reason}`,
      cause: thrown,
    });
  }
}

/** After what time a call is tried again whose reservation AWS throttled, in milliseconds. */
const throttledMs = 5_000;

async function reserved(
  call: PaidCall,
  request: Request,
  tools: ReserveTools,
): Promise<AnswerIn<'asking'>> {
  const { profile, ref, claimed } = call;
  const most = (promptTokens: number) => mostOf(request, promptTokens, tools);
  if (most(0) === undefined) return unpriced(call, request, tools);
  const { isSet } = tools.budgets;
  const limit = nanoUsd(profile.maxUsdPerDocument ?? usualMostUsd);
  const paid = nanoUsd(billedSoFar(claimed)?.costUsd ?? 0);
  const bySize = mostTokens(call.document, request);
  const isCheap = paid + (most(bySize) ?? 0) <= limit;
  if (!isSet && isCheap) return claimed;
  // What code will print is not in the prompt that could be counted.
  const counts = call.document.block !== 'container_upload';
  const counted = claimed.promptTokens ?? (counts ? await count(request, tools) : bySize);
  const promptTokens = Math.min(bySize, counted === undefined ? bySize : withMargin(counted));
  const amount = most(promptTokens) ?? 0;
  if (paid + amount > limit) throw tooExpensive(paid, amount, limit);
  if (!isSet) return claimed;
  const asked = { ref, claimed, promptTokens: counted ?? bySize, nanoUsd: amount };
  const needs = { promptTokens, maxTokens: request.max_tokens };
  const held = await tools.budgets.reserve(asked, needs, claimed.owner ?? '');
  if (held) return held;
  throw new RetryLater({
    code: 'summarize.internal',
    message: 'The content was removed before Claude was asked about it.',
    delayMs: 1_000,
  });
}

/** A model without a price is asked only where nothing is limited, or the profile allows it. */
function unpriced({ profile, claimed }: PaidCall, request: Request, { budgets }: ReserveTools) {
  if (!budgets.isSet || profile.allowUnknownPrice) return claimed;
  throw new Unaffordable(
    {
      code: 'summarize.budget_price_unknown',
      message: `There is a budget, and the price of ${request.model} is not known.`,
    },
    { promptTokens: 0, maxTokens: request.max_tokens },
  );
}

/** What a call can cost at most, in billionths of a dollar; `undefined` when its price is not known. */
function mostOf(
  { model, max_tokens: maxTokens, ...rest }: Pick<Request, 'model' | 'max_tokens'>,
  promptTokens: number,
  { prices }: Pick<ReserveTools, 'prices'>,
): number | undefined {
  const caches = JSON.stringify(rest).includes('"cache_control"');
  const usd = mostUsd({ model, promptTokens, maxTokens, caches }, prices);
  return usd === undefined ? undefined : nanoUsd(usd);
}

/**
 * What a held document needs by the present profile and prices, in billionths of a dollar; `undefined` while its price is not
 * known.
 */
export function nanoNeeded(
  { needs }: Pick<DocumentIn<'held'>, 'needs'>,
  profile: Profile,
  tools: Pick<ReserveTools, 'prices'>,
): number | undefined {
  const { promptTokens = 0, maxTokens = 0 } = needs ?? {};
  const room = Math.min(maxTokens, roomFor(profile).most);
  const most = mostOf({ model: profile.model, max_tokens: room }, promptTokens, tools);
  return most ?? (profile.allowUnknownPrice ? 0 : undefined);
}

/** A count is an estimate of the API, and may be a little too low. */
const withMargin = (tokens: number): number => Math.ceil(tokens * 1.05) + 100;

/**
 * Tokens of input that are reserved for an answer by code. Claude reads its own results again at each step, and nothing bounds
 * the steps: this is an estimate, and no limit.
 */
const usualCodeTokens = 90_000;
/** Tokens that no image comes to. */
const mostImageTokens = 20_000;
/** Tokens of a prompt of a model that Dropline does not know. */
const mostUnknownTokens = 1_000_000;

/**
 * Tokens that the prompt cannot exceed, by size alone: no token is shorter than a byte, and what does not fit into the
 * context of the model is refused. A PDF is compressed, so its size says nothing.
 */
function mostTokens({ block, mimeType, source }: DocumentIn<'uploaded'>, request: Request): number {
  const fits = factsOf(request.model)?.maxInputTokens ?? mostUnknownTokens;
  const frame = Buffer.byteLength(JSON.stringify(request)) + 1_000;
  if (block === 'container_upload') return Math.min(frame + usualCodeTokens, fits);
  if (block === 'image') return Math.min(frame + mostImageTokens, fits);
  if (mimeType !== 'text/plain') return fits;
  return Math.min(frame + source.sizeBytes, fits);
}

/** How long counting may take, in milliseconds. */
const countTimeoutMs = 30_000;

/**
 * The tokens of the prompt, as the API counts them, which is free; `undefined` when it cannot.
 * @throws Defer, StopLane or RetryLater when it cannot now; what the API throws when it refuses the file or the prompt
 */
async function count(request: Request, { claude }: ReserveTools): Promise<number | undefined> {
  const { model, messages, system, thinking } = request;
  try {
    return await claude.countTokens(
      {
        model,
        messages,
        ...(system === undefined ? {} : { system }),
        ...(thinking === undefined ? {} : { thinking }),
      },
      { timeoutMs: countTimeoutMs },
    );
  } catch (thrown) {
    if (isOfThePrompt(thrown)) throw thrown;
    const { error } = outcomeOf(thrown, 'reconcile');
    if (error instanceof Defer || error instanceof StopLane) throw error;
    if (error instanceof RetryLater && error.code === 'claude.interrupted') throw error;
    if (error instanceof DroplineError) return undefined;
    throw error;
  }
}

/** Whether the API refused what it was asked about, as it would refuse the call itself. */
const isOfThePrompt = (thrown: unknown): boolean =>
  isFileGone(thrown) || thrown instanceof PromptTooLong;

function tooExpensive(paid: number, amount: number, limit: number): RejectDocument {
  const most = shownUsd(paid + amount);
  const before =
    paid > 0 ? `${shownUsd(paid)} were paid for an answer that was cut off; with ` : '';
  return new RejectDocument({
    code: 'summarize.too_expensive',
    message: `${before}${paid > 0 ? 'all the room it' : 'The answer'} may cost up to ${most}; maxUsdPerDocument is ${shownUsd(limit)}.`,
  });
}

/**
 * Replaces a reservation by what the call has cost. It never throws: until the reconciler does it, the budget counts the
 * whole reservation.
 * @param billed what the call was billed; `nothing` when it certainly was not made, `unseen` when nobody knows
 */
export async function settleReserved(
  { reserved: held }: Pick<AnswerItem, 'reserved'>,
  billed: Pick<Billed, 'costUsd'> | 'nothing' | 'unseen',
  { budgets, log }: Pick<ReserveTools, 'budgets' | 'log'>,
): Promise<void> {
  if (!held) return;
  const spent = typeof billed === 'string' ? billed : (billed.costUsd ?? 'unseen');
  try {
    await budgets.settle(held, spent === 'nothing' ? 0 : spent);
  } catch (error) {
    log.warn('a reservation could not be settled yet', { id: held.id, error: String(error) });
  }
}

/** Settles what a worker before had reserved, who died or saw no reply: what its call has cost is known if it was cut off. */
export async function settleEarlier(
  claimed: AnswerIn<'asking'>,
  tools: Pick<ReserveTools, 'budgets' | 'log'>,
): Promise<void> {
  const { cut, turns = [], reserved: held } = claimed;
  const seen = [...turns, ...(cut ? [cut] : [])].find(({ call }) => call === held?.call);
  await settleReserved(claimed, seen ? seen.billed : 'unseen', tools);
}

/** Puts the cost entry of a reply again, and settles its reservation, for a worker that died before it did. */
export async function recordReply(
  ref: AnswerRef,
  answer: RepliedAnswer,
  tools: Pick<ReserveTools, 'budgets' | 'costs' | 'log'>,
): Promise<void> {
  await tools.costs.recordReply(ref, answer);
  if (answer.reserved?.call === answer.call) await settleReserved(answer, answer.billed, tools);
}
