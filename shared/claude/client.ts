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
  /** Cursor of the next page; undefined on the last page. */
  next: string | undefined;
}

/** The content of a remote file. */
export interface Download {
  /** Fails with `ClaudeConnectionError` when the connection is lost. */
  body: Readable;
  mimeType: string | undefined;
  sizeBytes: number | undefined;
}

/** Options of a message call. */
export interface MessageOptions extends CallOptions {
  /** Additional values of `anthropic-beta`, such as that of a tool. */
  betas?: readonly string[] | undefined;
}

/**
 * The Claude API as Dropline uses it: Files in both dialects, Messages, token counts, models, and
 * Message Batches (https://docs.claude.com/en/api/overview). One class, although its file is long: it is
 * the port that steps and tests take.
 *
 * Calls throw a `ClaudeError` (see `errors.ts`) when the API rejects them, is unreachable, or answers
 * in an unexpected form; `outcomeOf` translates it for a step. Whatever `apiKey`, `admit` and the body
 * of an upload throw reaches the caller unchanged. Idempotent calls are retried; messages and batches
 * only when the API certainly did not process them; uploads never.
 *
 * @example
 * const claude = new ClaudeClient({ baseUrl: 'https://api.anthropic.com', apiKey, dialect: 'ga' });
 * const [file] = (await claude.listFiles({ limit: 1 })).files;
 * await claude.close();
 */
export class ClaudeClient {
  readonly batches: MessageBatches;
  readonly #dialect: FilesDialect;
  readonly #caller: Caller;

  /** Throws `ClaudeSetupError` when the base URL is not an http or https address. */
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
   * exist, so look for it in the list before trying again.
   *
   * Throws `UploadSizeMismatch` when the body is not `sizeBytes` long, and whatever the body throws;
   * in both cases the request is incomplete and no file is created. An error reply that arrives before
   * the file is sent (413, 401) is thrown as usual.
   * Source: https://docs.claude.com/en/api/files-create.
   * @example
   * const body = createReadStream('lease.pdf');
   * const { size: sizeBytes } = await stat('lease.pdf');
   * const mimeType = 'application/pdf';
   * const { id } = await claude.uploadFile({ filename: 'lease.pdf', mimeType, sizeBytes, body });
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
   * One page of the workspace's files, newest first
   * (https://docs.claude.com/en/api/files-list).
   * @param from `next` of the previous page; the first page by default
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

  /**
   * All files, newest first, fetched one page at a time. Files may be added or deleted meanwhile.
   * Throws `ClaudeReplyError` when the API's cursor does not advance.
   * @param limit files per page, 1 to 1,000
   * @example for await (const { id, filename } of claude.iterateFiles()) console.log(id, filename);
   */
  async *iterateFiles({
    limit = 1_000,
    ...options
  }: { limit?: number } & CallOptions = {}): AsyncGenerator<schemas.FileMetadata> {
    let from: string | undefined;
    do {
      const page = await this.listFiles({ ...options, from, limit });
      yield* page.files;
      if (page.next !== undefined && page.next === from) {
        throw new ClaudeReplyError(
          'The file list is stuck: its next-page cursor points to the same page.',
        );
      }
      from = page.next;
    } while (from !== undefined);
  }

  /**
   * The given files that exist, in one call. Only in the ga dialect; throws `ClaudeSetupError` in beta.
   * @param ids at most 100, else RangeError; without any, no call is made
   */
  async listFilesByIds(
    ids: readonly string[],
    options: CallOptions = {},
  ): Promise<schemas.FileMetadata[]> {
    this.#needsGa('look-up of files by ids');
    const unique = new Set(ids);
    if (unique.size > 100) {
      throw new RangeError(`The API accepts at most 100 ids, not ${unique.size}.`);
    }
    // Without ids the API would list everything.
    if (unique.size === 0) return [];
    const query = new URLSearchParams();
    for (const id of unique) query.append('ids[]', id);
    return (await this.#list(schemas.gaListSchema, query, options)).data;
  }

  /** A file's metadata. Throws `NotFound` (https://docs.claude.com/en/api/files-metadata). */
  async getFile(id: string, options: CallOptions = {}): Promise<schemas.FileMetadata> {
    return this.#caller.json(
      schemas.fileSchema,
      { kind: 'idempotent', api: 'files', method: 'GET', path: filePath(id) },
      options,
    );
  }

  /**
   * Deletes a file. Returns `gone` when it no longer existed, as after a retry whose first reply was
   * lost (https://docs.claude.com/en/api/files-delete).
   */
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
   * The content of a file that a tool created (`downloadable`), as a stream. Throws `InvalidRequest`
   * with the code `file_not_downloadable` for an uploaded file, `NotFound` for an expired one
   * (https://docs.claude.com/en/api/files-content).
   * @example
   * const { body } = await claude.downloadFile(id);
   * await pipeline(body, createWriteStream('chart.png'));
   */
  async downloadFile(id: string, options: CallOptions = {}): Promise<Download> {
    const { body, mimeType, sizeBytes } = await this.#caller.stream(
      { kind: 'idempotent', api: 'files', method: 'GET', path: `${filePath(id)}/content` },
      options,
    );
    return { body, mimeType, sizeBytes };
  }

  /**
   * Creates one message, which is billed. The caller has to check `stop_reason`. After an error whose
   * `sent` is `maybe`, and after a `ClaudeReplyError`, the message may have been billed without a reply.
   * @param params sent unchanged (https://docs.claude.com/en/api/messages)
   * @returns the checked message; `costUsd(message.usage, message.model)` is its price
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

  /**
   * The API's estimate of a message's input tokens. Free, with a separate rate limit
   * (https://docs.claude.com/en/api/messages-count-tokens).
   */
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

  /** The limits of a model, in tokens. Throws `NotFound` (https://docs.claude.com/en/api/models). */
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
