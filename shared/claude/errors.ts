/**
 * What can go wrong between us and the Claude API, as classes named by what happens. These are
 * transport errors: a step turns them into an outcome for its document with `outcomeOf`.
 * Statuses, types and codes follow the official SDK 1.12 (its `core/error` and `resources/shared`).
 */

/**
 * Whether a request that got no answer can have reached the server: `no` means that not one byte of
 * it was written, so nothing was made and nothing was paid; `maybe` means that it cannot be told.
 */
export type Sent = 'no' | 'maybe';

/** Base of everything the client throws on its own account. */
export abstract class ClaudeError extends Error {
  /** The API's `request-id`, where an answer began to arrive. */
  readonly requestId: string | undefined;

  constructor(
    message: string,
    { requestId, cause }: { requestId?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.requestId = requestId;
  }
}

/** What an error reply of the API says. */
export interface ApiErrorDetails {
  /** HTTP status. */
  status: number;
  /** `error.type` of the body; undefined when the body was not the API's (a proxy's page, a cut). */
  type?: string | undefined;
  /** `error.message`; its wording can change. */
  message: string;
  /** `error.details.error_code`, the stable name of the cause. */
  errorCode?: string | undefined;
  requestId?: string | undefined;
  /** How long the API asks to wait, from `retry-after-ms` or `retry-after`. */
  retryAfterMs?: number | undefined;
  /** `x-should-retry`, which overrides the usual rules. */
  shouldRetry?: boolean | undefined;
}

/** The API answered with an error. Used as it is for statuses that no subclass names. */
export class ClaudeApiError extends ClaudeError {
  readonly status: number;
  readonly type: string | undefined;
  readonly errorCode: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly shouldRetry: boolean | undefined;

  constructor(details: ApiErrorDetails) {
    super(details.message, { requestId: details.requestId });
    this.status = details.status;
    this.type = details.type;
    this.errorCode = details.errorCode;
    this.retryAfterMs = details.retryAfterMs;
    this.shouldRetry = details.shouldRetry;
  }
}

/** Something in the request is not acceptable and never will be (400, 422). */
export class InvalidRequest extends ClaudeApiError {}

/** The prompt with its documents does not fit the model's context (400). */
export class PromptTooLong extends InvalidRequest {}

/** Someone has to look at the account before any call can pass. Never retried. */
export class NeedsPerson extends ClaudeApiError {}

/** The key is wrong, revoked or missing (401). */
export class AuthenticationFailed extends NeedsPerson {}

/** The account cannot be billed (402). */
export class BillingFailed extends NeedsPerson {}

/** The key may not do this, or the organization is on hold (403, and some codes of 400). */
export class PermissionDenied extends NeedsPerson {}

/** A spend limit is used up (429 without `retry-after`, or 402). Waiting alone does not help. */
export class SpendLimitReached extends NeedsPerson {}

/** The organization's file storage is full (400 in the ga dialect, 403 in beta). */
export class StorageFull extends NeedsPerson {}

/** There is no such file, model or batch; also a file whose content has expired (404). */
export class NotFound extends ClaudeApiError {}

/** Another operation holds the same thing (409). Passes by itself. */
export class Conflict extends ClaudeApiError {}

/** The file or the request body is above the API's limit (413). */
export class TooLarge extends ClaudeApiError {}

/** Too many requests or tokens at the moment (429). */
export class RateLimited extends ClaudeApiError {}

/** The API failed on its side (5xx, and 408). */
export class ServerError extends ClaudeApiError {}

/** The API has no capacity right now and did not start on the request (503, 529). */
export class Overloaded extends ServerError {}

interface ConnectionErrorDetails {
  sent: Sent;
  /** Status of the reply, when its head arrived but its body did not. */
  status?: number | undefined;
  requestId?: string | undefined;
  cause?: unknown;
}

/** There was no whole answer: refused, reset, cut, or not resolved. */
export class ClaudeConnectionError extends ClaudeError {
  /** Decides whether a file can have been made or a message can have been paid. */
  readonly sent: Sent;
  readonly status: number | undefined;

  constructor(message: string, { sent, status, requestId, cause }: ConnectionErrorDetails) {
    super(message, { requestId, cause });
    this.sent = sent;
    this.status = status;
  }
}

/** There was no whole answer within the time the call was given. */
export class ClaudeTimeoutError extends ClaudeConnectionError {}

/** The caller's signal ended the call. */
export class ClaudeAbortedError extends ClaudeConnectionError {}

/** A 2xx reply whose body is not what the API documents. What was asked for has happened. */
export class ClaudeReplyError extends ClaudeError {}

/** The client cannot be used as it is set up, or was asked for what its dialect does not have. */
export class ClaudeSetupError extends ClaudeError {}

/** The body given to an upload had fewer or more bytes than its stated size. Nothing was made. */
export class UploadSizeMismatch extends ClaudeError {
  readonly expectedBytes: number;
  /** Bytes counted until the upload was given up; when there were too many, a lower bound. */
  readonly actualBytes: number;

  constructor(expectedBytes: number, actualBytes: number) {
    const relation = actualBytes < expectedBytes ? 'ended after' : 'went on to';
    super(`The body ${relation} ${actualBytes} bytes instead of the stated ${expectedBytes}.`);
    this.expectedBytes = expectedBytes;
    this.actualBytes = actualBytes;
  }
}

/**
 * Whether `error` says that a `file_id` in a Messages call is no longer there: the file was deleted
 * or has expired. Such a document is uploaded once more. A missing model is a 404 too and is not meant.
 */
export function isFileGone(error: unknown): boolean {
  if (error instanceof NotFound)
    return error.errorCode === 'file_expired' || !isModelNotFound(error);
  // No source says which status an unknown file_id inside a content block gets; take a 400 that
  // names it as well, which only costs one more look.
  return (
    error instanceof InvalidRequest &&
    /\bfile(_id)?\b.*\b(not found|does not exist|expired)\b/is.test(error.message)
  );
}

/** Whether `error` is the 404 for a model that does not exist or that the key may not use. */
export function isModelNotFound(error: unknown): boolean {
  return error instanceof NotFound && /^\s*model\b/i.test(error.message);
}
