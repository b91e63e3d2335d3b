import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Caller, ConnectionFault, strike, type World } from './call.ts';
import { ApiError, invalid } from './errors.ts';
import { journalUsage, makeMessage } from './message.ts';
import { parseMessage } from './message-schema.ts';
import { refersToFiles } from './messages-api.ts';
import { checkMaxTokens, readPrompt } from './prompt.ts';

/**
 * Message Batches on disk. A batch is worked off when it is asked about after its time has come (or a
 * control says so), so that the clock passed in decides and a killed process loses nothing.
 */

const lifeMs = 24 * 3600 * 1000;

const batchSchema = z.object({
  id: z.string(),
  createdAt: z.number(),
  cancelInitiatedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  version: z.string(),
  shape: z.enum(['ga', 'beta']),
  counts: z.object({
    processing: z.number(),
    succeeded: z.number(),
    errored: z.number(),
    canceled: z.number(),
    expired: z.number(),
  }),
});

export type Batch = z.infer<typeof batchSchema>;
type Outcome = 'succeeded' | 'errored' | 'canceled' | 'expired';
export type BatchEnd = 'processed' | 'expired';

export interface BatchRequest {
  custom_id: string;
  params: Record<string, unknown>;
}

export class BatchDesk {
  readonly #dir: string;
  readonly #batches = new Map<string, Batch>();
  readonly #working = new Map<string, Promise<void>>();

  private constructor(dataDir: string) {
    this.#dir = join(dataDir, 'batches');
  }

  static async open(dataDir: string): Promise<BatchDesk> {
    const desk = new BatchDesk(dataDir);
    await mkdir(desk.#dir, { recursive: true });
    const loaded: Batch[] = [];
    for (const id of await readdir(desk.#dir)) {
      const text = await readFile(join(desk.#dir, id, 'batch.json'), 'utf8').catch(() => undefined);
      // Without its description the batch was never acknowledged.
      if (text === undefined) await rm(join(desk.#dir, id), { recursive: true });
      else loaded.push(batchSchema.parse(JSON.parse(text)));
    }
    loaded.sort((a, b) => a.createdAt - b.createdAt);
    for (const batch of loaded) desk.#batches.set(batch.id, batch);
    return desk;
  }

  async create(
    requests: readonly BatchRequest[],
    how: Pick<Batch, 'id' | 'createdAt' | 'version' | 'shape'>,
  ): Promise<Batch> {
    const counts = {
      processing: requests.length,
      succeeded: 0,
      errored: 0,
      canceled: 0,
      expired: 0,
    };
    const batch: Batch = { ...how, cancelInitiatedAt: null, endedAt: null, counts };
    await mkdir(join(this.#dir, batch.id));
    const lines = requests.map((request) => `${JSON.stringify(request)}\n`);
    await writeFile(this.#path(batch, 'requests.jsonl'), lines.join(''));
    await this.#save(batch);
    this.#batches.set(batch.id, batch);
    return batch;
  }

  /** Newest first. */
  all(): Batch[] {
    return [...this.#batches.values()].reverse();
  }

  get(id: string): Batch | undefined {
    return this.#batches.get(id);
  }

  resultsPath(batch: Batch): string {
    return this.#path(batch, 'results.jsonl');
  }

  #path(batch: Batch, name: string): string {
    return join(this.#dir, batch.id, name);
  }

  async #save(batch: Batch): Promise<void> {
    const tmp = this.#path(batch, 'batch.tmp');
    await writeFile(tmp, JSON.stringify(batch));
    await rename(tmp, this.#path(batch, 'batch.json'));
  }

  async cancel(batch: Batch, now: number): Promise<void> {
    batch.cancelInitiatedAt ??= now;
    await this.#save(batch);
  }

  async delete(batch: Batch): Promise<void> {
    this.#batches.delete(batch.id);
    await rm(join(this.#dir, batch.id), { recursive: true });
  }

  /** Works the batch off if its time has come; `as` ends it whatever the time. */
  async settle(world: World, batch: Batch, as?: BatchEnd): Promise<void> {
    if (batch.endedAt !== null) return;
    const now = world.settings.now();
    const dueAt = batch.createdAt + Math.min(world.settings.batchDelayMs, lifeMs);
    if (as === undefined && batch.cancelInitiatedAt === null && now < dueAt) return;

    const expires = as === 'expired' || (as === undefined && world.settings.batchDelayMs >= lifeMs);
    const fate =
      batch.cancelInitiatedAt !== null ? 'canceled' : expires ? 'expired' : ('process' as const);
    const working = this.#working.get(batch.id) ?? this.#work(world, batch, fate);
    this.#working.set(batch.id, working);
    await working.finally(() => this.#working.delete(batch.id));
  }

  async #work(world: World, batch: Batch, fate: 'process' | 'canceled' | 'expired'): Promise<void> {
    const lines = (await readFile(this.#path(batch, 'requests.jsonl'), 'utf8')).split('\n');
    const tmp = this.#path(batch, 'results.tmp');
    await writeFile(tmp, '');
    const counts = { processing: 0, succeeded: 0, errored: 0, canceled: 0, expired: 0 };

    let ready: string[] = [];

    // Backwards: results come in any order, and who relies on theirs should notice.
    for (const line of lines.reverse()) {
      if (line === '') continue;
      const request = JSON.parse(line) as BatchRequest;
      const result: { type: Outcome } =
        fate === 'process' ? await answerRequest(world, batch, request) : { type: fate };
      counts[result.type]++;
      ready.push(`${JSON.stringify({ custom_id: request.custom_id, result })}\n`);
      if (ready.length < 100) continue;
      await appendFile(tmp, ready.join(''));
      ready = [];
    }
    await appendFile(tmp, ready.join(''));
    await rename(tmp, this.resultsPath(batch));
    batch.counts = counts;
    batch.endedAt = world.settings.now();
    await this.#save(batch);
  }
}

async function answerRequest(
  world: World,
  batch: Batch,
  { custom_id: customId, params }: BatchRequest,
): Promise<{ type: Outcome }> {
  const requestId = world.newId('req');
  const path = `/v1/messages/batches/${batch.id}`;
  const entry = world.journal.open({
    at: new Date(world.settings.now()).toISOString(),
    method: 'BATCH',
    path,
    operation: 'batch.request',
    requestId,
    batchId: batch.id,
    customId,
  });
  const { shape } = batch;
  const caller: Caller = {
    world,
    method: 'BATCH',
    path,
    operation: 'batch.request',
    shape,
    entry,
    fault: undefined,
  };

  entry.durationMs = 0;
  try {
    const message = await answerOne(caller, batch, params);
    entry.status = 200;
    entry.delivered = true;
    const result = { type: 'succeeded' as const, message };
    return result;
  } catch (error) {
    if (error instanceof ConnectionFault && world.stop.aborted) throw error;
    const known = error instanceof ApiError ? error : new ApiError(500, String(error));
    entry.status = known.status;
    entry.errorType = known.type;
    entry.message = known.message;
    entry.delivered = true;
    const result = { type: 'errored' as const, error: known.body(requestId) };
    return result;
  }
}

async function answerOne(caller: Caller, batch: Batch, params: object): Promise<object> {
  const { world, entry } = caller;
  await strike(caller);
  const request = parseMessage(params, batch.version);
  entry.model = request.model;
  if (request.stream) throw invalid('stream: not supported in a batch');
  if (refersToFiles(request) && world.settings.batchFileIds === 'refuse') {
    throw invalid('file sources are not supported in a batch');
  }
  const prompt = await readPrompt(caller, request);
  checkMaxTokens(request.max_tokens, prompt.model);
  const message = await makeMessage(world, request, prompt, caller.fault, 'batch');
  entry.usage = journalUsage(message);
  entry.stopReason = message.stop_reason;
  return message;
}
