import { z } from 'zod';
import * as errors from './errors.ts';
import { headerOf, type ReplyHeaders, retryAfterOf, shouldRetryOf } from './headers.ts';

/** The API's error body. Missing fields are accepted: a parse error must never hide the API's error. */
const errorBody = z.object({
  error: z.object({
    type: z.string(),
    message: z.string().default(''),
    details: z.object({ error_code: z.string().optional() }).nullish().catch(undefined),
  }),
  request_id: z.string().nullish().catch(undefined),
});

/**
 * What a person must mend and the API says in words alone: a 400 `invalid_request_error` without a code.
 * Only the beginning counts, so that words of a document or a file name that a message repeats hold nobody.
 * Sources: https://platform.claude.com/docs/en/api/errors (a 400 when an organization or a workspace has used
 * up a spend limit of its own); the texts are those of public reports, such as
 * https://github.com/anthropics/claude-code/issues/867 (balance) and /9384 (disabled organization).
 */
const accountTexts: readonly [RegExp, ErrorClass][] = [
  [/^\s*your credit balance is too low\b/i, errors.BillingFailed],
  [/^\s*you have reached your specified (?:\w+ )?API usage limits?\b/i, errors.SpendLimitReached],
  [/^\s*(?:this|your) organization has been disabled\b/i, errors.PermissionDenied],
  // A key of several workspaces has to name one (SDK 1.12, `anthropic-workspace-id`).
  [/^[^"]{0,80}\banthropic-workspace-id\b/i, errors.WorkspaceMissing],
];

/**
 * A 400 about a parameter, a header or a field of the request: its message begins with the name of one, as
 * the API's validation does (`temperature: …`), or names a header. `messages` and `file` carry the document.
 */
const parameterTexts = [
  /^\s*`?(?:model|max_tokens|temperature|top_[pk]|thinking|output_config|output_format|system|tools|tool_choice|stop_sequences|metadata|service_tier|container|betas|expires_in_seconds|page|limit|ids|before_id|after_id)\b[`.:\s]/i,
  /^[^"]{0,80}\banthropic-(?:version|beta)\b/i,
];

type ErrorClass = new (details: errors.ApiErrorDetails) => errors.ClaudeApiError;

/** Codes of a used-up spend limit, whatever their status (SDK 1.12, `resources/shared`). */
const spendCodes = new Set([
  'enforced_spend_limit_reached',
  'contract_spend_limit_reached',
  'linked_organization_spend_limit_reached',
]);

/** Codes of an account that cannot be billed, whatever their status (SDK 1.12). */
const billingCodes = new Set(['linked_organization_billing_unavailable']);

/** Codes of a 400 that is about the account and not about the request (SDK 1.12). */
const accountCodes = new Set([
  'organization_on_hold',
  'organization_type_not_supported',
  'claude_code_key_creator_not_member',
  'cmek_key_disabled',
  'cmek_key_network_blocked',
  'workspace_human_review_disabled',
]);

/** The usual status of an error type, for errors that come without one (batch results). */
const statusOfType: Record<string, number> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  conflict_error: 409,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

/**
 * The typed error for an error reply.
 * @param text the body as it arrived; may be cut, or a proxy's page
 * @param now current time in milliseconds since the epoch
 */
export function readError(
  status: number,
  headers: ReplyHeaders,
  text: string,
  now: number,
): errors.ClaudeApiError {
  const body = errorBody.safeParse(parsed(text)).data;
  return classified({
    status,
    type: body?.error.type,
    message: body?.error.message || describe(status, text),
    errorCode: body?.error.details?.error_code,
    requestId: headerOf(headers, 'request-id') ?? body?.request_id ?? undefined,
    retryAfterMs: retryAfterOf(headers, now),
    shouldRetry: shouldRetryOf(headers),
  });
}

/** The typed error for an error body inside another reply, such as a batch's results. */
export function readNestedError(value: unknown): errors.ClaudeApiError {
  const body = errorBody.safeParse(value).data;
  const type = body?.error.type;
  return classified({
    status: (type === undefined ? undefined : statusOfType[type]) ?? 500,
    type,
    message: body?.error.message || 'The API reported an error without a message.',
    errorCode: body?.error.details?.error_code,
    requestId: body?.request_id ?? undefined,
  });
}

function classified(details: errors.ApiErrorDetails): errors.ClaudeApiError {
  const { status, type, errorCode = '', message } = details;
  if (spendCodes.has(errorCode)) return new errors.SpendLimitReached(details);
  if (billingCodes.has(errorCode)) return new errors.BillingFailed(details);
  if (errorCode === 'storage_quota_exceeded') return new errors.StorageFull(details);
  if (accountCodes.has(errorCode)) return new errors.PermissionDenied(details);
  switch (status) {
    case 400:
    case 422:
      return invalid(details);
    case 401:
      return new errors.AuthenticationFailed(details);
    case 402:
      return new errors.BillingFailed(details);
    case 403:
      // The beta dialect reports full storage as a 403 without a code. Both need a person; the
      // message only decides which advice that person gets.
      return /\bstorage\b/i.test(message)
        ? new errors.StorageFull(details)
        : new errors.PermissionDenied(details);
    case 404:
      // A 404 without the API's error body comes from a wrong address or a proxy. It must not count as
      // "this file is gone", or a wrong base URL would make every file look deleted.
      // The Files API's first documentation gives a missing file the type `invalid_request_error`.
      return type === 'not_found_error' ||
        (type === 'invalid_request_error' && /^\s*file not found\b/i.test(message))
        ? new errors.NotFound(details)
        : new errors.ClaudeApiError(details);
    case 409:
      return new errors.Conflict(details);
    case 413:
      return new errors.TooLarge(details);
    case 429:
      return new errors.RateLimited(details);
    case 503:
    case 529:
      return new errors.Overloaded(details);
    default:
      return status >= 500 || status === 408
        ? new errors.ServerError(details)
        : new errors.ClaudeApiError(details);
  }
}

/** The class of a 400: what a person must mend, a parameter, a prompt too long, or the document. */
function invalid(details: errors.ApiErrorDetails): errors.ClaudeApiError {
  const { message } = details;
  const account = accountTexts.find(([text]) => text.test(message));
  if (account) return new account[1](details);
  if (/prompt is too long/i.test(message)) return new errors.PromptTooLong(details);
  return parameterTexts.some((text) => text.test(message))
    ? new errors.ParameterRefused(details)
    : new errors.InvalidRequest(details);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describe(status: number, text: string): string {
  const start = text.replace(/\s+/g, ' ').trim().slice(0, 200);
  return start === '' ? `HTTP ${status} without a body.` : `HTTP ${status}: ${start}`;
}
