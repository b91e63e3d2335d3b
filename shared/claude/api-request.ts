import type { Readable } from 'node:stream';
import type { MultipartBody } from './multipart.ts';
import type { ClaudeApi } from './rate-limits.ts';

/** One attempt at a call, as the transport takes it. */
export interface ApiRequest {
  api: ClaudeApi;
  method: 'GET' | 'POST' | 'DELETE';
  /** Path below the base URL, each variable part encoded. */
  path: string;
  query?: URLSearchParams | undefined;
  json?: unknown;
  upload?: MultipartBody;
  /** Further values of `anthropic-beta`. */
  betas?: readonly string[] | undefined;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** A 2xx reply, fully read. */
export interface JsonReply {
  value: unknown;
  requestId: string | undefined;
}

/** A 2xx reply whose body is still to be read. It fails with `ClaudeConnectionError`. */
export interface StreamReply {
  body: Readable;
  mimeType: string | undefined;
  sizeBytes: number | undefined;
  requestId: string | undefined;
}
