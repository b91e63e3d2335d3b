import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { ApiRequest, JsonReply, StreamReply } from './api-request.ts';
import { ClaudeReplyError } from './errors.ts';
import type { ClaudeOptions, Timeouts } from './options.ts';
import { type RetryKind, type RetryPolicy, withRetries } from './retry.ts';
import { Transport } from './transport.ts';

/** Options of every call. */
export interface CallOptions {
  /** Aborts the call, including its waits, with `ClaudeAbortedError`. */
  signal?: AbortSignal | undefined;
  /** Milliseconds for one attempt, in place of the client's setting. */
  timeoutMs?: number | undefined;
}

/** A call before its options are applied. */
export type CallSpec = Omit<ApiRequest, 'timeoutMs' | 'signal'> & { kind: RetryKind };

/** Makes calls: attempts, retries by the rules of their kind, and validation of the reply. */
export class Caller {
  readonly #policy: RetryPolicy;
  readonly #transport: Transport;
  readonly #onSuccess: ClaudeOptions['onSuccess'];

  /** Throws `ClaudeSetupError` when the base URL is not an http or https address. */
  constructor(options: ClaudeOptions) {
    this.#transport = new Transport(options);
    this.#onSuccess = options.onSuccess;
    this.#policy = {
      maxRetries: options.maxRetries ?? 2,
      maxWaitMs: options.maxRetryWaitMs ?? 20_000,
      sleep: options.sleep ?? ((ms, signal) => delay(ms, undefined, signal ? { signal } : {})),
      random: options.random ?? Math.random,
    };
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }

  /** A call whose reply is JSON that matches `schema`. Throws `ClaudeReplyError` when it does not. */
  async json<S extends z.ZodType>(
    schema: S,
    call: CallSpec,
    options: CallOptions,
    time: keyof Timeouts = 'callMs',
  ): Promise<z.output<S>> {
    const request = this.#request(call, options, time);
    const reply = await this.#run(call, options, () => this.#transport.json(request));
    const value = checked(schema, reply);
    this.#onSuccess?.({ api: call.api, kind: call.kind });
    return value;
  }

  /** A call whose reply is read as a stream. Retried until the reply begins, not after. */
  async stream(call: CallSpec, options: CallOptions): Promise<StreamReply> {
    const request = this.#request(call, options, 'callMs');
    return this.#run(call, options, () => this.#transport.stream(request));
  }

  #request(call: CallSpec, { timeoutMs, signal }: CallOptions, time: keyof Timeouts): ApiRequest {
    return { ...call, signal, timeoutMs: timeoutMs ?? this.#transport.timeouts[time] };
  }

  async #run<T>(
    { kind }: CallSpec,
    { signal }: CallOptions,
    attempt: () => Promise<T>,
  ): Promise<T> {
    return withRetries(attempt, { kind, policy: this.#policy, signal });
  }
}

/** The reply's value, validated by `schema`. Throws `ClaudeReplyError`. */
export function checked<S extends z.ZodType>(
  schema: S,
  { value, requestId }: JsonReply,
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ClaudeReplyError(`Unexpected reply: ${z.prettifyError(result.error)}`, { requestId });
}

/** An id as a path segment. Throws RangeError for an id that would change the path. */
export function segment(id: string): string {
  if (id === '' || id === '.' || id === '..') {
    throw new RangeError(`Not an id: ${JSON.stringify(id)}`);
  }
  return encodeURIComponent(id);
}

/** The cursor of the next page of an id-paged list; undefined at its end. Throws `ClaudeReplyError`. */
export function nextOf(list: {
  has_more: boolean;
  last_id?: string | null | undefined;
}): string | undefined {
  if (!list.has_more) return undefined;
  if (list.last_id) return list.last_id;
  throw new ClaudeReplyError('The list has more pages but no cursor to them.');
}
