import fc from 'fast-check';
import { expect, test } from 'vitest';
import { numberOf, retryAfterOf, shouldRetryOf } from '../../shared/claude/headers.ts';
import { readRateLimits } from '../../shared/claude/rate-limits.ts';

const now = Date.parse('2026-11-22T10:00:00Z');

test.each([
  [{ 'retry-after-ms': '1500' }, 1_500],
  [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 1_500],
  [{ 'retry-after-ms': 'soon', 'retry-after': '9' }, 9_000],
  [{ 'retry-after-ms': '0', 'retry-after': '9' }, 9_000],
  [{ 'retry-after': '9' }, 9_000],
  [{ 'retry-after': '0.5' }, 500],
  [{ 'retry-after': ['2', '3'] }, 2_000],
  [{ 'retry-after': 'Sun, 22 Nov 2026 10:00:30 GMT' }, 30_000],
  [{ 'retry-after': '31536000' }, 900_000],
  [{ 'retry-after-ms': '31536000000' }, 900_000],
  [{ 'retry-after': 'Mon, 22 Nov 2027 10:00:00 GMT' }, 900_000],
  [{ 'retry-after': 'Sun, 22 Nov 2026 09:59:00 GMT' }, undefined],
  [{ 'retry-after': '0' }, undefined],
  [{ 'retry-after': '-3' }, undefined],
  [{ 'retry-after': 'never' }, undefined],
  [{ 'retry-after': '' }, undefined],
  [{}, undefined],
])('reads the wait in %j as %s ms', (headers, expected) => {
  const wait = retryAfterOf(headers, now);

  expect(wait).toBe(expected);
});

const waits = fc.oneof(
  fc.double({ noNaN: true }).map(String),
  fc.nat().map(String),
  fc.bigInt({ min: 0n }).map(String),
  fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
  fc.string(),
);

test('no header asks for more than 15 minutes, and what it asks for is a wait', () => {
  fc.assert(
    fc.property(waits, waits, fc.boolean(), (ms, seconds, both) => {
      const headers = both
        ? { 'retry-after-ms': ms, 'retry-after': seconds }
        : { 'retry-after': seconds };

      const wait = retryAfterOf(headers, now);

      if (wait === undefined) return;
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(900_000);
    }),
  );
});

test.each([
  ['7', 7],
  [' 7 ', 7],
  ['0', 0],
  ['1.25', 1.25],
  ['-3', undefined],
  ['x5', undefined],
  ['5x', undefined],
  ['1e3', undefined],
  ['', undefined],
  [undefined, undefined],
])('reads the number %j as %s', (value, expected) => {
  expect(numberOf(value)).toBe(expected);
});

test.each([
  ['true', true],
  ['false', false],
  ['maybe', undefined],
  [undefined, undefined],
])('reads x-should-retry: %s', (value, expected) => {
  const answer = shouldRetryOf({ 'x-should-retry': value });

  expect(answer).toBe(expected);
});

test('reads every limit of a reply', () => {
  const headers = {
    'anthropic-ratelimit-requests-limit': '50',
    'anthropic-ratelimit-requests-remaining': '49',
    'anthropic-ratelimit-requests-reset': '2026-11-22T10:01:00Z',
    'anthropic-ratelimit-tokens-limit': '100000',
    'anthropic-ratelimit-input-tokens-remaining': '40000',
    'anthropic-ratelimit-output-tokens-reset': '2026-11-22T10:00:10.500Z',
    'retry-after': '2',
  };

  const limits = readRateLimits(headers, { api: 'messages', status: 200, now });

  expect(limits).toEqual({
    api: 'messages',
    status: 200,
    requests: { limit: 50, remaining: 49, resetAt: now + 60_000 },
    tokens: { limit: 100_000 },
    inputTokens: { remaining: 40_000 },
    outputTokens: { resetAt: now + 10_500 },
    retryAfterMs: 2_000,
  });
});

test('returns nothing for a reply without limits', () => {
  const limits = readRateLimits({}, { api: 'files', status: 200, now });

  expect(limits).toBeUndefined();
});

test('reports a 429 even without headers', () => {
  const limits = readRateLimits({}, { api: 'files', status: 429, now });

  expect(limits).toEqual({ api: 'files', status: 429 });
});

test('omits malformed values', () => {
  const headers = {
    'anthropic-ratelimit-requests-limit': 'many',
    'anthropic-ratelimit-requests-reset': 'soon',
  };

  const limits = readRateLimits(headers, { api: 'files', status: 200, now });

  expect(limits).toBeUndefined();
});
