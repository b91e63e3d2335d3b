import { Defer } from '../journey/errors.ts';
import type { StepMessage } from '../journey/messages.ts';
import { done, type Outcome } from '../journey/outcome.ts';
import {
  isSummarized,
  type Profile,
  type ProfileFor,
  recordedProfile,
} from '../journey/profiles.ts';
import type { AnswerIn, AnswerRef, Asker, RepliedAnswer } from '../ledger/answer-item.ts';
import { contentName } from '../ledger/content-id.ts';
import type { DocumentIn, DocumentItem } from '../ledger/document-item.ts';
import { isAsker } from './answer-copy.ts';
import { type AskTools, ask } from './ask.ts';
import { attempt, resumeFromDeadLetter } from './attempt.ts';
import { waitInBatch } from './batch-line.ts';
import { giveBack } from './give-back.ts';
import { goOn, tellSoFar } from './go-on.ts';
import { profileOf } from './profile-of.ts';
import { type Answered, type Question, questionsOf } from './questions.ts';
import { mayReusePast, releasePast } from './release-past.ts';
import { recordReply } from './reserve.ts';
import { wait } from './wait.ts';

export interface SummarizeTools extends AskTools {
  profileFor: ProfileFor;
}

/**
 * Gives one version of a document its summary: the answer that is there, or a new one.
 *
 * The answer is an item beside the content, shared by all documents with that content, so it is paid for once.
 * Order of writes, and what a crash after each leaves: (1) the answer is claimed, and the call counted: once the lease
 * has run out, the redelivered message asks again, and the count says so; (2) the reply is written into the answer: the
 * redelivered message finds it; (3) its cost entry: put again by the message that finds the answer; (4) the record
 * is `ready`; (5) those that wait are woken: the reconciler sends what waits for too long.
 */
export async function summarize(
  message: Extract<StepMessage, { step: 'summarize' }>,
  tools: SummarizeTools,
): Promise<Outcome> {
  const found = await tools.documents.get(message.documentId);
  if (found?.order !== message.order) return leave(found, message, tools);
  const document = await resumeFromDeadLetter(found, 'summarize', 'uploaded', tools.documents);
  // The worker that ended it may have died before it released the past.
  if (document.status === 'ready' || document.status === 'failed') {
    await releasePast(document, tools);
  }
  if (document.status !== 'uploaded') return done;

  return attempt('summarize', document, tools, async () => {
    const profile = profileOf(document, tools);
    if (!isSummarized(document, profile)) {
      // Its uploader died before it moved it on.
      const moved = await tools.documents.move(document, 'ready', recordedProfile(profile));
      if (moved) await releasePast(moved, tools);
      return;
    }
    respectOldFence(document, tools);
    await answer(document, profile, message.shared ?? false, tools);
  });
}

/** A function of 0.1, which may still run, keeps the fence of its paid call in the document. */
function respectOldFence({ lease }: DocumentItem, { now }: SummarizeTools): void {
  const leftMs = (lease?.until ?? 0) - now();
  if (leftMs >= 0) throw underWay(leftMs);
}

const underWay = (leftMs: number): Defer =>
  new Defer({
    code: 'summarize.under_way',
    message: 'Another worker is summarising this document.',
    delayMs: Math.max(leftMs, 5_000),
  });

/** Answers the questions of the profile, one after the other, until one has to be asked or waited for. */
async function answer(
  document: DocumentIn<'uploaded'>,
  profile: Profile,
  shared: boolean,
  tools: SummarizeTools,
): Promise<void> {
  const before: Answered[] = [];
  for (const question of questionsOf(document, profile)) {
    const found = await answerOf(question, document, profile, before, shared, tools);
    if (!found) return;
    before.push({ ...question, answer: found });
    // What follows a refusal is not asked.
    if (found.state === 'refused') break;
  }
  await goOn(document, profile, before, tools);
}

/**
 * The answer to a question, where there is one; else asks for it, or waits for the worker that is asking.
 * @returns `undefined` when another message goes on from here
 */
async function answerOf(
  { kind, ref }: Question,
  seenDocument: DocumentIn<'uploaded'>,
  profile: Profile,
  before: Answered[],
  shared: boolean,
  tools: SummarizeTools,
): Promise<RepliedAnswer | undefined> {
  const looks = shared || before.length > 0;
  const asker = askerOf(seenDocument, profile);
  const first = looks ? undefined : await claimUnseen(seenDocument, ref, asker, tools);
  if (first && 'claimed' in first) {
    const { claimed } = first;
    await ask({ document: seenDocument, profile, kind, ref, claimed, before }, tools);
    return undefined;
  }
  let seen = first ? first.seen : await tools.answers.get(ref);
  for (; ; seen = await tools.answers.get(ref)) {
    if (seen && seen.state !== 'asking') {
      if (isAsker(seenDocument, seen)) await recordReply(ref, seen, tools);
      return seen;
    }
    // What is known so far is in the record while the rest is asked, and stays if that fails.
    const document = await tellSoFar(seenDocument, profile, before, tools);
    if (!document) return undefined;
    if (seen && seen.leaseUntil >= tools.now()) {
      if (seen.batchLine !== undefined) {
        const parked = { document, profile, kind, ref, claimed: seen };
        if (await waitInBatch(parked, tools)) return undefined;
        continue;
      }
      // Its own worker is in the call, or died in it: nobody would wake it before the lease is over.
      if (isAsker(document, seen)) throw underWay(seen.leaseUntil - tools.now());
      if (await wait(document, ref, 'answer', tools)) return undefined;
      continue;
    }
    // A call is needed only from here on: an answer that exists is used whatever is stopped.
    await tools.circuits.check('claude');
    await tools.circuits.check('summarize');
    const claimed = await claiming(ref, tools, (owner) =>
      tools.answers.claim(ref, asker, owner, tools.leaseMs),
    );
    if (!claimed) continue;
    const question = { document, profile, kind, ref, claimed, before };
    if (!document.waiting) {
      await ask(question, tools);
      return undefined;
    }
    // It no longer waits for another.
    const asks = await tools.documents.move(document, 'uploaded', {}, { remove: ['waiting'] });
    await ask({ ...question, document: asks ?? document }, tools);
    return undefined;
  }
}

/**
 * Claims the question of a document that comes for the first time without looking for an answer first: most contents
 * are new. One that must not or need not ask looks first: a refused claim costs as much as the answer is long.
 * @returns undefined when nothing was tried
 */
async function claimUnseen(
  { waiting, attempts }: DocumentIn<'uploaded'>,
  ref: AnswerRef,
  asker: Asker,
  tools: SummarizeTools,
) {
  if (waiting || attempts.summarize) return undefined;
  if (!(await tools.circuits.areFree('claude', 'summarize'))) return undefined;
  return claiming(ref, tools, (owner) => tools.answers.claimNew(ref, asker, owner, tools.leaseMs));
}

/** A claim. One that failed may have taken effect: then the lease is given back, and no call is counted. */
async function claiming<T>(
  ref: AnswerRef,
  tools: SummarizeTools,
  claim: (owner: string) => Promise<T>,
): Promise<T> {
  const owner = tools.owner();
  try {
    return await claim(owner);
  } catch (error) {
    await giveBack(ref, { owner }, false, tools);
    throw error;
  }
}

const askerOf = (
  { documentId, order, key, parent }: DocumentItem,
  { model, name }: Profile,
): Asker => ({
  documentId,
  order,
  model,
  profile: name,
  // Of a part, the folder of what was dropped: the names inside a mail or archive are its text.
  prefix: folderOf(parent ? key.replace(/!([a-z2-7]{12})?\/.*$/s, '') : key),
});

const folderOf = (key: string): string => key.slice(0, key.lastIndexOf('/') + 1);

/**
 * A newer event came first. Releases the content once more, because this version may have asked, or written its
 * answer, after the release that the newer version sent; and if it died asking, one of those that wait asks instead.
 */
async function leave(
  present: DocumentItem | undefined,
  message: Extract<StepMessage, { step: 'summarize' }>,
  tools: SummarizeTools,
): Promise<Outcome> {
  const { contentSha256, contentId, documentId, order } = message;
  if (!contentSha256) return done;
  const id = contentId ?? contentSha256;
  for (const seen of await tools.answers.ofContent(id)) {
    const ref = { contentId: id, question: seen.question };
    if (seen.state !== 'asking') {
      if (isAsker(message, seen)) await recordReply(ref, seen, tools);
    } else if (seen.awaited && (seen.leaseUntil < tools.now() || isLeftUnsent(seen))) {
      await tools.send({ step: 'wake', ...ref, one: true });
    }
  }
  if (mayReusePast(present, message)) return done;
  await tools.send({
    step: 'release',
    documentId,
    order,
    ...contentName(id),
    ...(present?.status === 'removed' ? { purge: true } : {}),
  });
  return done;
}

/** Left to a batch that does not have it yet: if this version died before it put it there, one of those that wait does. */
const isLeftUnsent = ({ batchLine, batchName }: AnswerIn<'asking'>): boolean =>
  batchLine !== undefined && batchName === undefined;

/** Documents that one message wakes before it sends another to continue. */
const wokenAtOnce = 100;

/** Wakes the documents that wait for an answer: each finds it, or asks in its turn. */
export async function wake(
  { contentId, question, one, cursor }: Extract<StepMessage, { step: 'wake' }>,
  tools: SummarizeTools,
): Promise<Outcome> {
  const page = await tools.contents.references(contentId, { limit: wokenAtOnce, cursor });
  const waiting = page.references.filter(({ waitsFor }) => waitsFor === question);
  const woken = one ? waiting.slice(0, 1) : waiting;
  for (const { documentId, order } of woken) {
    await tools.send({ step: 'summarize', documentId, order, ...contentName(contentId) });
  }
  if (page.cursor && !(one && woken.length > 0)) {
    await tools.send({
      step: 'wake',
      contentId,
      question,
      ...(one ? { one } : {}),
      cursor: page.cursor,
    });
  }
  return done;
}
