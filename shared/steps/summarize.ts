import { isFileGone } from '../claude/errors.ts';
import { outcomeOf } from '../claude/outcome.ts';
import { costUsd, type PriceTable } from '../claude/prices.ts';
import { journeyWarnings } from '../codes/index.ts';
import { Defer, RejectDocument } from '../journey/errors.ts';
import type { StepMessage } from '../journey/messages.ts';
import { done, type Outcome } from '../journey/outcome.ts';
import { fingerprintOf, isSummarized, type Profile } from '../journey/profiles.ts';
import type { DocumentRecord, Status } from '../journey/record.ts';
import type { DocumentIn, DocumentItem, Lease } from '../ledger/document-item.ts';
import { type DocumentChanges, type MoveOptions, unleased } from '../ledger/documents.ts';
import type { Condition } from '../ledger/table.ts';
import { parseSummary } from '../summary/parse.ts';
import { summaryPrompt, summaryRequest, titleOf } from '../summary/prompt.ts';
import { attempt, fail, resumeFromDeadLetter } from './attempt.ts';
import { recordEntry } from './record-entry.ts';
import { releasePast } from './release-past.ts';
import type { Claude, StepTools } from './tools.ts';

type Summary = NonNullable<DocumentRecord['summary']>;
type Message = Awaited<ReturnType<Claude['createMessage']>>;

export interface SummarizeTools extends StepTools {
  claude: Claude;
  prices: PriceTable;
  profileFor: (key: string) => Profile;
  /** Names this worker in the fence of the paid call; unique at each call. */
  owner: () => string;
  /** How long the fence holds: longer than a call can take, in milliseconds. */
  leaseMs: number;
  /** Milliseconds after which a call is given up. */
  callTimeoutMs: number;
  resultsBucket: string;
}

/**
 * Summarises one version of a document, once.
 *
 * Before the paid call a fence is written: the lease, and `usage.calls` one up. A crash before it
 * costs nothing. A crash between the fence and the answer's write cannot be told from one before
 * the call, so the next attempt calls again once the lease has run out, and `usage.calls` says so.
 * A call that was certainly not made, or certainly not charged, is taken off the count again.
 */
export async function summarize(
  message: Extract<StepMessage, { step: 'summarize' }>,
  tools: SummarizeTools,
): Promise<Outcome> {
  const found = await tools.documents.get(message.documentId);
  if (found?.order !== message.order) return done;
  const document = await resumeFromDeadLetter(found, 'summarize', 'uploaded', tools.documents);
  // Whoever ended it may have died before the past was let go.
  if (document.status === 'ready' || document.status === 'failed')
    await releasePast(document, tools);
  if (document.status !== 'uploaded') return done;

  return attempt('summarize', document, tools, async () => {
    if (document.lease && document.lease.until >= tools.now()) throw underWay(document, tools);
    const profile = tools.profileFor(document.key);
    if (!isSummarized(document, profile)) {
      // Its uploader died before it said so.
      const moved = await tools.documents.move(document, 'ready');
      if (moved) await releasePast(moved, tools);
      return;
    }
    const fingerprint = fingerprintOf(profile, summaryPrompt, titleOf(document.key));
    if (await carryOver(document, fingerprint, tools)) return;
    await tools.circuits.check('claude');
    await tools.circuits.check('summarize');
    await payOnce(document, profile, fingerprint, tools);
  });
}

/** A document whose paid call this worker makes: the fence is its own. */
type FencedDocument = DocumentIn<'uploaded'> & { lease: Lease };

/** Takes the summary of the past version with the same content, if there is one: no call, no cost. */
async function carryOver(
  document: DocumentIn<'uploaded'>,
  fingerprint: string,
  tools: SummarizeTools,
): Promise<boolean> {
  const { prior } = document;
  if (!prior || prior.contentSha256 !== document.contentSha256) return false;
  if (prior.fingerprint !== fingerprint) return false;
  const past = await tools.documents.getPast(document.documentId, prior.order);
  const paidForMs = (past?.lease?.until ?? 0) - tools.now();
  if (past && !past.summary && paidForMs > 0) {
    throw new Defer({
      code: 'summarize.under_way',
      message: 'Another worker is summarising the same content for the version before this one.',
      delayMs: Math.min(paidForMs, 10_000),
    });
  }
  if (!past?.summary) return false;
  const carried = await tools.documents.move(
    document,
    'ready',
    {
      summary: { ...past.summary, carriedFrom: past.summary.carriedFrom ?? past.sequencer },
      fingerprint,
    },
    { attempt: 'summarize', remove: ['error', 'outages', 'prior'] },
  );
  if (carried) await releasePast(carried, tools);
  return true;
}

async function payOnce(
  document: DocumentIn<'uploaded'>,
  profile: Profile,
  fingerprint: string,
  tools: SummarizeTools,
): Promise<void> {
  const lease = { owner: tools.owner(), until: tools.now() + tools.leaseMs };
  const written = await tools.documents.move(
    document,
    'uploaded',
    { lease, fingerprint },
    { add: { 'usage.calls': 1 }, condition: unleased(tools.now()) },
  );
  if (!written) throw underWay(document, tools);
  const fenced = { ...written, lease };

  let reply: Message;
  try {
    reply = await tools.claude.createMessage(summaryRequest(fenced, profile), {
      timeoutMs: tools.callTimeoutMs,
    });
  } catch (thrown) {
    await callFailed(thrown, fenced, tools);
    return;
  }
  try {
    await record(reply, fenced, tools);
  } catch (error) {
    // The answer is lost; that it is must not be waited for.
    await afterCall(fenced, 'uploaded', {}, { remove: ['lease'] }, tools).catch(() => undefined);
    throw error;
  }
}

/**
 * Writes what came of the paid call, provided that nobody has taken the fence over: into the record, or, where a
 * newer event came meanwhile, into the past version. A newer version with the same content waits for it there.
 * @returns the record as it is now, or `undefined` when it tells of a newer version
 */
async function afterCall(
  fenced: FencedDocument,
  to: Status,
  changes: DocumentChanges,
  write: Omit<MoveOptions, 'condition'>,
  tools: SummarizeTools,
): Promise<DocumentItem | undefined> {
  const condition = heldBy(fenced.lease.owner);
  const moved = await tools.documents.move(fenced, to, changes, { ...write, condition });
  if (!moved) await tools.documents.amendPast(fenced, to, changes, { ...write, condition });
  return moved;
}

/** A call that leaves nothing to try again: its cost, the error and the end of the fence in one write. */
async function failAfterCall(
  error: RejectDocument,
  fenced: FencedDocument,
  add: Record<string, number>,
  tools: SummarizeTools,
): Promise<void> {
  const write = { add, remove: ['lease' as const], condition: heldBy(fenced.lease.owner) };
  if (await fail('summarize', fenced, error, tools, write)) return;
  const at = new Date(tools.now()).toISOString();
  const entry = { ...recordEntry(error, 'summarize'), at };
  await tools.documents.amendPast(fenced, 'failed', { error: entry }, write);
}

/** Holds while nobody else has taken the fence over. */
const heldBy = (owner: string): Condition => ({
  expression: 'lease.#owner = :owner',
  names: { owner: 'owner' },
  values: { owner },
});

/** Somebody else holds the fence: nothing of this document may be changed before it falls. */
function underWay(document: DocumentIn<'uploaded'>, tools: SummarizeTools): Defer {
  const leaseMs = (document.lease?.until ?? 0) - tools.now();
  return new Defer({
    code: 'summarize.under_way',
    message: 'Another worker is summarising this document.',
    delayMs: Math.max(leaseMs, 5_000),
  });
}

/** A call without an answer: takes it off the count when it was not charged, and says what is next. */
async function callFailed(
  thrown: unknown,
  fenced: FencedDocument,
  tools: SummarizeTools,
): Promise<never | undefined> {
  const { error, mayBePaid } = outcomeOf(thrown, 'summarize');
  const add = mayBePaid ? {} : { 'usage.calls': -1 };
  if (isFileGone(thrown) && (fenced.evictions ?? 0) === 0) {
    await uploadAgain(fenced, add, tools);
    return undefined;
  }
  if (error instanceof RejectDocument) {
    await failAfterCall(error, fenced, add, tools);
    return undefined;
  }
  await afterCall(fenced, 'uploaded', {}, { add, remove: ['lease'] }, tools);
  throw error;
}

/** The file is gone from the Files API: evicts it and sends the document back to upload, once. */
async function uploadAgain(
  fenced: FencedDocument,
  add: Record<string, number>,
  tools: SummarizeTools,
): Promise<void> {
  const { contentSha256, fileId, documentId, order } = fenced;
  await tools.contents.evict(contentSha256, fileId);
  const condition = heldBy(fenced.lease.owner);
  const moved = await tools.documents.move(
    fenced,
    'normalized',
    {},
    {
      add: { ...add, evictions: 1 },
      condition,
      remove: ['lease', 'fileId', 'fileExpiresAt'],
    },
  );
  tools.log.warn('the file is gone: uploading again', { documentId, fileId });
  if (moved) await tools.send({ step: 'upload', documentId, order, contentSha256 });
  else {
    const write = { add, remove: ['lease' as const], condition };
    await tools.documents.amendPast(fenced, 'uploaded', {}, write);
  }
}

/** Writes the answer; one that is no full summary ends the document `failed`, its cost recorded. */
async function record(
  reply: Message,
  fenced: FencedDocument,
  tools: SummarizeTools,
): Promise<void> {
  const { usage } = reply;
  const cost = costUsd(usage, reply.model, { table: tools.prices });
  const add = {
    'usage.inputTokens': usage.input_tokens + (usage.cache_creation_input_tokens ?? 0),
    'usage.outputTokens': usage.output_tokens,
    'usage.cacheReadTokens': usage.cache_read_input_tokens ?? 0,
    'usage.costUsd': cost ?? 0,
  };
  const unusable = unusableBecause(reply);
  if (unusable) return failAfterCall(unusable, fenced, add, tools);
  const { summary: parsed, inLayout } = parseSummary(reply.content, titleOf(fenced.key));
  const summary: Summary = {
    ...parsed,
    model: reply.model,
    stopReason: reply.stop_reason ?? 'end_turn',
    at: new Date(tools.now()).toISOString(),
  };
  const warnings = [
    ...(inLayout ? [] : [notInLayout]),
    ...(cost === undefined ? [priceUnknown(reply.model)] : []),
  ];
  const fidelity = fenced.fidelity && {
    ...fenced.fidelity,
    warnings: [...fenced.fidelity.warnings, ...warnings],
  };
  const moved = await afterCall(
    fenced,
    'ready',
    { summary: await fitted(summary, fenced, tools), fidelity },
    { attempt: 'summarize', add, remove: ['lease', 'error', 'outages', 'prior'] },
    tools,
  );
  if (moved) await releasePast(moved, tools);
  else {
    tools.log.warn('a newer event came during the paid call', {
      documentId: fenced.documentId,
      costUsd: cost,
    });
  }
}

const notInLayout = {
  code: 'summarize.layout',
  message: journeyWarnings['summarize.layout'],
};

const priceUnknown = (model: string) => ({
  code: 'summarize.price_unknown',
  message: `The price table does not have ${model}: the cost of this summary is missing in costUsd.`,
});

/** Why an answer is no summary although the call succeeded, or `undefined` when it is one. */
function unusableBecause(reply: Message): RejectDocument | undefined {
  switch (reply.stop_reason) {
    case 'end_turn':
    case 'stop_sequence':
      return undefined;
    case 'refusal':
      return new RejectDocument({
        code: 'summarize.refused',
        message: 'Claude declined to summarise this document.',
      });
    case 'max_tokens':
      return new RejectDocument({
        code: 'summarize.max_tokens',
        message: `The summary was cut off after ${reply.usage.output_tokens} tokens.`,
      });
    case 'model_context_window_exceeded':
      return new RejectDocument({
        code: 'summarize.too_long',
        message: 'The document does not fit into the context of the model.',
      });
    default:
      return new RejectDocument({
        code: 'summarize.unexpected_stop',
        message: `Claude stopped for a reason that is not known: ${reply.stop_reason}.`,
      });
  }
}

/** DynamoDB takes items of up to 400 KB; the record needs some of it for itself. */
const maxSummaryBytes = 300_000;

/** The summary as it goes into the record: a very long one whole into the results bucket. */
async function fitted(
  summary: Summary,
  document: FencedDocument,
  tools: SummarizeTools,
): Promise<Summary> {
  const whole = JSON.stringify(summary);
  if (Buffer.byteLength(whole) <= maxSummaryBytes) return summary;
  const key = `summaries/${document.documentId}/${document.order}.json`;
  await tools.objects.putText({ bucket: tools.resultsBucket, key }, whole, 'application/json');
  const short = (text: string, length: number) => Array.from(text).slice(0, length).join('');
  return {
    ...summary,
    text: short(summary.text, 20_000),
    keyPoints: summary.keyPoints.slice(0, 50).map((point) => short(point, 1_000)),
    citations: summary.citations
      .slice(0, 100)
      .map((citation) => ({ ...citation, citedText: short(citation.citedText, 500) })),
    location: `s3://${tools.resultsBucket}/${key}`,
  };
}
