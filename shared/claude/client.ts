import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type {
  Message,
  MessageCountTokensParams,
  MessageCreateParamsNonStreaming,
} from '@anthropic-ai/sdk/resources/messages/messages';
import type { z } from 'zod';
import { MessageBatches } from './batches.ts';
import { Caller, type CallOptions, nextOf, segment } from './caller.ts';
import { ClaudeReplyError, ClaudeSetupError, NotFound } from './errors.ts';
import { multipartBody, type UploadFile } from './multipart.ts';
import type { ClaudeOptions, FilesDialect } from './options.ts';
import * as schemas from './schemas.ts';

export type { UploadFile } from './multipart.ts';
export type { ClaudeOptions, FilesDialect } from './options.ts';

/** One page of the remote files, newest first. */
export interface FilePage {
  files: schemas.FileMetadata[];
  /** Where the next page begins; undefined on the last. */
  next: string | undefined;
}

/** The content of a remote file. */
export interface Download {
  /** Fails with `ClaudeConnectionError` when it is cut. */
  body: Readable;
  mimeType: string | undefined;
  sizeBytes: number | undefined;
}

/** What a message call can be told. */
export interface MessageOptions extends CallOptions {
  /** Further values of `anthropic-beta`, such as that of a tool. */
  betas?: readonly string[] | undefined;
}

/**
 * The Claude API as Dropline uses it: Files in both dialects, Messages, and Message Batches.
 *
 * Calls throw a `ClaudeError` (see `errors.ts`) when the API refuses, cannot be reached, or answers in
 * an unexpected form; `outcomeOf` says what a step makes of one. What `apiKey`, `admit` and the body
 * of an upload throw reaches the caller as it is. Calls that repeat without harm are retried,
 * messages and batches only when the API certainly did not process them, uploads never.
 */
export class ClaudeClient {
  readonly batches: MessageBatches;
  readonly #dialect: FilesDialect;
  readonly #caller: Caller;

  /** Throws `ClaudeSetupError` when the base URL is no http or https address. */
  constructor(options: ClaudeOptions) {
    this.#dialect = options.dialect;
    this.#caller = new Caller(options);
    this.batches = new MessageBatches(this.#caller);
  }

  /** Closes the client's own connections once their calls have ended. */
  async close(): Promise<void> {
    await this.#caller.close();
  }

  /**
   * Uploads a file in one attempt, in constant memory and with an exact `Content-Length`. Never
   * retried: after an error whose `sent` is `maybe`, and after a `ClaudeReplyError`, the file may
   * exist, and whoever tries again first looks for it in the list.
   *
   * Throws `UploadSizeMismatch` when the body is not `sizeBytes` long, and what the body throws; in
   * both cases the API gets no whole request, so no file is made. An answer that comes before the
   * file is sent (413, 401) is thrown as what it says.
   */
  async uploadFile({
    signal,
    timeoutMs,
    ...file
  }: UploadFile & CallOptions): Promise<schemas.FileMetadata> {
    if (file.expiresInSeconds !== undefined) this.#needsGa('expiry of files');
    const upload = multipartBody(file, `dropline-${randomBytes(16).toString('hex')}`);
    return this.#caller.json(
      schemas.fileSchema,
      { kind: 'once', api: 'files', method: 'POST', path: '/v1/files', upload },
      { signal, timeoutMs },
      'uploadMs',
    );
  }

  /**
   * One page of the workspace's files, newest first.
   * @param from `next` of the page before; the first page when left out
   * @param limit 1 to 1,000 files; the API's default is 20
   */
  async listFiles({
    from,
    limit,
    ...options
  }: {
    from?: string | undefined;
    limit?: number | undefined;
  } & CallOptions = {}): Promise<FilePage> {
    const query = new URLSearchParams();
    if (limit !== undefined) query.set('limit', String(limit));
    if (this.#dialect === 'ga') {
      if (from !== undefined) query.set('page', from);
      const list = await this.#list(schemas.gaListSchema, query, options);
      return { files: list.data, next: list.next_page ?? undefined };
    }
    if (from !== undefined) query.set('after_id', from);
    const list = await this.#list(schemas.betaListSchema, query, options);
    return { files: list.data, next: nextOf(list) };
  }

  /** All files, newest first, fetched a page at a time. Files may come and go meanwhile. */
  async *iterateFiles({
    limit = 1_000,
    ...options
  }: { limit?: number } & CallOptions = {}): AsyncGenerator<schemas.FileMetadata> {
    let from: string | undefined;
    do {
      const page = await this.listFiles({ ...options, from, limit });
      yield* page.files;
      if (page.next !== undefined && page.next === from) {
        throw new ClaudeReplyError('The list of files does not get on: its next page is itself.');
      }
      from = page.next;
    } while (from !== undefined);
  }

  /**
   * Those of the given files that exist, in one call. Only in the ga dialect.
   * @param ids at most 100, else RangeError; with none, no call is made
   */
  async listFilesByIds(
    ids: readonly string[],
    options: CallOptions = {},
  ): Promise<schemas.FileMetadata[]> {
    this.#needsGa('looking up files by ids');
    const unique = new Set(ids);
    if (unique.size > 100) {
      throw new RangeError(`The API takes at most 100 ids, not ${unique.size}.`);
    }
    // Without ids the API would list everything.
    if (unique.size === 0) return [];
    const query = new URLSearchParams();
    for (const id of unique) query.append('ids[]', id);
    return (await this.#list(schemas.gaListSchema, query, options)).data;
  }

  /** A file's metadata. Throws `NotFound`. */
  async getFile(id: string, options: CallOptions = {}): Promise<schemas.FileMetadata> {
    return this.#caller.json(
      schemas.fileSchema,
      { kind: 'idempotent', api: 'files', method: 'GET', path: filePath(id) },
      options,
    );
  }

  /** Deletes a file. `gone` when it was not there any more, as after a retry of a lost answer. */
  async deleteFile(id: string, options: CallOptions = {}): Promise<'deleted' | 'gone'> {
    try {
      await this.#caller.json(
        schemas.deletedSchema,
        { kind: 'idempotent', api: 'files', method: 'DELETE', path: filePath(id) },
        options,
      );
      return 'deleted';
    } catch (error) {
      if (error instanceof NotFound) return 'gone';
      throw error;
    }
  }

  /**
   * The content of a file that a tool made (`downloadable`). For an uploaded file the API refuses
   * with `InvalidRequest` and the code `file_not_downloadable`.
   */
  async downloadFile(id: string, options: CallOptions = {}): Promise<Download> {
    const { body, mimeType, sizeBytes } = await this.#caller.stream(
      { kind: 'idempotent', api: 'files', method: 'GET', path: `${filePath(id)}/content` },
      options,
    );
    return { body, mimeType, sizeBytes };
  }

  /**
   * One message, paid for. `stop_reason` is for the caller to judge. After an error whose `sent` is
   * `maybe`, and after a `ClaudeReplyError`, it may have been paid without a reply.
   */
  async createMessage(
    params: MessageCreateParamsNonStreaming,
    { betas, ...options }: MessageOptions = {},
  ): Promise<Message> {
    const message = await this.#caller.json(
      schemas.messageSchema,
      { kind: 'paid', api: 'messages', method: 'POST', path: '/v1/messages', json: params, betas },
      options,
      'messageMs',
    );
    return schemas.asMessage(message);
  }

  /** The API's estimate of a message's input tokens. Free, with a rate of its own. */
  async countTokens(
    params: MessageCountTokensParams,
    { betas, ...options }: MessageOptions = {},
  ): Promise<number> {
    const path = '/v1/messages/count_tokens';
    const count = await this.#caller.json(
      schemas.tokenCountSchema,
      { kind: 'idempotent', api: 'count_tokens', method: 'POST', path, json: params, betas },
      options,
    );
    return count.input_tokens;
  }

  /** What a model can take. Throws `NotFound`. */
  async getModel(id: string, options: CallOptions = {}): Promise<schemas.ModelLimits> {
    return this.#caller.json(
      schemas.modelSchema,
      { kind: 'idempotent', api: 'models', method: 'GET', path: `/v1/models/${segment(id)}` },
      options,
    );
  }

  async #list<S extends z.ZodType>(
    schema: S,
    query: URLSearchParams,
    options: CallOptions,
  ): Promise<z.output<S>> {
    return this.#caller.json(
      schema,
      { kind: 'idempotent', api: 'files', method: 'GET', path: '/v1/files', query },
      options,
    );
  }

  #needsGa(what: string): void {
    if (this.#dialect === 'ga') return;
    throw new ClaudeSetupError(`The beta dialect of the Files API has no ${what}.`);
  }
}

function filePath(id: string): string {
  return `/v1/files/${segment(id)}`;
}
