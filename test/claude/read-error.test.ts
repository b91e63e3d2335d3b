import { describe, expect, test } from 'vitest';
import * as errors from '../../shared/claude/errors.ts';
import { readError, readNestedError } from '../../shared/claude/read-error.ts';

type ErrorClass = new (details: errors.ApiErrorDetails) => errors.ClaudeApiError;

function body(type: string, message = 'why', code?: string): string {
  const details = code === undefined ? {} : { details: { error_code: code } };
  return JSON.stringify({ type: 'error', error: { type, message, ...details }, request_id: 'r1' });
}

/** Status and body of a reply, and the class of its error. */
const matrix: [number, string, ErrorClass][] = [
  [400, body('invalid_request_error'), errors.InvalidRequest],
  [400, body('invalid_request_error', 'prompt is too long: 9 > 8'), errors.PromptTooLong],
  [400, body('invalid_request_error', 'full', 'storage_quota_exceeded'), errors.StorageFull],
  [400, body('invalid_request_error', 'hold', 'organization_on_hold'), errors.PermissionDenied],
  [400, body('invalid_request_error', 'key', 'cmek_key_disabled'), errors.PermissionDenied],
  [400, body('invalid_request_error', 'x', 'file_not_downloadable'), errors.InvalidRequest],
  [
    400,
    body(
      'invalid_request_error',
      'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.',
    ),
    errors.BillingFailed,
  ],
  [
    400,
    body('invalid_request_error', 'Your credit balance is too low to access the Claude API.'),
    errors.BillingFailed,
  ],
  [
    400,
    body(
      'invalid_request_error',
      'You have reached your specified API usage limits. You will regain access on 2026-12-01.',
    ),
    errors.SpendLimitReached,
  ],
  [
    400,
    body('invalid_request_error', 'You have reached your specified workspace API usage limits.'),
    errors.SpendLimitReached,
  ],
  [
    400,
    body('invalid_request_error', 'This organization has been disabled.'),
    errors.PermissionDenied,
  ],
  [
    400,
    body('invalid_request_error', 'x', 'workspace_human_review_disabled'),
    errors.PermissionDenied,
  ],
  [
    400,
    body('invalid_request_error', 'anthropic-workspace-id: header is required for this key'),
    errors.WorkspaceMissing,
  ],
  // Words that a document or a name brings into a message hold nobody.
  [
    400,
    body('invalid_request_error', 'messages.0: "Your credit balance is too low to access"'),
    errors.InvalidRequest,
  ],
  [401, body('authentication_error'), errors.AuthenticationFailed],
  [
    402,
    body('billing_error', 'x', 'linked_organization_billing_unavailable'),
    errors.BillingFailed,
  ],
  [402, body('billing_error'), errors.BillingFailed],
  [
    402,
    body('billing_error', 'x', 'linked_organization_spend_limit_reached'),
    errors.SpendLimitReached,
  ],
  [403, body('permission_error'), errors.PermissionDenied],
  [403, body('permission_error', 'Storage limit exceeded'), errors.StorageFull],
  [404, body('not_found_error'), errors.NotFound],
  [404, body('not_found_error', 'gone', 'file_expired'), errors.NotFound],
  [404, body('invalid_request_error', 'File not found: file_011'), errors.NotFound],
  [404, body('invalid_request_error', 'Unknown path'), errors.ClaudeApiError],
  [404, '<html>nothing here</html>', errors.ClaudeApiError],
  [405, '', errors.ClaudeApiError],
  [302, '', errors.ClaudeApiError],
  [408, body('timeout_error'), errors.ServerError],
  [409, body('conflict_error'), errors.Conflict],
  [413, body('request_too_large'), errors.TooLarge],
  [413, '<html>nginx</html>', errors.TooLarge],
  [422, body('invalid_request_error'), errors.InvalidRequest],
  [429, body('rate_limit_error'), errors.RateLimited],
  [429, body('rate_limit_error', 'ramp', 'ramp_limit_exceeded'), errors.RateLimited],
  [429, body('rate_limit_error', 'cap', 'enforced_spend_limit_reached'), errors.SpendLimitReached],
  [429, body('rate_limit_error', 'cap', 'contract_spend_limit_reached'), errors.SpendLimitReached],
  [500, body('api_error'), errors.ServerError],
  [502, '<html>bad gateway</html>', errors.ServerError],
  [503, body('overloaded_error'), errors.Overloaded],
  [504, body('timeout_error'), errors.ServerError],
  [529, body('overloaded_error'), errors.Overloaded],
];

test.each(matrix)('reads %i %s as the right class', (status, text, expected) => {
  const error = readError(status, {}, text, 0);

  expect(error.constructor).toBe(expected);
  expect(error).toMatchObject({ status, name: expected.name });
});

test('reads type, message, code and request id from the body', () => {
  const error = readError(404, {}, body('not_found_error', 'File expired', 'file_expired'), 0);

  expect(error).toMatchObject({
    type: 'not_found_error',
    message: 'File expired',
    errorCode: 'file_expired',
    requestId: 'r1',
  });
});

test('prefers the request id of the header to that of the body', () => {
  const error = readError(500, { 'request-id': 'r2' }, body('api_error'), 0);

  expect(error.requestId).toBe('r2');
});

test('carries the wait and the retry advice', () => {
  const headers = { 'retry-after': '4', 'x-should-retry': 'false' };

  const error = readError(429, headers, body('rate_limit_error'), 0);

  expect(error).toMatchObject({ retryAfterMs: 4_000, shouldRetry: false });
});

test.each([
  ['', 'HTTP 502 without a body.'],
  ['<h1>Bad\n  gateway</h1>', 'HTTP 502: <h1>Bad gateway</h1>'],
  ['{"error":"flat"}', 'HTTP 502: {"error":"flat"}'],
  ['x'.repeat(1_000), `HTTP 502: ${'x'.repeat(200)}`],
  [body('api_error', ''), `HTTP 502: ${body('api_error', '')}`],
])('describes a body in another form', (text, message) => {
  const error = readError(502, {}, text, 0);

  expect(error.message).toBe(message);
});

test('ignores malformed details', () => {
  const text = JSON.stringify({ error: { type: 'not_found_error', message: 'm', details: 'odd' } });

  const error = readError(404, {}, text, 0);

  expect(error).toBeInstanceOf(errors.NotFound);
  expect(error.errorCode).toBeUndefined();
});

describe('an error nested in a batch result', () => {
  test.each([
    ['invalid_request_error', errors.InvalidRequest],
    ['authentication_error', errors.AuthenticationFailed],
    ['not_found_error', errors.NotFound],
    ['rate_limit_error', errors.RateLimited],
    ['overloaded_error', errors.Overloaded],
    ['api_error', errors.ServerError],
    ['something_new', errors.ServerError],
  ])('gets its class by its type %s', (type, expected) => {
    const error = readNestedError({ type: 'error', error: { type, message: 'why' } });

    expect(error.constructor).toBe(expected);
    expect(error.message).toBe('why');
  });

  test('is a server error when it is malformed', () => {
    const error = readNestedError(null);

    expect(error).toBeInstanceOf(errors.ServerError);
  });
});

describe('isFileGone', () => {
  test.each([
    [404, body('not_found_error', 'File not found: file_1'), true],
    [404, body('not_found_error', 'model files', 'file_expired'), true],
    [404, body('not_found_error', 'model: claude-none'), false],
    [404, '<html>', false],
    [400, body('invalid_request_error', 'source.file_id: file_1 was not found'), true],
    [400, body('invalid_request_error', 'The file is encrypted'), false],
    [500, body('api_error', 'file not found'), false],
  ])('of %i %s is %s', (status, text, expected) => {
    const gone = errors.isFileGone(readError(status, {}, text, 0));

    expect(gone).toBe(expected);
  });

  test('is false for an error that is not from the API', () => {
    expect(errors.isFileGone(new Error('file not found'))).toBe(false);
  });
});
