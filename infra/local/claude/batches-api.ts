import { stat } from 'node:fs/promises';
import { z } from 'zod';
import type { StoredBatch, StoredRequest } from './batch-store.ts';
import type { ApiCall, Reply } from './call.ts';
import { invalid, notFound } from './errors.ts';
import { pageOf } from './paging.ts';
import { readJson } from './request-body.ts';
import { settleBatch } from './run-batch.ts';

/** `/v1/messages/batches`: create, list, read, results, cancel, delete. */

const maxBodyBytes = 256 * 1024 * 1024;
const maxRequests = 100_000;
const lifeMs = 24 * 3600 * 1000;

const bodySchema = z.strictObject({
  requests: z
    .array(
      z.strictObject({
        custom_id: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
        params: z.record(z.string(), z.unknown()),
      }),
    )
    .min(1)
    .max(maxRequests),
});

function shapeOf(call: ApiCall, batch: StoredBatch): object {
  const time = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  const ended = batch.endedAt !== null;
  const origin = `http://${call.req.headers.host ?? 'localhost'}`;
  const running = batch.cancelInitiatedAt === null ? 'in_progress' : 'canceling';
  return {
    id: batch.id,
    type: 'message_batch',
    processing_status: ended ? 'ended' : running,
    request_counts: batch.counts,
    created_at: time(batch.createdAt),
    expires_at: time(batch.createdAt + lifeMs),
    ended_at: time(batch.endedAt),
    cancel_initiated_at: time(batch.cancelInitiatedAt),
    archived_at: null,
    results_url: ended ? `${origin}/v1/messages/batches/${batch.id}/results` : null,
  };
}

async function batchOf(call: ApiCall, settle: boolean): Promise<StoredBatch> {
  const batch = call.state.batches.get(call.id);
  if (!batch) throw notFound(`Message batch not found: ${call.id}`);
  call.entry.batchId = batch.id;
  if (settle) await settleBatch(call.state, batch);
  return batch;
}

export async function createBatch(call: ApiCall): Promise<Reply> {
  const { state } = call;
  const body = bodySchema.safeParse(await readJson(call, maxBodyBytes));
  if (!body.success) {
    const [issue] = body.error.issues;
    throw invalid(`${issue?.path.join('.') ?? 'requests'}: ${issue?.message ?? 'invalid'}`);
  }
  const requests: StoredRequest[] = body.data.requests;
  if (new Set(requests.map((request) => request.custom_id)).size < requests.length) {
    throw invalid('requests: custom_id must be unique in the batch');
  }
  const how = {
    id: state.newId('msgbatch'),
    createdAt: state.settings.now(),
    version: call.version,
    shape: call.shape,
  };
  const batch = await state.batches.create(requests, how);
  call.entry.batchId = batch.id;
  return { json: shapeOf(call, batch) };
}

export async function getBatch(call: ApiCall): Promise<Reply> {
  return { json: shapeOf(call, await batchOf(call, true)) };
}

export async function listBatches(call: ApiCall): Promise<Reply> {
  const { state, query } = call;
  for (const batch of state.batches.all()) await settleBatch(state, batch);
  return { json: pageOf(state.batches.all(), query, (batch) => shapeOf(call, batch)) };
}

export async function batchResults(call: ApiCall): Promise<Reply> {
  const batch = await batchOf(call, true);
  if (batch.endedAt === null) throw invalid(`The results of ${batch.id} are not available yet`);
  const path = call.state.batches.resultsPath(batch);
  const { size } = await stat(path);
  return { body: { path, sizeBytes: size }, contentType: 'application/x-jsonl' };
}

export async function cancelBatch(call: ApiCall): Promise<Reply> {
  const batch = await batchOf(call, true);
  if (batch.endedAt !== null) throw invalid(`${batch.id} has ended and cannot be canceled`);
  await call.state.batches.cancel(batch, call.state.settings.now());
  return { json: shapeOf(call, batch) };
}

export async function deleteBatch(call: ApiCall): Promise<Reply> {
  const batch = await batchOf(call, true);
  if (batch.endedAt === null) throw invalid(`${batch.id} is in progress: cancel it first`);
  await call.state.batches.delete(batch);
  return { json: { id: batch.id, type: 'message_batch_deleted' } };
}
