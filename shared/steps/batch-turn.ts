import type { StepMessage } from '../journey/messages.ts';
import { done, type Outcome } from '../journey/outcome.ts';
import type { BatchItem } from '../ledger/batches.ts';
import type { AskTools } from './ask.ts';
import { create, fill, find } from './batch-create.ts';
import { callBatches } from './batch-line.ts';
import { collect, giveAllBack } from './batch-results.ts';

/** What is kept of an invocation's time for the end of a turn, in milliseconds. */
const reserveMs = 60_000;

/**
 * One look at the Message Batches: moves each of them on as far as it goes now, and makes new ones of what has waited for long
 * enough. No worker waits for a batch: while there is something to look after, each turn sends the message of the
 * next. A turn is one worker's alone, so batches need no other lock; where its chain breaks, the next question or the
 * reconciler begins another.
 */
export async function batchTurn(
  { turn }: Extract<StepMessage, { step: 'batch' }>,
  tools: AskTools,
): Promise<Outcome> {
  const { batches, batchRules, log } = tools;
  const owner = tools.owner();
  const began = tools.now();
  if (!(await batches.take(turn, owner, tools.leaseMs))) return done;
  const hasTime = () => tools.now() - began < tools.callTimeoutMs - reserveMs;
  let isBusy = true;
  try {
    for (const batch of await batches.all()) await advance(batch, tools, hasTime);
    while (hasTime() && (await isDue(tools))) {
      const name = `${String(tools.now()).padStart(15, '0')}-${owner}-${turn}`;
      const batch = await batches.save({ name, state: 'filling', madeAt: tools.now(), lines: 0 });
      await advance(batch, tools, hasTime);
    }
    isBusy = await hasWork(tools);
  } catch (error) {
    log.warn('a look at the batches failed', { error: String(error) });
  }
  const next = isBusy ? tools.now() + batchRules.everyMs : undefined;
  if (!(await batches.end(owner, next))) return done;
  if (next !== undefined) await tools.send({ step: 'batch', turn: next }, batchRules.everyMs);
  // A question may have come since, and trusted in this turn.
  else if (await hasWork(tools)) await callBatches(tools);
  return done;
}

/** Moves a batch on as far as it goes now. What fails is tried again at the next turn, and keeps no other batch waiting. */
async function advance(batch: BatchItem, tools: AskTools, hasTime: () => boolean): Promise<void> {
  let at: BatchItem | undefined = batch;
  try {
    while (at && hasTime()) {
      const from: BatchItem = at;
      at = await step(from, tools, hasTime);
      // It stays as it is, or Claude works on it.
      if (at?.state === from.state || (from.state === 'full' && at?.state !== 'returning')) return;
    }
  } catch (error) {
    const { name, state, batchId } = at ?? batch;
    tools.log.warn('a batch could not be moved on yet', {
      batch: name,
      state,
      batchId,
      error: String(error),
    });
  }
}

function step(
  batch: BatchItem,
  tools: AskTools,
  hasTime: () => boolean,
): Promise<BatchItem | undefined> {
  switch (batch.state) {
    case 'filling':
      return fill(batch, tools);
    case 'full':
      return create(batch, tools);
    case 'creating':
      return find(batch, tools);
    case 'open':
      return collect(batch, tools, hasTime);
    case 'returning':
      return giveAllBack(batch, tools);
  }
}

/** Whether enough questions wait for a batch, or one waits for long enough. */
async function isDue({ batches, batchRules, now }: AskTools): Promise<boolean> {
  let lines = 0;
  let bytes = 0;
  for await (const line of batches.waiting()) {
    lines += 1;
    bytes += line.bytes;
    if (line.since <= now() - batchRules.everyMs) return true;
    if (lines >= batchRules.maxLines || bytes >= batchRules.maxBytes) return true;
  }
  return false;
}

/** Whether anything waits for a batch or is in one. */
export async function hasWork({ batches }: Pick<AskTools, 'batches'>): Promise<boolean> {
  if ((await batches.all()).length > 0) return true;
  for await (const _line of batches.waiting()) return true;
  return false;
}
