import type { FilesDialect } from '../../../shared/claude/options.ts';

/**
 * The API's errors: `{type:"error", error:{type, message, details?}, request_id}`. Statuses and types
 * are those of the official documentation and of the SDK's error classes.
 */

const typeByStatus: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  405: 'invalid_request_error',
  409: 'conflict_error',
  413: 'request_too_large',
  422: 'invalid_request_error',
  429: 'rate_limit_error',
  500: 'api_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** The default `error.type` of a status. */
function errorTypeOf(status: number): string {
  return typeByStatus[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
}

interface ErrorBodyDetails {
  error_code?: string;
  [key: string]: unknown;
}

/** An error reply of the API. Thrown by handlers, written by the server. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;
  readonly details: ErrorBodyDetails | undefined;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    message: string,
    options: {
      type?: string | undefined;
      details?: ErrorBodyDetails | undefined;
      headers?: Record<string, string> | undefined;
    } = {},
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.type = options.type ?? errorTypeOf(status);
    this.details = options.details;
    this.headers = options.headers ?? {};
  }

  /** The body in the API's form. */
  body(requestId: string): object {
    const error = {
      type: this.type,
      message: this.message,
      ...(this.details ? { details: this.details } : {}),
    };
    return { type: 'error', error, request_id: requestId };
  }
}

export function invalid(message: string, details?: ErrorBodyDetails): ApiError {
  return new ApiError(400, message, { details });
}

export function notFound(message: string, details?: ErrorBodyDetails): ApiError {
  return new ApiError(404, message, { details });
}

export function tooLarge(message: string): ApiError {
  return new ApiError(413, message);
}

/** The storage quota is used up: 400 with a code since GA, 403 before. */
export function storageFull(shape: FilesDialect): ApiError {
  const message = 'The file storage of this organization is used up. Delete files and try again.';
  return shape === 'ga'
    ? new ApiError(400, message, { details: { error_code: 'storage_quota_exceeded' } })
    : new ApiError(403, message);
}

/** 404 for a file that does not exist, was deleted or expired long ago. */
export function fileMissing(id: string): ApiError {
  return notFound(`File not found: ${id}`);
}

/** 404 for a file whose metadata can still be read but whose content has expired. */
export function fileExpired(id: string): ApiError {
  return notFound(`The content of file ${id} has expired`, { error_code: 'file_expired' });
}
