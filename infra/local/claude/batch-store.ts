import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** Message Batches on disk: `batches/<id>/` with `batch.json`, `requests.jsonl` and `results.jsonl`. */

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

export type StoredBatch = z.infer<typeof batchSchema>;

/** The result of one request, as a line of the results holds it. */
export type StoredResult =
  | { type: 'succeeded'; message: object }
  | { type: 'errored'; error: object }
  | { type: 'canceled' | 'expired' };

export type BatchEnd = 'processed' | 'expired';

export interface StoredRequest {
  custom_id: string;
  params: Record<string, unknown>;
}

export class BatchStore {
  readonly #dir: string;
  readonly #batches = new Map<string, StoredBatch>();
  readonly #ending = new Map<string, Promise<void>>();

  private constructor(dataDir: string) {
    this.#dir = join(dataDir, 'batches');
  }

  static async open(dataDir: string): Promise<BatchStore> {
    const desk = new BatchStore(dataDir);
    await mkdir(desk.#dir, { recursive: true });
    const loaded: StoredBatch[] = [];
    for (const id of await readdir(desk.#dir)) {
      const text = await readFile(join(desk.#dir, id, 'batch.json'), 'utf8').catch(() => undefined);
      // Without batch.json the batch was never acknowledged.
      if (text === undefined) await rm(join(desk.#dir, id), { recursive: true });
      else loaded.push(batchSchema.parse(JSON.parse(text)));
    }
    loaded.sort((a, b) => a.createdAt - b.createdAt);
    for (const batch of loaded) desk.#batches.set(batch.id, batch);
    return desk;
  }

  async create(
    requests: readonly StoredRequest[],
    how: Pick<StoredBatch, 'id' | 'createdAt' | 'version' | 'shape'>,
  ): Promise<StoredBatch> {
    const counts = {
      processing: requests.length,
      succeeded: 0,
      errored: 0,
      canceled: 0,
      expired: 0,
    };
    const batch: StoredBatch = { ...how, cancelInitiatedAt: null, endedAt: null, counts };
    await mkdir(join(this.#dir, batch.id));
    const lines = requests.map((request) => `${JSON.stringify(request)}\n`);
    await writeFile(this.#path(batch, 'requests.jsonl'), lines.join(''));
    await this.#save(batch);
    this.#batches.set(batch.id, batch);
    return batch;
  }

  /** Newest first. */
  all(): StoredBatch[] {
    return [...this.#batches.values()].reverse();
  }

  get(id: string): StoredBatch | undefined {
    return this.#batches.get(id);
  }

  resultsPath(batch: StoredBatch): string {
    return this.#path(batch, 'results.jsonl');
  }

  #path(batch: StoredBatch, name: string): string {
    return join(this.#dir, batch.id, name);
  }

  async #save(batch: StoredBatch): Promise<void> {
    const tmp = this.#path(batch, 'batch.tmp');
    await writeFile(tmp, JSON.stringify(batch));
    await rename(tmp, this.#path(batch, 'batch.json'));
  }

  async cancel(batch: StoredBatch, now: number): Promise<void> {
    batch.cancelInitiatedAt ??= now;
    await this.#save(batch);
  }

  async delete(batch: StoredBatch): Promise<void> {
    this.#batches.delete(batch.id);
    await rm(join(this.#dir, batch.id), { recursive: true });
  }

  /**
   * Answers every request of the batch and ends it. Calls for a batch that is already being ended
   * wait for that one run.
   */
  async end(
    batch: StoredBatch,
    now: () => number,
    answer: (request: StoredRequest) => Promise<StoredResult>,
  ): Promise<void> {
    const ending = this.#ending.get(batch.id) ?? this.#answerAll(batch, now, answer);
    this.#ending.set(batch.id, ending);
    await ending.finally(() => this.#ending.delete(batch.id));
  }

  async #answerAll(
    batch: StoredBatch,
    now: () => number,
    answer: (request: StoredRequest) => Promise<StoredResult>,
  ): Promise<void> {
    const lines = (await readFile(this.#path(batch, 'requests.jsonl'), 'utf8')).split('\n');
    const tmp = this.#path(batch, 'results.tmp');
    await writeFile(tmp, '');
    const counts = { processing: 0, succeeded: 0, errored: 0, canceled: 0, expired: 0 };
    let ready: string[] = [];

    // Backwards: results come in any order, and a client that relies on theirs should notice.
    for (const line of lines.reverse()) {
      if (line === '') continue;
      const request = JSON.parse(line) as StoredRequest;
      const result = await answer(request);
      counts[result.type]++;
      ready.push(`${JSON.stringify({ custom_id: request.custom_id, result })}\n`);
      if (ready.length < 100) continue;
      await appendFile(tmp, ready.join(''));
      ready = [];
    }
    await appendFile(tmp, ready.join(''));
    await rename(tmp, this.resultsPath(batch));
    batch.counts = counts;
    batch.endedAt = now();
    await this.#save(batch);
  }
}
