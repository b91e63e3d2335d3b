import type {
  Message,
  MessageCreateParamsNonStreaming,
} from '@anthropic-ai/sdk/resources/messages/messages';
import { type Caller, type CallOptions, checked, nextOf, segment } from './caller.ts';
import { type ClaudeApiError, ClaudeReplyError, NotFound } from './errors.ts';
import { linesOf } from './jsonl.ts';
import { readNestedError } from './read-error.ts';
import {
  asMessage,
  type Batch,
  batchLineSchema,
  batchListSchema,
  batchSchema,
  deletedSchema,
} from './schemas.ts';

/** A request within a batch; `custom_id` matches `^[a-zA-Z0-9_-]{1,64}$` and is unique in the batch. */
export interface BatchRequest {
  custom_id: string;
  params: MessageCreateParamsNonStreaming;
}

/** The result of one request of a batch. */
export type BatchResult =
  | { customId: string; type: 'succeeded'; message: Message }
  | { customId: string; type: 'errored'; error: ClaudeApiError }
  | { customId: string; type: 'canceled' | 'expired' };

const path = '/v1/messages/batches';

/**
 * Message Batches: half price, results within 24 hours. Throws the same errors as `ClaudeClient`.
 * Source: https://docs.claude.com/en/docs/build-with-claude/batch-processing.
 * @example
 * const { id } = await claude.batches.create([{ custom_id: 'a', params }]);
 * // Later, once `(await claude.batches.get(id)).status` is 'ended':
 * for await (const result of claude.batches.results(id)) console.log(result.customId, result.type);
 */
export class MessageBatches {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /**
   * Creates a batch. After an error whose `sent` is `maybe` the batch may exist: look for it with
   * `list` before creating another.
   * @param requests 1 to 100,000, at most 256 MB in all
   * @param betas additional values of `anthropic-beta`
   */
  async create(
    requests: readonly BatchRequest[],
    { betas, ...options }: CallOptions & { betas?: readonly string[] } = {},
  ): Promise<Batch> {
    return this.#caller.json(
      batchSchema,
      { kind: 'paid', api: 'batches', method: 'POST', path, json: { requests }, betas },
      options,
      'messageMs',
    );
  }

  /** The status and the counts of a batch. Throws `NotFound`. */
  async get(id: string, options: CallOptions = {}): Promise<Batch> {
    return this.#caller.json(
      batchSchema,
      { kind: 'idempotent', api: 'batches', method: 'GET', path: `${path}/${segment(id)}` },
      options,
    );
  }

  /**
   * One page of the workspace's batches, newest first.
   * @param from `next` of the previous page; the first page by default
   * @returns `next`, the cursor of the next page; undefined on the last page
   */
  async list({ from, ...options }: { from?: string | undefined } & CallOptions = {}): Promise<{
    batches: Batch[];
    next: string | undefined;
  }> {
    const query = new URLSearchParams(from === undefined ? {} : { after_id: from });
    const list = await this.#caller.json(
      batchListSchema,
      { kind: 'idempotent', api: 'batches', method: 'GET', path, query },
      options,
    );
    return { batches: list.data, next: nextOf(list) };
  }

  /** Cancels a batch; requests that have started are still finished and billed. Throws `NotFound`. */
  async cancel(id: string, options: CallOptions = {}): Promise<Batch> {
    return this.#caller.json(
      batchSchema,
      { kind: 'idempotent', api: 'batches', method: 'POST', path: `${path}/${segment(id)}/cancel` },
      options,
    );
  }

  /** Deletes an ended batch with its results. Idempotent: one that does not exist is deleted. */
  async delete(id: string, options: CallOptions = {}): Promise<void> {
    try {
      await this.#caller.json(
        deletedSchema,
        { kind: 'idempotent', api: 'batches', method: 'DELETE', path: `${path}/${segment(id)}` },
        options,
      );
    } catch (error) {
      if (!(error instanceof NotFound)) throw error;
    }
  }

  /**
   * The results of an ended batch, in any order, as a stream. Throws `InvalidRequest` before the batch
   * has ended, `ClaudeConnectionError` when the stream is cut, and `ClaudeReplyError` for a malformed line.
   */
  async *results(id: string, options: CallOptions = {}): AsyncGenerator<BatchResult> {
    const { body, requestId } = await this.#caller.stream(
      { kind: 'idempotent', api: 'batches', method: 'GET', path: `${path}/${segment(id)}/results` },
      options,
    );
    try {
      for await (const line of linesOf(body)) yield resultOf(line, requestId);
    } finally {
      body.destroy();
    }
  }
}

function resultOf(line: string, requestId: string | undefined): BatchResult {
  const value = parsed(line, requestId);
  const { custom_id: customId, result } = checked(batchLineSchema, { value, requestId });
  switch (result.type) {
    case 'succeeded':
      return { customId, type: result.type, message: asMessage(result.message) };
    case 'errored':
      return { customId, type: result.type, error: readNestedError(result.error) };
    default:
      return { customId, type: result.type };
  }
}

function parsed(line: string, requestId: string | undefined): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new ClaudeReplyError('A line of the batch results is not JSON.', { requestId, cause });
  }
}
