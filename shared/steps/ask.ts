import { isFileGone } from '../claude/errors.ts';
import { outcomeOf } from '../claude/outcome.ts';
import { Defer, DroplineError, RejectDocument, RetryLater } from '../journey/errors.ts';
import type { Profile } from '../journey/profiles.ts';
import type { AnswerIn, AnswerRef } from '../ledger/answer-item.ts';
import { cutOf } from '../ledger/billed.ts';
import { Unaffordable } from '../ledger/budgets.ts';
import { contentName } from '../ledger/content-id.ts';
import { type CostEntry, reservedOn } from '../ledger/costs.ts';
import type { DocumentIn } from '../ledger/document-item.ts';
import { leftBehind, usageWith } from './answer-copy.ts';
import { type KeptReply, replyKeyOf, spilledReply, stored } from './answer-store.ts';
import { goesIntoBatch, type LineTools, park, waitForBatch } from './batch-line.ts';
import { giveBack } from './give-back.ts';
import { goOn, sendOn } from './go-on.ts';
import { isRidOf } from './made.ts';
import {
  type Answered,
  invalidBecause,
  invalidFields,
  type Question,
  requestOf,
  roomOf,
} from './questions.ts';
import { billedOf, unusableBecause } from './reply-outcome.ts';
import { reserve, settleEarlier, settleReserved } from './reserve.ts';
import { type Called, isPaused, keepTurn, keptTurnOf, makeCall } from './turns.ts';

/** What it takes to ask Claude. */
export interface AskTools extends LineTools {
  /** Names this worker in the lease of a question; unique at each call. */
  owner: () => string;
  /** How long the lease holds, in milliseconds: longer than a call can take. */
  leaseMs: number;
  /** Milliseconds after which a call is given up. */
  callTimeoutMs: number;
}

/** A question that this worker has claimed, on behalf of a document. */
interface Claimed extends Question {
  document: DocumentIn<'uploaded'>;
  profile: Profile;
  claimed: AnswerIn<'asking'>;
  /** The questions about the document that have been answered before this one. */
  before: readonly Answered[];
}

/**
 * Makes the paid call of a question that this worker has claimed, and writes down what comes of it before anything
 * else. Whoever takes over from a worker that died first looks for the reply that it may have saved.
 */
export async function ask(question: Claimed, tools: AskTools): Promise<void> {
  const { ref, claimed } = question;
  const saved = await prepared(question, tools);
  if (saved) {
    // That call is the one before: the one counted for us was not made.
    const { owner = '' } = claimed;
    const uncounted = await tools.answers.uncount(ref, owner);
    const before = { ...claimed, ...uncounted, calls: claimed.calls - 1 };
    return replied({ ...question, claimed: before }, saved, tools.callTimeoutMs, tools);
  }
  if (await leftToBatch(question, tools)) return;
  return call(question, tools.callTimeoutMs, tools);
}

/** Leaves the question to a Message Batch, where its profile wants that. @returns false when it is to be asked at once */
async function leftToBatch(question: Claimed, tools: AskTools): Promise<boolean> {
  if (!(await goesIntoBatch(question, tools))) return false;
  try {
    if (!(await park(question, tools))) return false;
  } catch (thrown) {
    await callFailed(thrown, question, tools);
    return true;
  }
  await waitForBatch(question, tools);
  return true;
}

/**
 * Before the call: records what the calls before it cost, because they ended unseen, or their worker died before it did.
 * Where that fails, the lease is given back, and the call that was not made is not counted.
 * @returns a reply that a worker before this one saved, if there is one
 */
async function prepared(
  { ref, claimed }: Claimed,
  tools: AskTools,
): Promise<KeptReply | undefined> {
  if (claimed.calls <= 1) return undefined;
  try {
    const saved = await spilledReply(ref, claimed, tools);
    if (saved) return saved;
    await tools.costs.recordCut(ref, claimed);
    await tools.costs.recordUnknown(ref, claimed, claimed.unknownCalls - 1);
    await settleEarlier(claimed, tools);
    return undefined;
  } catch (error) {
    await giveBack(ref, claimed, false, tools);
    throw error;
  }
}

/** One paid call, with the room that is its turn, once it is certain that it may be paid. */
async function call(question: Claimed, timeoutMs: number, tools: AskTools): Promise<void> {
  const { document, profile, kind } = question;
  const began = tools.now();
  const leftMs = () => Math.max(timeoutMs - (tools.now() - began), leastMs);
  let { claimed } = question;
  let called: Called;
  try {
    const request = requestOf(kind, document, profile, claimed, mayBeCut(claimed));
    claimed = await reserve({ ...question, claimed }, request, tools);
    called = await makeCall({ ref: question.ref, claimed }, request, leftMs, tools);
  } catch (thrown) {
    return callFailed(thrown, { ...question, claimed }, tools);
  }
  const kept = keptTurnOf(called, billedOf(called.reply, tools));
  return replied({ ...question, claimed }, kept, leftMs(), tools);
}

/** What a second call gets at least, in milliseconds; the function runs a minute longer than a call may take. */
const leastMs = 60_000;

/** Whether a call has the room of a first one: nobody has seen its answer cut off yet. */
const mayBeCut = ({ cut, generation }: AnswerIn<'asking'>): boolean => !cut && generation === 0;

/**
 * Settles the question with a reply; where it was cut off and the profile has more room, or is not what the schema asks
 * for, asks once more. The cost of the first reply is in the answer before the second call is made, and in the books right after.
 */
async function replied(
  question: Claimed,
  kept: KeptReply,
  timeoutMs: number,
  tools: AskTools,
): Promise<void> {
  const { document, profile, kind, ref, claimed } = question;
  const { first, most } = roomOf(document, profile);
  const write = <T>(work: () => Promise<T>) => whileLeased(ref, claimed, kept, tools, work);
  if (isPaused(kept, claimed)) {
    const paused = await keepTurn(ref, claimed, kept, write, tools);
    await settleReserved(paying(claimed), kept.billed, tools);
    return paused ? sendOn(document, tools) : notSettled(question, kept, tools);
  }
  const isCut = kept.stopReason === 'max_tokens' && mayBeCut(claimed) && first < most;
  const invalid = claimed.cut ? undefined : invalidBecause(kind, profile, kept);
  if (!isCut && invalid === undefined) return settle(question, kept, tools);
  const { billed } = kept;
  const { answers, leaseMs } = tools;
  const again = await write(() => answers.askAgain(ref, claimed, billed, leaseMs, invalid));
  const cut = cutOf(billed, claimed.calls, invalid);
  await write(() => tools.costs.recordCut(ref, { ...claimed, cut }));
  await settleReserved(paying(claimed), billed, tools);
  if (!again) return notSettled(question, kept, tools);
  const { documentId } = document;
  const why = invalid === undefined ? 'cut off' : 'not what the schema asks for';
  tools.log.info(`${why}: asking once more`, { documentId, maxTokens: most, invalid });
  return call({ ...question, claimed: again }, timeoutMs, tools);
}

/** Writes the reply into the answer and its cost into the books, then the record; then wakes those that wait. */
async function settle(question: Claimed, kept: KeptReply, tools: AskTools): Promise<void> {
  const { document, profile, kind, ref, claimed, before } = question;
  const invalid = invalidBecause(kind, profile, kept);
  const unusable = invalid === undefined ? unusableBecause(kept) : invalidFields(invalid);
  const { model: _, documentId: _id, order: _order, ...about } = claimed.askedBy;
  const outcome = unusable ? 'refused' : 'answered';
  const day = reservedOn(claimed, claimed.calls);
  const entry: CostEntry = { ...kept.billed, ...about, ...day, outcome };
  const write = <T>(work: () => Promise<T>) => whileLeased(ref, claimed, kept, tools, work);
  const { category } = kept;
  const error = unusable && {
    code: unusable.code,
    message: unusable.message,
    ...(category === undefined ? {} : { category }),
  };
  const settled = await write(async () => {
    const reply = await stored(ref, claimed, kept, tools);
    return tools.answers.settle(ref, claimed, reply, kept.billed, error);
  }).finally(async () => {
    await write(() => tools.costs.record(ref, claimed, claimed.calls, entry));
    await settleReserved(paying(claimed), kept.billed, tools);
  });
  if (settled) {
    await goOn(document, profile, [...before, { kind, ref, answer: settled }], tools);
    if (settled.awaited) await wakeAll(ref, tools);
    return;
  }
  await notSettled(question, kept, tools);
}

/** The reservation of the call that is counted last, if that is the one which the answer has. */
const paying = ({ reserved, calls }: AnswerIn<'asking'>): Pick<AnswerIn<'asking'>, 'reserved'> => ({
  reserved: reserved?.call === calls ? reserved : undefined,
});

/** The reply was not taken: another one was first, or the content was removed during the call. Its cost is recorded. */
async function notSettled(question: Claimed, kept: KeptReply, tools: AskTools): Promise<void> {
  const { document, profile, kind, ref, before } = question;
  const { owner = '' } = question.claimed;
  const present = await tools.answers.get(ref);
  // Nobody else will know of the files that this reply made.
  const known = present?.state === 'asking' && present.revoked ? [] : (present?.made ?? []);
  await isRidOf(kept.made?.filter((id) => !known.includes(id)) ?? [], tools);
  if (present && present.state !== 'asking')
    return goOn(document, profile, [...before, { kind, ref, answer: present }], tools);
  if (present?.revoked && (await tools.answers.end(ref, owner)) && present.awaited) {
    // A document with this content came after the removal.
    await tools.send({ step: 'wake', ...ref, one: true });
  }
  throw new RetryLater({
    code: 'summarize.internal',
    message: 'The content was removed while Claude was being asked about it.',
    delayMs: 1_000,
  });
}

export const wakeAll = async (ref: AnswerRef, tools: AskTools): Promise<void> => {
  await tools.send({ step: 'wake', ...ref });
  await tools.answers.clearAwaited(ref);
};

/** Pauses between tries to write a paid reply down, in milliseconds. */
const pausesMs = [100, 300, 1_000, 3_000, 10_000];

/**
 * Does a write that a paid reply depends on, again and again while the lease holds. Where the ledger does not take
 * the reply, it goes to the results bucket at once, where a redelivery finds it.
 */
async function whileLeased<T>(
  ref: AnswerRef,
  claimed: AnswerIn<'asking'>,
  kept: KeptReply,
  tools: AskTools,
  write: () => Promise<T>,
): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      const pauseMs = pausesMs[Math.min(tries, pausesMs.length - 1)] ?? 0;
      const { contentId, question } = ref;
      const fields = { contentId, question, tries, error: String(error) };
      tools.log.warn('a paid reply could not be written down yet', fields);
      if (tries === 0) await save(ref, claimed, kept, tools);
      const leftMs = claimed.leaseUntil - tools.now();
      if (pauseMs >= leftMs - reserveMs) throw notTaken(error, leftMs);
      await tools.sleep(pauseMs);
    }
  }
}

/** Nothing failed that concerns the document: once the lease is over, the next worker finds the saved reply. */
const notTaken = (cause: unknown, leftMs: number): Defer =>
  new Defer({
    code: 'summarize.under_way',
    message: 'Claude has answered, but the ledger does not take the reply yet.',
    delayMs: Math.max(leftMs, 0) + 1_000,
    cause,
  });

/** What is left of the lease when a worker gives up: the message is delivered again after that. */
const reserveMs = 60_000;

/** Saves a reply in the results bucket; fails silently, because the ledger may take it yet. */
async function save(
  ref: AnswerRef,
  claimed: AnswerIn<'asking'>,
  kept: KeptReply,
  { objects, resultsBucket, log }: AskTools,
): Promise<void> {
  const target = { bucket: resultsBucket, key: replyKeyOf(ref, claimed) };
  try {
    await objects.putText(target, JSON.stringify(kept), 'application/json');
  } catch (error) {
    log.warn('a paid reply could not be saved either', { key: target.key, error: String(error) });
  }
}

/** A call without a reply: takes it off the count when it was certainly not billed, and decides what is next. */
async function callFailed(thrown: unknown, question: Claimed, tools: AskTools): Promise<void> {
  const { document, ref, claimed } = question;
  const { error, mayBePaid } = outcomeOf(thrown, 'summarize');
  const ends =
    error instanceof RejectDocument ||
    error instanceof Unaffordable ||
    (document.attempts.summarize ?? 0) + 1 >= tools.policy.maxAttempts;
  const unseen = claimed.unknownCalls - (claimed.unknownEarlier ?? 0);
  // Before the lease is given back: whoever takes the question next would count it as spent.
  await settleReserved(paying(claimed), mayBePaid ? 'unseen' : 'nothing', tools);
  if (mayBePaid && (ends || unseen >= tools.policy.maxAttempts)) {
    if (await givenUp(error, question, tools)) return;
  }
  const given = await giveBack(ref, claimed, mayBePaid, tools);
  if (mayBePaid) await countUnknown(question, given ?? claimed, tools);
  if (isFileGone(thrown) && (document.evictions ?? 0) < maxEvictions) {
    return uploadAgain(document, ref, tools);
  }
  // The document is about to end: one of those that wait asks in its turn.
  if (ends && given?.awaited) {
    await tools.send({ step: 'wake', ...ref, one: true });
  }
  throw error;
}

/**
 * Ends the question for all documents that share it: each of them would pay for the same again.
 * @returns false when this worker no longer has the question
 */
async function givenUp(error: unknown, question: Claimed, tools: AskTools): Promise<boolean> {
  const { document, profile, kind, ref, claimed, before } = question;
  const { code, message } =
    error instanceof DroplineError
      ? error
      : { code: 'summarize.internal', message: error instanceof Error ? error.message : 'failed' };
  const refused = await tools.answers.giveUp(ref, claimed, { code, message });
  if (!refused) return false;
  await tools.costs.recordUnknown(ref, refused, refused.unknownCalls);
  await goOn(document, profile, [...before, { kind, ref, answer: refused }], tools);
  if (refused.awaited) await wakeAll(ref, tools);
  return true;
}

/** Times that a document is uploaded again because its file was gone, before that counts as a failure. */
const maxEvictions = 5;

/** The record says that calls were made whose cost is not known, even if the document fails now. */
async function countUnknown(
  { document, ref, before }: Claimed,
  answer: AnswerIn<'asking'>,
  tools: AskTools,
): Promise<void> {
  await tools.costs.recordUnknown(ref, answer, answer.unknownCalls);
  await tools.documents.move(document, 'uploaded', {
    usage: usageWith(document, ref, before, answer),
    unseen: { ...document.unseen, [ref.question]: answer.unknownCalls },
  });
}

/** The file is gone from the Files API: evicts it and sends the document back to upload. */
async function uploadAgain(
  document: DocumentIn<'uploaded'>,
  { contentId }: AnswerRef,
  tools: AskTools,
): Promise<void> {
  const { fileId, documentId, order } = document;
  await tools.contents.evict(contentId, fileId);
  const moved = await tools.documents.move(
    document,
    'normalized',
    {},
    { add: { evictions: 1 }, remove: ['fileId', 'fileExpiresAt', 'waiting'] },
  );
  tools.log.warn('the file is gone: uploading again', { documentId, fileId });
  if (!moved) return leftBehind(document, contentId, tools);
  await tools.send({ step: 'upload', documentId, order, ...contentName(contentId) });
}
