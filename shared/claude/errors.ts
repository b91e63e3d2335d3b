/**
 * What can go wrong between us and the Claude API, as classes named by what happened. These are
 * transport errors: a step turns them into an outcome for its document with `outcomeOf`.
 * Statuses, types and codes follow the official SDK 1.12 (`core/error` and `resources/shared`) and
 * https://docs.claude.com/en/api/errors.
 */

/**
 * Whether a request without an answer can have reached the server: `no` means that not one byte of it
 * was written, so nothing was created or billed; `maybe` means that we cannot know.
 */
export type Sent = 'no' | 'maybe';

/** Base of all errors that the client itself throws. */
export abstract class ClaudeError extends Error {
  /** The API's `request-id`, if a reply began to arrive. */
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
  /** `error.type` of the body; undefined when the body is not the API's (a proxy's page, or cut). */
  type?: string | undefined;
  /** `error.message`; its wording may change. */
  message: string;
  /** `error.details.error_code`, the stable name of the cause. */
  errorCode?: string | undefined;
  requestId?: string | undefined;
  /** How long the API asks to wait, from `retry-after-ms` or `retry-after`. */
  retryAfterMs?: number | undefined;
  /** `x-should-retry`, which overrides the usual rules. */
  shouldRetry?: boolean | undefined;
}

/** The API answered with an error. Statuses without a subclass of their own use this class. */
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

/** The request is invalid and will never succeed (400, 422). */
export class InvalidRequest extends ClaudeApiError {}

/** A parameter, header or field of the request is refused (400), whatever document it is about. */
export class ParameterRefused extends InvalidRequest {}

/** The prompt with its documents exceeds the model's context window (400). */
export class PromptTooLong extends InvalidRequest {}

/** A person has to fix something in the account before any call can succeed. Never retried. */
export class NeedsPerson extends ClaudeApiError {}

/** The key is wrong, revoked or missing (401). */
export class AuthenticationFailed extends NeedsPerson {}

/** The account cannot be billed (402, or a 400 that says that the credit balance is too low). */
export class BillingFailed extends NeedsPerson {}

/** The key lacks permission, or the organization is on hold (403, and some codes and words of 400). */
export class PermissionDenied extends NeedsPerson {}

/**
 * A spend limit is used up (429 without `retry-after`, 402, or a 400 that says so: the organization's or
 * the workspace's own limit). Waiting does not help.
 */
export class SpendLimitReached extends NeedsPerson {}

/** The key can act in several workspaces, and the request names none (400). */
export class WorkspaceMissing extends NeedsPerson {}

/** The organization's file storage is full (400 in the ga dialect, 403 in beta). */
export class StorageFull extends NeedsPerson {}

/** The file, model or batch does not exist, or the file's content has expired (404). */
export class NotFound extends ClaudeApiError {}

/** Another operation is using the same resource (409). Temporary. */
export class Conflict extends ClaudeApiError {}

/** The file or the request body exceeds the API's limit (413). */
export class TooLarge extends ClaudeApiError {}

/** The rate limit for requests or tokens is exceeded (429). */
export class RateLimited extends ClaudeApiError {}

/** The API failed (5xx, and 408). */
export class ServerError extends ClaudeApiError {}

/** The API is overloaded and did not start on the request (503, 529). */
export class Overloaded extends ServerError {}

interface ConnectionErrorDetails {
  sent: Sent;
  /** Status of the reply, if its head arrived but its body did not. */
  status?: number | undefined;
  requestId?: string | undefined;
  cause?: unknown;
}

/** No complete response: the connection was refused, reset or cut, or the name did not resolve. */
export class ClaudeConnectionError extends ClaudeError {
  /** Decides whether a file may have been created or a message may have been billed. */
  readonly sent: Sent;
  readonly status: number | undefined;

  constructor(message: string, { sent, status, requestId, cause }: ConnectionErrorDetails) {
    super(message, { requestId, cause });
    this.sent = sent;
    this.status = status;
  }
}

/** No complete response within the time limit of the call. */
export class ClaudeTimeoutError extends ClaudeConnectionError {}

/** The caller's signal aborted the call. */
export class ClaudeAbortedError extends ClaudeConnectionError {}

/** A 2xx reply whose body is not what the API documents. The requested action has happened. */
export class ClaudeReplyError extends ClaudeError {}

/** The client is misconfigured, or its dialect does not have what was requested. */
export class ClaudeSetupError extends ClaudeError {}

/** The body of an upload is shorter or longer than its stated size. No file was created. */
export class UploadSizeMismatch extends ClaudeError {
  readonly expectedBytes: number;
  /** Bytes counted until the upload was aborted; a lower bound when there were too many. */
  readonly actualBytes: number;

  constructor(expectedBytes: number, actualBytes: number) {
    const relation = actualBytes < expectedBytes ? 'ended after' : 'has at least';
    super(`The body ${relation} ${actualBytes} bytes instead of the stated ${expectedBytes}.`);
    this.expectedBytes = expectedBytes;
    this.actualBytes = actualBytes;
  }
}

const unsent = new WeakSet<object>();

/** Remembers that the call was not even begun: what it needed first, such as the API key, could not be had. */
export function markUnsent(error: unknown): void {
  if (typeof error === 'object' && error !== null) unsent.add(error);
}

/** Whether the error came before the call was begun, so that Claude never heard of it. */
export const wasUnsent = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && unsent.has(error);

/**
 * Whether `error` says that a `file_id` in a Messages call no longer exists: the file was deleted or
 * has expired. Such a document is uploaded again. False for the 404 of a missing model.
 */
export function isFileGone(error: unknown): boolean {
  if (error instanceof NotFound)
    return error.errorCode === 'file_expired' || !isModelNotFound(error);
  // No source documents the status of an unknown file_id in a content block. Accept a 400 that names
  // it too: a false positive only costs one more look-up.
  return (
    error instanceof InvalidRequest &&
    /\bfile(_id)?\b.*\b(not found|does not exist|expired)\b/is.test(error.message)
  );
}

/** Whether `error` is the 404 of a model that does not exist or that the key cannot use. */
export function isModelNotFound(error: unknown): boolean {
  return error instanceof NotFound && /^\s*model\b/i.test(error.message);
}
