import { journeyWarnings } from '../codes/index.ts';
import { checkCitations } from '../fields/citations.ts';
import type { SentText } from '../fields/ground.ts';
import { RejectDocument } from '../journey/errors.ts';
import { once } from '../journey/once.ts';
import { type Profile, recordedProfile } from '../journey/profiles.ts';
import type { DocumentRecord, Warning } from '../journey/record.ts';
import type {
  AnswerIn,
  AnswerItem,
  AnswerRef,
  Produced,
  RepliedAnswer,
} from '../ledger/answer-item.ts';
import { type Billed, billedSoFar, paidFor, unpricedOf } from '../ledger/billed.ts';
import { contentIdOf, contentName } from '../ledger/content-id.ts';
import type { DocumentIn, DocumentItem } from '../ledger/document-item.ts';
import type { MoveOptions } from '../ledger/documents.ts';
import { parseSummary } from '../summary/parse.ts';
import { titleOf } from '../summary/prompt.ts';
import { type KeptReply, replyKeyOf, replyOf } from './answer-store.ts';
import { fail } from './attempt.ts';
import { fieldsOf } from './fields-copy.ts';
import type { Answered } from './questions.ts';
import { releasePast } from './release-past.ts';
import { sentText } from './sent-text.ts';
import type { AnswerTools } from './tools.ts';

type Summary = NonNullable<DocumentRecord['summary']>;

/**
 * Copies the answers into the record of a document: the summary, the fields, or why there is none. What differs from
 * document to document (the title where the answer has none, warnings) is decided here and is not in the answers.
 */
export async function copyAnswers(
  document: DocumentIn<'uploaded'>,
  profile: Profile,
  answered: readonly Answered[],
  tools: AnswerTools,
): Promise<void> {
  const contentId = contentIdOf(document);
  const told = toldOf(document, profile, answered);
  const { changes: parts, warnings } = await partsOf(document, profile, answered, tools);
  for (const { answer } of answered) {
    if (answer.state !== 'refused') continue;
    const error = new RejectDocument(answer.error);
    const changes = { ...told, ...parts };
    const shared = !isAsker(document, answer);
    const failed = await fail('summarize', document, error, tools, { changes, shared });
    if (!failed) await leftBehind(document, contentId, tools);
    return;
  }
  const fidelity = document.fidelity && {
    ...document.fidelity,
    warnings: [...document.fidelity.warnings, ...warnings],
  };
  const moved = await ready(document, { ...told, ...parts, fidelity }, tools);
  if (moved) await releasePast(moved, tools);
  else await leftBehind(document, contentId, tools);
}

/** What a record says about its answers, and what it paid for them. */
export function toldOf(
  document: DocumentIn<'uploaded'>,
  profile: Profile,
  answered: readonly Answered[],
) {
  const outcomes = answered.map(({ kind, ref, answer }) => {
    const { state: outcome, generation, askedBy } = answer;
    const shared =
      askedBy.documentId === document.documentId ? {} : { sharedFrom: askedBy.documentId };
    return [kind, { outcome, question: ref.question, generation, ...shared }] as const;
  });
  const usages = answered.map(({ answer }) => usageOf(answer, isAsker(document, answer)));
  return {
    ...recordedProfile(profile),
    usage: withEarlier(sumOf(usages), document, answered),
    answers: Object.fromEntries(outcomes) as NonNullable<DocumentRecord['answers']>,
  };
}

type Parts = Pick<DocumentRecord, 'summary' | 'fields' | 'files'>;

const filesOf = ({ stored }: Produced, { resultsBucket }: AnswerTools): DocumentRecord['files'] =>
  stored.map(({ key, ...file }) => ({ ...file, location: `s3://${resultsBucket}/${key}` }));

/** What the answers say, as the record says it. */
export async function partsOf(
  document: DocumentIn<'uploaded'>,
  profile: Profile,
  answered: readonly Answered[],
  tools: AnswerTools,
): Promise<{ changes: Parts; warnings: Warning[] }> {
  const changes: Parts = {};
  const warnings = new Map<string, Warning>();
  const warn = (warning: Warning) => warnings.set(`${warning.code} ${warning.message}`, warning);
  const sent = once(() => sentText(document, tools));
  for (const one of answered) {
    const { kind, ref, answer } = one;
    if (answer.state === 'refused') continue;
    const reply = await replyOf(answer, tools);
    if (kind === 'fields') {
      changes.fields = await fieldsOf(one, reply, profile, await sent(), tools);
    } else {
      const { summary, inLayout } = await summaryOf(document, profile, answer, reply, sent);
      changes.summary = fitted(summary, ref, answer, tools);
      if (answer.files) changes.files = filesOf(answer.files, tools);
      for (const warning of answer.files?.warnings ?? []) warn(warning);
      if (!inLayout && profile.layout !== 'free') warn(notInLayout);
    }
    const unpriced = answer.billed.costUsd === undefined && isAsker(document, answer);
    if (unpriced) warn(priceUnknown(answer.billed.model));
  }
  return { changes, warnings: [...warnings.values()] };
}

async function summaryOf(
  { key }: DocumentIn<'uploaded'>,
  profile: Profile,
  { billed }: RepliedAnswer,
  reply: KeptReply,
  sent: () => Promise<SentText | undefined>,
): Promise<{ summary: Summary; inLayout: boolean }> {
  const { summary, inLayout } = parseSummary(reply.content, titleOf(key), profile.layout);
  const isByCharacter = summary.citations.some(({ location }) => location.type === 'char');
  const text = isByCharacter ? await sent() : undefined;
  const checked = text?.kind === 'text' ? checkCitations(summary.citations, text.text) : undefined;
  const { stopReason } = reply;
  const about = { model: billed.model, stopReason, at: billed.at };
  return { summary: { ...summary, ...(checked ? { checked } : {}), ...about }, inLayout };
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
  const remove = ['error', 'outages', 'waiting', 'heldFrom', 'needs', 'lease'] as const;
  // Told under another profile, before the document was tried again.
  const unasked = (['summary', 'fields', 'files'] as const).filter((part) => !changes?.[part]);
  const write: MoveOptions = { attempt: 'summarize', remove: [...remove, ...unasked] };
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

type Usage = NonNullable<DocumentRecord['usage']>;

const nothing = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, costUsd: 0 };

/** What this document paid: nothing for an answer that another one asked for. */
function usageOf(answer: RepliedAnswer, paid: boolean): Usage {
  if (!paid) return { ...nothing, calls: 0 };
  const unknown = answer.unknownCalls + unpricedOf(answer);
  return {
    ...tokensOf(paidFor(answer)),
    calls: answer.calls,
    ...(unknown > 0 ? { costUnknownCalls: unknown } : {}),
  };
}

/** What several answers cost a document together. */
function sumOf(usages: readonly Usage[]): Usage {
  const [first, ...others] = usages;
  if (!first) throw new Error('nothing was answered');
  return others.reduce(plus, first);
}

function plus(a: Usage, b: Usage): Usage {
  const thinking = [a.thinkingTokens, b.thinkingTokens].filter((tokens) => tokens !== undefined);
  const unknown = (a.costUnknownCalls ?? 0) + (b.costUnknownCalls ?? 0);
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    ...(thinking.length > 0 ? { thinkingTokens: thinking.reduce((x, y) => x + y, 0) } : {}),
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    costUsd: a.costUsd + b.costUsd,
    calls: a.calls + b.calls,
    ...(unknown > 0 ? { costUnknownCalls: unknown } : {}),
  };
}

/** What a document has paid while a question is being asked for it, after others that are answered. */
export function usageWith(
  document: DocumentIn<'uploaded'>,
  ref: AnswerRef,
  before: readonly Answered[],
  { calls, unknownCalls, ...replies }: AnswerIn<'asking'>,
): Usage {
  const billed = billedSoFar(replies);
  const known = billed ? tokensOf(billed) : before.length > 0 ? nothing : document.usage;
  const asking = { ...known, calls, costUnknownCalls: unknownCalls };
  const usages = before.map(({ answer }) => usageOf(answer, isAsker(document, answer)));
  const questions = [ref, ...before.map((one) => one.ref)].map(({ question }) => question);
  return withUnseen(sumOf([...usages, asking]), document, questions);
}

/** Adds calls about questions that are not asked any more, because the profile has changed, and whose replies were lost. */
function withUnseen(
  usage: Usage,
  { unseen = {} }: DocumentIn<'uploaded'>,
  counted: readonly (string | undefined)[],
): Usage {
  const others = Object.entries(unseen).filter(([question]) => !counted.includes(question));
  const calls = others.reduce((sum, [, more]) => sum + more, 0);
  return calls > 0 ? plus(usage, { ...nothing, calls, costUnknownCalls: calls }) : usage;
}

/** The part of a record's usage that is known of what was billed. */
const tokensOf = ({
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
 * functions of 0.1. Of several answers that one record tells of, what each has cost is not known any more.
 */
function withEarlier(
  usage: Usage,
  document: DocumentIn<'uploaded'>,
  answered: readonly Answered[],
): Usage {
  const told = Object.values(document.answers ?? {});
  const [only] = told;
  const isAsked = answered.some(({ ref }) => ref.question === only?.question);
  const wasRetried = told.length === 1 && only?.outcome === 'refused' && !isAsked;
  // Its usage has the calls that nobody has seen.
  if (wasRetried) return plus(usage, document.usage);
  const questions = answered.map(({ ref }) => ref.question);
  return withUnseen(withOldCalls(usage, document), document, questions);
}

/** A call that a function of 0.1 began and nobody saw the end of: its fence is still in the document. */
function withOldCalls(usage: Usage, { lease, usage: before }: DocumentIn<'uploaded'>): Usage {
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
  message: `The price table does not have ${model}: the cost of this answer is not in costUsd.`,
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
