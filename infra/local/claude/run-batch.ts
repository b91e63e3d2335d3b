import type { BatchEnd, StoredBatch, StoredRequest, StoredResult } from './batch-store.ts';
import type { CallContext } from './call.ts';
import { ApiError, invalid } from './errors.ts';
import { journalUsage, makeMessage } from './message.ts';
import { parseMessage, refersToFiles } from './parse-message.ts';
import { checkMaxTokens, readPrompt } from './prompt.ts';
import type { EmulatorState } from './state.ts';
import { ConnectionFault, strike } from './strike.ts';

/**
 * Runs Message Batches. A batch runs when it is first read after its time has come, or when a control
 * says so: the clock passed in decides, and a killed process loses nothing.
 */

const lifeMs = 24 * 3600 * 1000;

/** Ends the batch if its time has come; with `as`, ends it whatever the time. */
export async function settleBatch(
  state: EmulatorState,
  batch: StoredBatch,
  as?: BatchEnd,
): Promise<void> {
  if (batch.endedAt !== null) return;
  const { now, batchDelayMs } = state.settings;
  const dueAt = batch.createdAt + Math.min(batchDelayMs, lifeMs);
  if (as === undefined && batch.cancelInitiatedAt === null && now() < dueAt) return;

  const expires = as === 'expired' || (as === undefined && batchDelayMs >= lifeMs);
  const fate = batch.cancelInitiatedAt !== null ? 'canceled' : expires ? 'expired' : 'process';
  await state.batches.end(batch, now, async (request) =>
    fate === 'process' ? answerRequest(state, batch, request) : { type: fate },
  );
}

async function answerRequest(
  state: EmulatorState,
  batch: StoredBatch,
  { custom_id: customId, params }: StoredRequest,
): Promise<StoredResult> {
  const requestId = state.newId('req');
  const path = `/v1/messages/batches/${batch.id}`;
  const entry = state.journal.open({
    at: new Date(state.settings.now()).toISOString(),
    method: 'BATCH',
    path,
    operation: 'batch.request',
    requestId,
    batchId: batch.id,
    customId,
  });
  const { shape } = batch;
  const context: CallContext = {
    state,
    method: 'BATCH',
    path,
    operation: 'batch.request',
    shape,
    entry,
    fault: undefined,
  };

  entry.durationMs = 0;
  try {
    const message = await answerOne(context, batch, params);
    entry.status = 200;
    entry.delivered = true;
    return { type: 'succeeded', message };
  } catch (error) {
    if (error instanceof ConnectionFault && state.stop.aborted) throw error;
    const known = error instanceof ApiError ? error : new ApiError(500, String(error));
    entry.status = known.status;
    entry.errorType = known.type;
    entry.message = known.message;
    entry.delivered = true;
    return { type: 'errored', error: known.body(requestId) };
  }
}

async function answerOne(
  context: CallContext,
  batch: StoredBatch,
  params: object,
): Promise<object> {
  const { state, entry } = context;
  await strike(context);
  const request = parseMessage(params, batch.version);
  entry.model = request.model;
  if (request.stream) throw invalid('stream: not supported in a batch');
  if (refersToFiles(request) && state.settings.batchFileIds === 'refuse') {
    throw invalid('file sources are not supported in a batch');
  }
  const prompt = await readPrompt(context, request);
  checkMaxTokens(request.max_tokens, prompt.model);
  const message = await makeMessage(state, request, prompt, context.fault, 'batch');
  entry.usage = journalUsage(message);
  entry.stopReason = message.stop_reason;
  return message;
}
