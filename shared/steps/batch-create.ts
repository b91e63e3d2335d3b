import type { BatchRequest } from '../claude/batches.ts';
import { outcomeOf } from '../claude/outcome.ts';
import { laneStopped } from '../journey/alarm-lines.ts';
import { eachAtOnce } from '../journey/each-at-once.ts';
import { DroplineError, RejectDocument, StopLane } from '../journey/errors.ts';
import { unpackReply } from '../ledger/answer-item.ts';
import type { BatchItem, BatchLine } from '../ledger/batches.ts';
import { LaneClosed } from '../ledger/circuit.ts';
import type { AskTools } from './ask.ts';
import { settleReserved } from './reserve.ts';

/** Lines that are worked on at the same time. */
export const linesAtOnce = 16;

/** What a line's request is packed as. */
export interface PackedRequest {
  params: BatchRequest['params'];
  schema?: Readonly<Record<string, unknown>>;
}

export const requestIn = ({ request }: BatchLine): PackedRequest =>
  unpackReply(request) as PackedRequest;

/**
 * Puts questions that wait into a batch until it is full. Order of writes for each, and what a crash after each leaves: (1) the
 * answer names the batch; (2) the line is in the batch; (3) it no longer waits. Whoever fills the batch next, or
 * another, finds the line still waiting and sees by (1) and (2) where it is.
 */
export async function fill(batch: BatchItem, tools: AskTools): Promise<BatchItem> {
  const { batches, batchRules } = tools;
  const held = { lines: 0, bytes: 0 };
  const count = ({ bytes }: BatchLine) => {
    held.lines += 1;
    held.bytes += bytes;
  };
  for await (const line of batches.lines(batch.name)) count(line);
  let group: BatchLine[] = [];
  const put = async () => {
    await eachAtOnce(group, linesAtOnce, (line) => putInto(line, batch, tools));
    group = [];
  };
  for await (const line of batches.waiting()) {
    const { maxLines, maxBytes } = batchRules;
    if (held.lines >= maxLines || (held.lines > 0 && held.bytes + line.bytes > maxBytes)) break;
    count(line);
    group.push(line);
    if (group.length === linesAtOnce) await put();
  }
  await put();
  return batches.save({ ...batch, state: 'full' });
}

async function putInto(line: BatchLine, { name }: BatchItem, tools: AskTools): Promise<void> {
  const { answers, batched, batches } = tools;
  if (!(await batched.assign(line, name))) {
    const seen = await answers.get(line.ref);
    const waits = seen?.state === 'asking' && seen.batchLine === line.id && !seen.revoked;
    if (!waits) {
      // Its content was removed, or its worker took it back: it was certainly not asked.
      await settleReserved(line, 'nothing', tools);
      return batches.dropWaiting(line.id);
    }
    const { batchName } = seen;
    if (batchName !== name) {
      const isThere = batchName !== undefined && (await batches.line(batchName, line.id));
      if (isThere) return batches.dropWaiting(line.id);
      // That batch was made without it: whoever filled it died in between.
      if (!(await batched.assign(line, name, batchName))) return;
    }
  }
  await batches.putLine(name, line);
  await batches.dropWaiting(line.id);
}

/**
 * Creates a batch at Claude. That it may exist is written down before the call, and its id after it.
 * @returns the batch as it is now, or `undefined` when nothing is in it
 */
export async function create(batch: BatchItem, tools: AskTools): Promise<BatchItem | undefined> {
  const { batches, claude, circuits, log } = tools;
  const lines: BatchLine[] = [];
  for await (const line of batches.lines(batch.name)) lines.push(line);
  if (lines.length === 0) {
    await batches.forget(batch);
    return undefined;
  }
  const again = { paid: false, singly: false };
  try {
    await circuits.check('claude');
    await circuits.check('summarize');
  } catch (error) {
    if (!(error instanceof LaneClosed)) throw error;
    // Each of its documents finds the lane stopped, and is held.
    return batches.save({ ...batch, state: 'returning', returned: again });
  }
  const tried: BatchItem = {
    ...batch,
    state: 'creating',
    lines: lines.length,
    triedAt: tools.now(),
  };
  await batches.save(tried);
  const requests = lines.map((line) => ({ custom_id: line.id, params: requestIn(line).params }));
  try {
    const { id } = await claude.batches.create(requests, { timeoutMs: tools.callTimeoutMs });
    log.info('batch created', { batchId: id, lines: lines.length });
    return await batches.save({ ...tried, state: 'open', batchId: id });
  } catch (thrown) {
    const { error, mayBePaid } = outcomeOf(thrown, 'summarize');
    const { code, message } = error instanceof DroplineError ? error : new Unexpected(error);
    const about = { batch: batch.name, lines: lines.length, code, reason: message };
    // It may exist: it is looked for at the next turn.
    if (mayBePaid) log.warn('nobody knows whether a batch was created', about);
    if (mayBePaid) return tried;
    if (error instanceof StopLane) {
      const isNew = !(error instanceof LaneClosed);
      const stopped = !isNew || (await circuits.open(error, tools.heldMs, undefined, 'summarize'));
      if (stopped) {
        log.error(laneStopped, about);
        return batches.save({ ...batch, state: 'returning', returned: again });
      }
    } else if (error instanceof RejectDocument) {
      log.warn('Claude does not take the batch: asking one by one', about);
      return batches.save({
        ...batch,
        state: 'returning',
        returned: { paid: false, singly: true },
      });
    }
    log.info('the batch is created later', about);
    return batches.save({ ...batch, state: 'full' });
  }
}

class Unexpected {
  readonly code = 'summarize.internal';
  readonly message: string;

  constructor(error: unknown) {
    this.message = String(error);
  }
}

/** The clock of the API may differ from ours by this much, in milliseconds. */
const skewMs = 5 * 60_000;

/** After how long a batch that is not listed was certainly not created, in milliseconds: no request is under way then. */
const settledMs = 10 * 60_000;

/**
 * Looks for a batch whose creation was not seen to end. Only its results name its questions, so one of as many questions that
 * is not ours is told apart once it has ended; until then nothing is created anew. Nothing is lost by that wait: the
 * results are needed anyway.
 * @returns the batch as it is now
 */
export async function find(batch: BatchItem, tools: AskTools): Promise<BatchItem> {
  const { batches, claude } = tools;
  const { triedAt = batch.madeAt } = batch;
  const others = new Set((await batches.all()).map(({ batchId }) => batchId));
  let undecided = tools.now() < triedAt + settledMs;
  let from: string | undefined;
  do {
    const page = await claude.batches.list({ from });
    from = page.next;
    for (const { id, status, counts, createdAt } of page.batches) {
      if (Date.parse(createdAt) < triedAt - skewMs) {
        from = undefined;
        break;
      }
      const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
      if (total !== batch.lines || others.has(id)) continue;
      if (status !== 'ended') undecided = true;
      else if (await isOurs(id, batch, tools)) {
        tools.log.info('batch found', { batchId: id, lines: batch.lines });
        return batches.save({ ...batch, state: 'open', batchId: id });
      }
    }
  } while (from !== undefined);
  return undecided ? batch : batches.save({ ...batch, state: 'full' });
}

/** Whether the first result of a batch is that of a line of ours. */
async function isOurs(id: string, { name }: BatchItem, tools: AskTools): Promise<boolean> {
  for await (const { customId } of tools.claude.batches.results(id)) {
    return (await tools.batches.line(name, customId)) !== undefined;
  }
  return false;
}
