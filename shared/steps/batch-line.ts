import { createHash } from 'node:crypto';
import { isThrottled } from '../aws/throttled.ts';
import { ClaudeError } from '../claude/errors.ts';
import { Defer, DroplineError, RetryLater } from '../journey/errors.ts';
import type { Profile } from '../journey/profiles.ts';
import { type AnswerIn, type AnswerRef, packReply } from '../ledger/answer-item.ts';
import type { BatchedAnswers } from '../ledger/batched-answers.ts';
import type { Batches, BatchLine } from '../ledger/batches.ts';
import type { DocumentIn } from '../ledger/document-item.ts';
import { roomFor } from '../summary/prompt.ts';
import { giveBack } from './give-back.ts';
import { type Question, requestOf } from './questions.ts';
import { type ReserveTools, reserve, settleReserved } from './reserve.ts';
import { wait } from './wait.ts';

/** How questions are put into Message Batches. */
export interface BatchRules {
  /** How long questions are collected, and how long after a look at the batches the next one comes, in milliseconds. */
  everyMs: number;
  /** Most questions of one batch: as many as one invocation can apply the results of. */
  maxLines: number;
  /** Most bytes of one batch: all of it is in memory when it is sent. The API takes 256 MB and 100,000 questions. */
  maxBytes: number;
}

/** What it takes to leave a question to a batch. */
export interface LineTools extends ReserveTools {
  batches: Batches;
  batched: BatchedAnswers;
  batchRules: BatchRules;
  /** About how many messages wait for the summarize step. */
  backlog: () => Promise<number>;
  sleep: (ms: number) => Promise<void>;
}

/** A question that was claimed on behalf of a document, or found waiting for a batch. */
interface Claimed extends Question {
  document: DocumentIn<'uploaded'>;
  profile: Profile;
  claimed: AnswerIn<'asking'>;
}

/** How long a question may be in a batch, in milliseconds: results can be had for 29 days. */
const batchLeaseMs = 31 * 24 * 3_600_000;

/** Bytes of a packed request that fit into an item with all else in it. */
const maxPackedBytes = 300_000;

/** How many messages must wait for the step before a profile with the mode `auto` leaves questions to batches. */
const usualBatchAbove = 100;

/**
 * Whether a question that was just claimed goes into a batch. The second call after a reply that was cut off or invalid, and
 * what a batch gave no reply to, does not.
 */
export async function goesIntoBatch(
  { document, profile, claimed }: Pick<Claimed, 'document' | 'profile' | 'claimed'>,
  tools: Pick<LineTools, 'backlog' | 'log'>,
): Promise<boolean> {
  if (claimed.singly || claimed.cut) return false;
  // A turn of code may be paused, and is continued in its container.
  if (document.block === 'container_upload') return false;
  if (profile.mode !== 'auto') return profile.mode === 'batch';
  try {
    return (await tools.backlog()) > (profile.batchAbove ?? usualBatchAbove);
  } catch (error) {
    tools.log.warn('the length of the queue is not known: asking at once', {
      error: String(error),
    });
    return false;
  }
}

/**
 * Leaves a claimed question to a batch. Order of writes, and what a crash after each leaves: (1) the answer has the line's id
 * and a long lease: whoever comes for the answer goes on with (2); (2) the money is reserved; (3) the line is among those
 * that wait; (4) somebody will look at them: the reconciler sees to that too.
 * @returns false when the request is too long to be kept
 * @throws what `reserve` throws; the question is still claimed then, and certainly not paid for
 */
export async function park(question: Claimed, tools: LineTools): Promise<boolean> {
  const { ref, claimed } = question;
  if (packed(question).length > maxPackedBytes) return false;
  await unpaid(async () => {
    const parked = await tools.batched.park(ref, claimed, lineIdOf(ref, claimed), batchLeaseMs);
    if (!parked) throw removed();
    await addLine({ ...question, claimed: parked }, tools);
  });
  return true;
}

/**
 * Waits with a document for a question that is left to a batch; first makes sure that the batch will have it, because the
 * worker that left it there may have died before it did.
 * @returns false when there is an answer, or somebody has to ask
 */
export async function waitInBatch(question: Claimed, tools: LineTools): Promise<boolean> {
  const { document, ref, claimed } = question;
  const { batchLine = '', batchName } = claimed;
  if (batchName === undefined && !(await tools.batches.isWaiting(batchLine))) {
    try {
      await unpaid(() => addLine(question, tools));
    } catch (error) {
      await giveBack(ref, claimed, false, tools);
      const message = 'The question could not be left to a batch; nothing was asked yet.';
      throw new Defer({
        code: 'summarize.under_way',
        message,
        delayMs: 1_000,
        cause: error,
      });
    }
  }
  return wait(document, ref, 'batch', tools);
}

/** Waits with the document whose question was just left to a batch. */
export async function waitForBatch(
  { document, ref }: Pick<Claimed, 'document' | 'ref'>,
  tools: LineTools,
): Promise<void> {
  if (await wait(document, ref, 'batch', tools)) return;
  const { documentId, order, contentSha256, contentId } = document;
  await tools.send({
    step: 'summarize',
    documentId,
    order,
    contentSha256,
    ...(contentId === undefined ? {} : { contentId }),
  });
}

/** Reserves the money for a parked question and adds it to those that wait. */
async function addLine(question: Claimed, tools: LineTools): Promise<void> {
  const { document, profile, ref, kind } = question;
  const request = firstRequest(question);
  const before = question.claimed.reserved;
  const today = new Date(tools.now()).toISOString().slice(0, 10);
  // Reserved by a worker that died on a day before: this day pays instead.
  if (before?.call === question.claimed.calls && before.day !== today) {
    await settleReserved(question.claimed, 'nothing', tools);
  }
  const held = await reserve({ document, profile, ref, claimed: question.claimed }, request, tools);
  const { first, most } = roomFor(profile);
  const line: BatchLine = {
    id: held.batchLine ?? '',
    ref,
    kind,
    life: held.life,
    bornAt: held.bornAt,
    askedBy: held.askedBy,
    calls: held.calls,
    unknownCalls: held.unknownCalls,
    ...(held.reserved?.call === held.calls ? { reserved: held.reserved } : {}),
    hasMoreRoom: held.generation === 0 && first < most,
    since: tools.now(),
    request: packed(question),
    bytes: Buffer.byteLength(JSON.stringify(request)) + 100,
  };
  try {
    await tools.batches.add(line);
    await callBatches(tools);
  } catch (error) {
    await settleReserved(line, 'nothing', tools);
    throw error;
  }
}

/** After how long a turn that nobody took is given anew, in milliseconds. */
const lateMs = 5 * 60_000;

/** Has somebody look at the batches, if that is not under way. */
export async function callBatches({
  batches,
  batchRules: { everyMs },
  send,
}: Pick<LineTools, 'batches' | 'batchRules' | 'send'>): Promise<boolean> {
  const turn = await batches.call(everyMs, lateMs);
  if (turn === undefined) return false;
  await send({ step: 'batch', turn }, everyMs);
  return true;
}

const firstRequest = ({ kind, document, profile, claimed }: Claimed) =>
  requestOf(kind, document, profile, claimed, claimed.generation === 0);

/** The request of a line, with the schema that its reply is held against. */
const packed = (question: Claimed): Uint8Array => {
  const { kind, profile } = question;
  return packReply({
    params: firstRequest(question),
    ...(kind === 'fields' ? { schema: profile.schema } : {}),
  });
};

/** The `custom_id` of a call: the answer's id with the worker that claimed it, hashed, because the API takes 64 characters. */
const lineIdOf = ({ contentId, question }: AnswerRef, claimed: AnswerIn<'asking'>): string =>
  createHash('sha256')
    .update(`${contentId}#${question}#${claimed.life}#${claimed.owner}#${claimed.calls}`)
    .digest('base64url');

const removed = (): RetryLater =>
  new RetryLater({
    code: 'summarize.internal',
    message: 'The content was removed before Claude was asked about it.',
    delayMs: 1_000,
  });

/** Whatever fails here fails before anything is paid: it comes as an error that says so. */
async function unpaid(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    if (thrown instanceof DroplineError || thrown instanceof ClaudeError) throw thrown;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    if (isThrottled(thrown)) {
      const message = `The ledger is busy; nothing was asked yet: ${reason}`;
      throw new Defer({ code: 'summarize.under_way', message, delayMs: 5_000 });
    }
    const message = `Unexpected: ${reason}`;
    throw new RetryLater({ code: 'summarize.internal', message, cause: thrown });
  }
}
