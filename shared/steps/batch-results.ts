import type { BatchResult } from '../claude/batches.ts';
import { NotFound } from '../claude/errors.ts';
import { outcomeOf } from '../claude/outcome.ts';
import { eachAtOnce } from '../journey/each-at-once.ts';
import { DroplineError } from '../journey/errors.ts';
import type { Profile } from '../journey/profiles.ts';
import type { AnswerIn, AnswerItem } from '../ledger/answer-item.ts';
import type { BatchItem, BatchLine } from '../ledger/batches.ts';
import { contentName } from '../ledger/content-id.ts';
import { type CostEntry, reservedOn } from '../ledger/costs.ts';
import { type KeptReply, keptReplyOf, stored } from './answer-store.ts';
import { type AskTools, wakeAll } from './ask.ts';
import { linesAtOnce, requestIn } from './batch-create.ts';
import { invalidBecause, invalidFields } from './questions.ts';
import { billedOf, unusableBecause } from './reply-outcome.ts';
import { recordReply, settleReserved } from './reserve.ts';

/**
 * Looks at a batch that exists at Claude. Once it has ended, applies its results as if each reply had come alone, then deletes
 * it at Claude, then forgets it. What a crash leaves is done again: a line that was dealt with is gone.
 * @param hasTime whether there is time for more lines
 * @returns the batch as it is now, or `undefined` when it is done with
 */
export async function collect(
  batch: BatchItem,
  tools: AskTools,
  hasTime: () => boolean,
): Promise<BatchItem | undefined> {
  const { batches, claude, log } = tools;
  const { batchId = '' } = batch;
  const gone = () => {
    const returned = { paid: true, singly: true };
    return batches.save({ ...batch, state: 'returning', returned });
  };
  try {
    const { status, counts, endedAt, createdAt } = await claude.batches.get(batchId);
    if (status !== 'ended') return batch;
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const at = endedAt ?? createdAt;
    let seen = 0;
    let group: BatchResult[] = [];
    const applyAll = async () => {
      await eachAtOnce(group, linesAtOnce, (result) => apply(result, batch, at, tools));
      group = [];
    };
    for await (const result of claude.batches.results(batchId)) {
      if (!hasTime()) return batch;
      seen += 1;
      group.push(result);
      if (group.length === linesAtOnce) await applyAll();
    }
    await applyAll();
    // A stream that ends early is read again at the next turn.
    if (seen < total) return batch;
    log.info('batch applied', { batchId, ...counts });
  } catch (thrown) {
    if (!(thrown instanceof NotFound)) throw thrown;
    if (!(await isEmpty(batch, tools))) {
      log.error('a batch is gone before its results were applied', { batchId });
      return gone();
    }
  }
  if (!(await isEmpty(batch, tools))) return gone();
  await claude.batches.delete(batchId);
  await batches.forget(batch);
  return undefined;
}

async function isEmpty({ name }: BatchItem, { batches }: AskTools): Promise<boolean> {
  for await (const _line of batches.lines(name)) return false;
  return true;
}

/** Gives back all that a batch holds which will not answer it; then deletes it at Claude and forgets it. */
export async function giveAllBack(batch: BatchItem, tools: AskTools): Promise<undefined> {
  const { batches, claude } = tools;
  const { name, batchId, returned = { paid: true, singly: true } } = batch;
  const lines: BatchLine[] = [];
  for await (const line of batches.lines(name)) lines.push(line);
  await eachAtOnce(lines, linesAtOnce, (line) => takeOut(line, batch, returned, tools));
  if (batchId !== undefined) await claude.batches.delete(batchId);
  await batches.forget(batch);
  return undefined;
}

/** What happens with the result of one line. `at` is the same whenever it is done, so that it is recorded once. */
async function apply(
  result: BatchResult,
  batch: BatchItem,
  at: string,
  tools: AskTools,
): Promise<void> {
  const line = await tools.batches.line(batch.name, result.customId);
  if (!line) return;
  if (result.type !== 'succeeded') {
    const { code, message } = whyNot(result);
    tools.log.warn('a batch did not answer: asking alone', { ...line.ref, code, reason: message });
    // What did not succeed is not billed.
    return takeOut(line, batch, { paid: false, singly: true }, tools);
  }
  const billed = { ...billedOf(result.message, tools, true), at };
  await settle(line, keptReplyOf(result.message, billed), tools);
  await tools.batches.dropLine(batch.name, line.id);
}

function whyNot(result: Exclude<BatchResult, { type: 'succeeded' }>) {
  if (result.type !== 'errored') return { code: result.type, message: `The line ${result.type}.` };
  const { error } = outcomeOf(result.error, 'summarize');
  return error instanceof DroplineError ? error : { code: 'errored', message: String(error) };
}

/**
 * Writes a reply into the answer, then its cost into the books, then wakes those that wait. Where the answer is gone, or
 * another has come first, only the cost is told.
 */
async function settle(line: BatchLine, kept: KeptReply, tools: AskTools): Promise<void> {
  const { ref } = line;
  for (;;) {
    const answer = await tools.answers.get(ref);
    if (!isInBatch(answer, line)) return settleLate(line, kept, answer, tools);
    const told = toldBy(line, kept);
    if (told.again) {
      const cut = await tools.batched.cut(line, line.calls, kept.billed, told.invalid);
      if (!cut) continue;
      await tools.costs.recordCut(ref, cut);
      await settleReserved(line, kept.billed, tools);
      return nudge(line, cut, tools);
    }
    const claimed = { ...answer, calls: line.calls };
    const reply = await stored(ref, claimed, kept, tools);
    const settled = await tools.answers.settle(ref, claimed, reply, kept.billed, told.error);
    if (!settled) continue;
    await recordReply(ref, settled, tools);
    await settleReserved(line, kept.billed, tools);
    if (settled.awaited) await wakeAll(ref, tools);
    return;
  }
}

/** The answer is not in the batch any more: a worker before this one has written the reply, or nobody wants it. */
async function settleLate(
  line: BatchLine,
  kept: KeptReply,
  answer: AnswerItem | undefined,
  tools: AskTools,
): Promise<void> {
  const { ref, life, calls, askedBy } = line;
  await settleReserved(line, kept.billed, tools);
  const mine = answer?.life === life ? answer : undefined;
  if (mine && mine.state !== 'asking' && mine.call === calls) {
    await recordReply(ref, mine, tools);
    if (mine.awaited) await wakeAll(ref, tools);
    return;
  }
  const { outcome } = toldBy(line, kept);
  const { profile, prefix } = askedBy;
  const entry: CostEntry = {
    ...kept.billed,
    profile,
    prefix,
    ...reservedOn(line, calls),
    outcome,
  };
  if (mine?.cut?.call === calls) await tools.costs.recordCut(ref, mine);
  else await tools.costs.record(ref, line, calls, entry);
  if (mine?.state !== 'asking') return;
  // A function that knows no batches has had it revoked.
  if (mine.revoked && mine.batchLine === line.id) await tools.answers.end(ref, mine.owner ?? '');
  else if (mine.leaseUntil >= tools.now()) return;
  await nudge(line, mine, tools);
}

/** What a reply means for its question, by the rules of a call that is made alone (steps/ask.ts). */
function toldBy(line: BatchLine, kept: KeptReply) {
  const { kind, hasMoreRoom } = line;
  const schema = kind === 'fields' ? requestIn(line).schema : undefined;
  const invalid = invalidBecause(kind, { schema } as Pick<Profile, 'schema'>, kept);
  const again = invalid !== undefined || (kept.stopReason === 'max_tokens' && hasMoreRoom);
  const why = invalid === undefined ? unusableBecause(kept) : invalidFields(invalid);
  const { category } = kept;
  const error = why && {
    code: why.code,
    message: why.message,
    ...(category === undefined ? {} : { category }),
  };
  const asked = invalid === undefined ? ('cut' as const) : ('invalid' as const);
  const outcome = again ? asked : error ? ('refused' as const) : ('answered' as const);
  return { again, invalid, error, outcome };
}

/** Takes a line out of its batch: the question is asked in another way, if anybody still wants it. */
async function takeOut(
  line: BatchLine,
  { name }: BatchItem,
  how: { paid: boolean; singly: boolean },
  tools: AskTools,
): Promise<void> {
  const { ref, life } = line;
  const out = await tools.batched.takeOut(line, how);
  await settleReserved(line, how.paid ? 'unseen' : 'nothing', tools);
  const answer = out ?? (await tools.answers.get(ref));
  const isOurs = answer?.life === life;
  if (how.paid) await tools.costs.recordUnknown(ref, line, line.unknownCalls);
  if (isOurs && answer.state === 'asking' && answer.leaseUntil < tools.now()) {
    await nudge(line, answer, tools);
  }
  await tools.batches.dropLine(name, line.id);
}

/** Has somebody ask: the document on whose behalf the question was left to the batch, or one of those that wait. */
async function nudge(
  { ref, askedBy }: BatchLine,
  { awaited }: Pick<AnswerItem, 'awaited'>,
  tools: AskTools,
): Promise<void> {
  const { documentId, order } = askedBy;
  const document = await tools.documents.get(documentId);
  if (document?.order === order && document.status === 'uploaded') {
    await tools.send({ step: 'summarize', documentId, order, ...contentName(ref.contentId) });
  } else if (awaited) {
    await tools.send({ step: 'wake', ...ref, one: true });
  }
}

const isInBatch = (answer: AnswerItem | undefined, line: BatchLine): answer is AnswerIn<'asking'> =>
  answer?.state === 'asking' && answer.batchLine === line.id && !answer.revoked;
