import { PassThrough, pipeline, type Readable } from 'node:stream';
import { Agent, type Dispatcher, errors as undiciErrors } from 'undici';
import type { ApiRequest, JsonReply, StreamReply } from './api-request.ts';
import { connector } from './connect.ts';
import { Deadline } from './deadline.ts';
import { onRequestStart, readAvailable } from './dispatch.ts';
import {
  ClaudeAbortedError,
  ClaudeConnectionError,
  ClaudeError,
  ClaudeReplyError,
  ClaudeSetupError,
  ClaudeTimeoutError,
  markUnsent,
  type Sent,
} from './errors.ts';
import { headerOf } from './headers.ts';
import { type ClaudeOptions, defaultTimeouts, type Timeouts } from './options.ts';
import { type ClaudeApi, readRateLimits } from './rate-limits.ts';
import { readError } from './read-error.ts';

/** Selects the beta form of the Files API, on Files calls and on those that use a `file_id`. */
const filesBeta = 'files-api-2025-04-14';

/** How far an attempt got; explains its failure. */
interface Progress {
  sent: Sent;
  status?: number;
  requestId?: string | undefined;
}

/** Makes single attempts at calls: no retries, no knowledge of a reply's content. */
export class Transport {
  readonly timeouts: Timeouts;
  readonly #options: ClaudeOptions;
  readonly #origin: string;
  readonly #prefix: string;
  readonly #dispatcher: Dispatcher;
  readonly #now: () => number;

  constructor(options: ClaudeOptions) {
    this.#options = options;
    this.timeouts = { ...defaultTimeouts, ...options.timeouts };
    this.#now = options.now ?? Date.now;
    const url = URL.parse(options.baseUrl);
    if (url === null || !/^https?:$/.test(url.protocol)) {
      throw new ClaudeSetupError(
        `The base URL is not an http or https address: ${options.baseUrl}`,
      );
    }
    this.#origin = url.origin;
    this.#prefix = url.pathname.replace(/\/$/, '');
    this.#dispatcher =
      options.dispatcher ??
      new Agent({
        // HTTP/1.1 only: an upload is one stream with an exact length, which HTTP/2 does not speed up,
        // and `sent` is certain only when a request has a connection to itself.
        connect: connector({ allowH2: false, timeout: this.timeouts.connectMs }),
      });
  }

  /** Closes the client's own connections once their calls have ended. */
  async close(): Promise<void> {
    if (this.#options.dispatcher === undefined) await this.#dispatcher.close();
  }

  /** One attempt whose 2xx reply is parsed as JSON. Throws `ClaudeError`, or what the upload's body threw. */
  async json(request: ApiRequest): Promise<JsonReply> {
    return this.#attempt(request, async (reply, { requestId }, deadline) => {
      const text = await reply.body.text();
      deadline.end();
      try {
        const value: unknown = JSON.parse(text);
        return { value, requestId };
      } catch (cause) {
        throw new ClaudeReplyError('The reply is not JSON.', { requestId, cause });
      }
    });
  }

  /** One attempt whose 2xx reply is left as a stream. Its time limit ends when the reply begins. */
  async stream(request: ApiRequest): Promise<StreamReply> {
    return this.#attempt(request, async (reply, progress, deadline) => {
      deadline.stopClock();
      const body = new PassThrough({
        destroy: (error, callback) => {
          const explained = error && this.#explain(error, request, progress, deadline);
          callback(explained instanceof Error ? explained : error);
        },
      });
      // A pipeline closes the connection when the reader stops, even while nothing arrives. Its own
      // error report is not needed: the error is in the body, for whoever reads it.
      pipeline(reply.body, body, () => deadline.end());
      body.on('error', () => undefined);
      const length = Number(headerOf(reply.headers, 'content-length') ?? Number.NaN);
      return {
        body,
        mimeType: headerOf(reply.headers, 'content-type'),
        sizeBytes: Number.isSafeInteger(length) ? length : undefined,
        requestId: progress.requestId,
      };
    });
  }

  async #attempt<T>(
    request: ApiRequest,
    read: (reply: Dispatcher.ResponseData, progress: Progress, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const progress: Progress = { sent: 'no' };
    let deadline: Deadline | undefined;
    try {
      const headers = await this.#headers(request);
      await this.#options.admit?.(request.api, request.signal);
      deadline = new Deadline(request.timeoutMs, request.signal);
      const reply = await this.#send(request, headers, progress, deadline);
      if (reply.statusCode >= 200 && reply.statusCode < 300) {
        return await read(reply, progress, deadline);
      }
      const text = await readAvailable(reply.body);
      throw readError(reply.statusCode, reply.headers, text, this.#now());
    } catch (error) {
      deadline?.end();
      throw this.#explain(error, request, progress, deadline);
    } finally {
      request.upload?.dispose();
    }
  }

  async #send(
    request: ApiRequest,
    headers: Record<string, string>,
    progress: Progress,
    deadline: Deadline,
  ): Promise<Dispatcher.ResponseData> {
    const query = request.query?.size ? `?${request.query}` : '';
    // undici takes any async iterable as a body; its types only name streams.
    const body =
      request.json === undefined
        ? ((request.upload?.chunks ?? null) as Readable | null)
        : Buffer.from(JSON.stringify(request.json));
    const dispatcher = onRequestStart(this.#dispatcher, () => {
      // undici drops a request that was aborted before this point without writing it.
      if (!deadline.signal.aborted) progress.sent = 'maybe';
    });
    // undici checks the signal only once it is connected, which can take long.
    const reply = await deadline.orEnd(() =>
      dispatcher.request({
        origin: this.#origin,
        path: `${this.#prefix}${request.path}${query}`,
        method: request.method,
        headers,
        body,
        signal: deadline.signal,
        headersTimeout: 0,
        bodyTimeout: this.timeouts.idleMs,
      }),
    );
    progress.status = reply.statusCode;
    progress.requestId = headerOf(reply.headers, 'request-id');
    this.#observe(request.api, reply);
    return reply;
  }

  async #headers(request: ApiRequest): Promise<Record<string, string>> {
    const { apiKey, anthropicVersion, userAgent, dialect } = this.#options;
    // Stored secrets often end in a line break.
    const key = (typeof apiKey === 'string' ? apiKey : await apiKey()).trim();
    if (!/^[\x21-\x7e]+$/.test(key)) {
      throw new ClaudeSetupError('The API key is empty or has invalid characters.');
    }
    const headers: Record<string, string> = {
      'x-api-key': key,
      'anthropic-version': anthropicVersion ?? '2023-06-01',
      'user-agent': userAgent ?? 'dropline',
      accept: 'application/json',
    };
    const betas = [...(request.betas ?? [])];
    if (dialect === 'beta' && request.api !== 'models') betas.unshift(filesBeta);
    if (betas.length > 0) headers['anthropic-beta'] = betas.join(',');
    if (request.json !== undefined) headers['content-type'] = 'application/json';
    if (request.upload !== undefined) {
      headers['content-type'] = request.upload.contentType;
      headers['content-length'] = String(request.upload.contentLength);
    }
    return headers;
  }

  #observe(api: ClaudeApi, { statusCode: status, headers }: Dispatcher.ResponseData): void {
    const { onRateLimits } = this.#options;
    if (onRateLimits === undefined) return;
    const limits = readRateLimits(headers, { api, status, now: this.#now() });
    if (limits === undefined) return;
    try {
      onRateLimits(limits);
    } catch (error) {
      // A broken observer must not lose a reply that may have been billed.
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  }

  /** Turns undici's errors into ours. Passes on our own errors and those of the file's body. */
  #explain(
    error: unknown,
    request: ApiRequest,
    progress: Progress,
    deadline: Deadline | undefined,
  ): unknown {
    if (error instanceof ClaudeError) return error;
    const details = { ...progress, cause: error };
    if (request.signal?.aborted) {
      return new ClaudeAbortedError('The call was aborted by its caller.', details);
    }
    if (deadline?.timedOut) {
      return new ClaudeTimeoutError(
        `No complete response within ${request.timeoutMs} ms.`,
        details,
      );
    }
    // Before the attempt began: `apiKey` or `admit` threw.
    if (deadline === undefined) {
      markUnsent(error);
      return error;
    }
    const failure = request.upload?.failure();
    if (failure !== undefined) return failure.error;
    if (error instanceof undiciErrors.InvalidArgumentError) return error;
    if (error instanceof undiciErrors.BodyTimeoutError) {
      const text = `The reply stalled for ${this.timeouts.idleMs} ms.`;
      return new ClaudeTimeoutError(text, details);
    }
    return new ClaudeConnectionError(describe(error, progress), details);
  }
}

function describe(error: unknown, { sent, status }: Progress): string {
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  if (sent === 'no') return `Could not connect to the Claude API${code}.`;
  return status === undefined
    ? `The connection to the Claude API was lost before the response${code}.`
    : `The connection to the Claude API was lost during the response${code}.`;
}
