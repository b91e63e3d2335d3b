import { journeyWarnings } from '../codes/index.ts';
import { RejectDocument } from '../journey/errors.ts';
import { type Profile, recordedProfile } from '../journey/profiles.ts';
import type { DocumentRecord } from '../journey/record.ts';
import type { AnswerItem, AnswerRef, RepliedAnswer } from '../ledger/answers.ts';
import { type Billed, paidFor, unpricedOf } from '../ledger/billed.ts';
import { contentName } from '../ledger/content-id.ts';
import type { DocumentIn, DocumentItem } from '../ledger/document-item.ts';
import { parseSummary } from '../summary/parse.ts';
import { titleOf } from '../summary/prompt.ts';
import { replyKeyOf, replyOf } from './answer-store.ts';
import { fail } from './attempt.ts';
import { releasePast } from './release-past.ts';
import type { AnswerTools } from './tools.ts';

type Summary = NonNullable<DocumentRecord['summary']>;

/**
 * Copies an answer into the record of a document: the summary, or why there is none. What differs from document to
 * document (the title where the answer has none, warnings) is decided here and is not in the answer.
 */
export async function copyAnswer(
  document: DocumentIn<'uploaded'>,
  profile: Profile,
  ref: AnswerRef,
  answer: RepliedAnswer,
  tools: AnswerTools,
): Promise<void> {
  const { question } = ref;
  const summary = {
    outcome: answer.state,
    question,
    generation: answer.generation,
    ...(answer.askedBy.documentId === document.documentId
      ? {}
      : { sharedFrom: answer.askedBy.documentId }),
  };
  const told = {
    ...recordedProfile(profile),
    usage: withEarlier(usageOf(answer, isAsker(document, answer)), document, question),
    answers: { ...document.answers, summary },
  };
  if (answer.state === 'refused') {
    const error = new RejectDocument(answer.error);
    const shared = !isAsker(document, answer);
    const failed = await fail('summarize', document, error, tools, { changes: told, shared });
    if (!failed) await leftBehind(document, ref.contentId, tools);
    return;
  }
  const reply = await replyOf(answer, tools);
  const { summary: parsed, inLayout } = parseSummary(
    reply.content,
    titleOf(document.key),
    profile.layout,
  );
  const whole: Summary = {
    ...parsed,
    model: answer.billed.model,
    stopReason: reply.stopReason,
    at: answer.billed.at,
  };
  const warnings = [
    ...(inLayout || profile.layout === 'free' ? [] : [notInLayout]),
    ...(answer.billed.costUsd === undefined && isAsker(document, answer)
      ? [priceUnknown(answer.billed.model)]
      : []),
  ];
  const fidelity = document.fidelity && {
    ...document.fidelity,
    warnings: [...document.fidelity.warnings, ...warnings],
  };
  const changes = { ...told, summary: fitted(whole, ref, answer, tools), fidelity };
  const moved = await ready(document, changes, tools);
  if (moved) await releasePast(moved, tools);
  else await leftBehind(document, ref.contentId, tools);
}

/** Whether the answer was last asked for on behalf of this version: then it paid for it. */
export const isAsker = (
  { documentId, order }: { documentId: string; order: string },
  { askedBy }: Pick<AnswerItem, 'askedBy'>,
): boolean => askedBy.documentId === documentId && askedBy.order === order;

/** Moves the document to `ready`, from wherever another worker has put this version meanwhile. */
async function ready(
  document: DocumentIn<'uploaded'>,
  changes: Parameters<AnswerTools['documents']['move']>[2],
  { documents }: AnswerTools,
): Promise<DocumentIn<'ready'> | undefined> {
  const options = {
    attempt: 'summarize',
    remove: ['error', 'outages', 'waiting', 'heldFrom', 'needs', 'lease'],
  } as const;
  const write = { ...options, remove: [...options.remove] };
  const moved = await documents.move(document, 'ready', changes, write);
  if (moved) return moved;
  const present = await documents.get(document.documentId);
  if (present?.order !== document.order) return undefined;
  if (present.status === 'ready') return present;
  if (present.status !== 'held' && present.status !== 'failed') return undefined;
  // It was given up while its answer was on the way.
  const back = await documents.move(present, 'uploaded');
  return back && documents.move(back, 'ready', changes, write);
}

/** A newer event came during the call: what was asked about the content must not outlive its last reference. */
export async function leftBehind(
  { documentId, order }: DocumentItem,
  contentId: string,
  tools: AnswerTools,
): Promise<void> {
  const present = await tools.documents.get(documentId);
  if (present?.order === order) return;
  tools.log.warn('a newer event came during the paid call', { documentId });
  await tools.send({
    step: 'release',
    documentId,
    order,
    ...contentName(contentId),
    ...(present?.status === 'removed' ? { purge: true } : {}),
  });
}

/** What this document paid: nothing for an answer that another one asked for. */
function usageOf(answer: RepliedAnswer, paid: boolean): NonNullable<DocumentRecord['usage']> {
  if (!paid) return { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, costUsd: 0, calls: 0 };
  const unknown = answer.unknownCalls + unpricedOf(answer);
  return {
    ...tokensOf(paidFor(answer)),
    calls: answer.calls,
    ...(unknown > 0 ? { costUnknownCalls: unknown } : {}),
  };
}

/** The part of a record's usage that is known of what was billed. */
export const tokensOf = ({
  inputTokens,
  outputTokens,
  thinkingTokens,
  cacheReadTokens,
  costUsd = 0,
}: Billed) => ({
  inputTokens,
  outputTokens,
  ...(thinkingTokens === undefined ? {} : { thinkingTokens }),
  cacheReadTokens,
  costUsd,
});

/**
 * What this version paid in all: with a refusal that a person had retried after the question had changed, and with calls of
 * functions of 0.1.
 */
function withEarlier(
  usage: NonNullable<DocumentRecord['usage']>,
  document: DocumentIn<'uploaded'>,
  question: string,
): NonNullable<DocumentRecord['usage']> {
  const { answers, usage: before } = document;
  const asked = answers?.summary;
  if (asked?.outcome !== 'refused' || asked.question === question) {
    return withOldCalls(usage, document);
  }
  const thinking = (usage.thinkingTokens ?? 0) + (before.thinkingTokens ?? 0);
  const unknown = (usage.costUnknownCalls ?? 0) + (before.costUnknownCalls ?? 0);
  return {
    inputTokens: usage.inputTokens + before.inputTokens,
    outputTokens: usage.outputTokens + before.outputTokens,
    ...(thinking > 0 ? { thinkingTokens: thinking } : {}),
    cacheReadTokens: usage.cacheReadTokens + before.cacheReadTokens,
    costUsd: usage.costUsd + before.costUsd,
    calls: usage.calls + before.calls,
    ...(unknown > 0 ? { costUnknownCalls: unknown } : {}),
  };
}

/** A call that a function of 0.1 began and nobody saw the end of: its fence is still in the document. */
function withOldCalls<Usage extends NonNullable<DocumentRecord['usage']>>(
  usage: Usage,
  { lease, usage: before }: DocumentIn<'uploaded'>,
): Usage {
  if (!lease || before.calls === 0) return usage;
  return {
    ...usage,
    calls: usage.calls + before.calls,
    costUnknownCalls: (usage.costUnknownCalls ?? 0) + before.calls,
  };
}

const notInLayout = {
  code: 'summarize.layout',
  message: journeyWarnings['summarize.layout'],
};

const priceUnknown = (model: string) => ({
  code: 'summarize.price_unknown',
  message: `The price table does not have ${model}: the cost of this summary is not in costUsd.`,
});

/** Bytes of a summary that a record holds; DynamoDB charges for each kilobyte at every write. */
const maxSummaryBytes = 20_000;

/** The summary as it goes into the record: cut where it is very long, with the address of the whole reply. */
function fitted(
  summary: Summary,
  ref: AnswerRef,
  answer: RepliedAnswer,
  { resultsBucket }: AnswerTools,
): Summary {
  if (Buffer.byteLength(JSON.stringify(summary)) <= maxSummaryBytes) return summary;
  const short = (text: string, length: number) => Array.from(text).slice(0, length).join('');
  return {
    ...summary,
    text: short(summary.text, 6_000),
    keyPoints: summary.keyPoints.slice(0, 20).map((point) => short(point, 200)),
    citations: summary.citations
      .slice(0, 20)
      .map((citation) => ({ ...citation, citedText: short(citation.citedText, 200) })),
    location: `s3://${resultsBucket}/${answer.replyKey ?? replyKeyOf(ref, answer)}`,
  };
}
