import { stat } from 'node:fs/promises';
import { z } from 'zod';
import type { Batch, BatchRequest } from './batches.ts';
import { type Call, type Reply, readJson } from './call.ts';
import { invalid, notFound } from './errors.ts';
import { pageOf } from './models.ts';

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

function shapeOf(call: Call, batch: Batch): object {
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

async function batchOf(call: Call, settle: boolean): Promise<Batch> {
  const batch = call.world.batches.get(call.id);
  if (!batch) throw notFound(`Message batch not found: ${call.id}`);
  call.entry.batchId = batch.id;
  if (settle) await call.world.batches.settle(call.world, batch);
  return batch;
}

export async function createBatch(call: Call): Promise<Reply> {
  const { world } = call;
  const body = bodySchema.safeParse(await readJson(call, maxBodyBytes));
  if (!body.success) {
    const [issue] = body.error.issues;
    throw invalid(`${issue?.path.join('.') ?? 'requests'}: ${issue?.message ?? 'invalid'}`);
  }
  const requests: BatchRequest[] = body.data.requests;
  if (new Set(requests.map((request) => request.custom_id)).size < requests.length) {
    throw invalid('requests: custom_id must be unique in the batch');
  }
  const how = {
    id: world.newId('msgbatch'),
    createdAt: world.settings.now(),
    version: call.version,
    shape: call.shape,
  };
  const batch = await world.batches.create(requests, how);
  call.entry.batchId = batch.id;
  return { json: shapeOf(call, batch) };
}

export async function getBatch(call: Call): Promise<Reply> {
  return { json: shapeOf(call, await batchOf(call, true)) };
}

export async function listBatches(call: Call): Promise<Reply> {
  const { world, query } = call;
  for (const batch of world.batches.all()) await world.batches.settle(world, batch);
  return { json: pageOf(world.batches.all(), query, (batch) => shapeOf(call, batch)) };
}

export async function batchResults(call: Call): Promise<Reply> {
  const batch = await batchOf(call, true);
  if (batch.endedAt === null) throw invalid(`The results of ${batch.id} are not available yet`);
  const path = call.world.batches.resultsPath(batch);
  const { size } = await stat(path);
  return { body: { path, sizeBytes: size }, contentType: 'application/x-jsonl' };
}

export async function cancelBatch(call: Call): Promise<Reply> {
  const batch = await batchOf(call, true);
  if (batch.endedAt !== null) throw invalid(`${batch.id} has ended and cannot be canceled`);
  await call.world.batches.cancel(batch, call.world.settings.now());
  return { json: shapeOf(call, batch) };
}

export async function deleteBatch(call: Call): Promise<Reply> {
  const batch = await batchOf(call, true);
  if (batch.endedAt === null) throw invalid(`${batch.id} is in progress: cancel it first`);
  await call.world.batches.delete(batch);
  return { json: { id: batch.id, type: 'message_batch_deleted' } };
}
