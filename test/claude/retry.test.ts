import { expect, test } from 'vitest';
import {
  type ApiErrorDetails,
  ClaudeAbortedError,
  ClaudeConnectionError,
  ClaudeReplyError,
  ClaudeTimeoutError,
} from '../../shared/claude/errors.ts';
import { readError } from '../../shared/claude/read-error.ts';
import {
  mayRetry,
  type RetryKind,
  type RetryPolicy,
  retryDelayMs,
  withRetries,
} from '../../shared/claude/retry.ts';
import { rejection } from './api-server.ts';

function apiError(status: number, headers: Record<string, string> = {}, errorCode?: string): Error {
  const details: Pick<ApiErrorDetails, 'errorCode'> = errorCode ? { errorCode } : {};
  const body = { error: { type: 't', message: 'm', details: { error_code: details.errorCode } } };
  return readError(status, headers, JSON.stringify(body), 0);
}

const connection = (sent: 'no' | 'maybe'): Error => new ClaudeConnectionError('c', { sent });
const timeout = (sent: 'no' | 'maybe'): Error => new ClaudeTimeoutError('t', { sent });
const yes = { 'x-should-retry': 'true' };
const no = { 'x-should-retry': 'false' };

/** An error, then whether it allows a retry of an idempotent and of a paid call. */
const matrix: [string, Error, boolean, boolean][] = [
  ['400', apiError(400), false, false],
  ['400 with x-should-retry: true', apiError(400, yes), true, false],
  ['401', apiError(401), false, false],
  ['401 with x-should-retry: true', apiError(401, yes), false, false],
  ['402', apiError(402), false, false],
  ['403', apiError(403), false, false],
  ['404', apiError(404), false, false],
  ['408', apiError(408), true, false],
  ['409', apiError(409), true, false],
  ['413', apiError(413), false, false],
  ['429', apiError(429), true, true],
  ['429 with x-should-retry: false', apiError(429, no), false, false],
  ['429 for a spend limit', apiError(429, yes, 'enforced_spend_limit_reached'), false, false],
  ['500', apiError(500), true, false],
  ['500 with x-should-retry: true', apiError(500, yes), true, false],
  ['500 with x-should-retry: false', apiError(500, no), false, false],
  ['502', apiError(502), true, false],
  ['503', apiError(503), true, true],
  ['504', apiError(504), true, false],
  ['529', apiError(529), true, true],
  ['529 with x-should-retry: false', apiError(529, no), false, false],
  ['a failed connection', connection('no'), true, true],
  ['a lost connection', connection('maybe'), true, false],
  ['a timeout before sending', timeout('no'), true, false],
  ['a timeout after sending', timeout('maybe'), true, false],
  ["the caller's abort", new ClaudeAbortedError('a', { sent: 'no' }), false, false],
  ['an unexpected reply', new ClaudeReplyError('r'), false, false],
  ['a foreign error', new Error('e'), false, false],
  ["another API's error", Object.assign(new Error('e'), { status: 503 }), false, false],
];

test.each(matrix)('decides whether a call is retried after %s', (_, error, idempotent, paid) => {
  const answers = (['idempotent', 'paid', 'once'] as const).map((kind) => mayRetry(error, kind));

  expect(answers).toEqual([idempotent, paid, false]);
});

test.each([
  [0, 0, 500],
  [0, 1, 375],
  [1, 0, 1_000],
  [3, 0, 4_000],
  [4, 0, 8_000],
  [9, 0.5, 7_000],
])('backs off after %i retries with jitter %d for %i ms', (retries, random, expected) => {
  const delay = retryDelayMs(apiError(500), retries, random);

  expect(delay).toBe(expected);
});

test('waits as long as the API asks, without jitter', () => {
  const delay = retryDelayMs(apiError(429, { 'retry-after': '3' }), 2, 1);

  expect(delay).toBe(3_000);
});

/** Runs a call that fails with each error in turn and then succeeds. */
async function run(
  failures: unknown[],
  { kind = 'idempotent', ...policy }: Partial<RetryPolicy> & { kind?: RetryKind } = {},
): Promise<{ result: unknown; attempts: number; waits: number[] }> {
  const waits: number[] = [];
  let attempts = 0;
  const outcome = withRetries(
    async () => {
      attempts++;
      if (attempts <= failures.length) throw failures[attempts - 1];
      return 'done';
    },
    {
      kind,
      policy: {
        maxRetries: 2,
        maxWaitMs: 20_000,
        sleep: async (ms) => {
          waits.push(ms);
        },
        random: () => 0,
        ...policy,
      },
    },
  );
  const result = await outcome.catch((error: unknown) => error);
  return { result, attempts, waits };
}

test('retries until the call succeeds', async () => {
  const { result, waits } = await run([apiError(500), connection('maybe')]);

  expect(result).toBe('done');
  expect(waits).toEqual([500, 1_000]);
});

test('gives up with the last error when the retries are used up', async () => {
  const last = apiError(529);

  const { result, attempts } = await run([apiError(500), apiError(500), last]);

  expect(result).toBe(last);
  expect(attempts).toBe(3);
});

test('throws at once when the API asks for more than the maximum wait', async () => {
  const error = apiError(429, { 'retry-after': '21' });

  const { result, attempts, waits } = await run([error]);

  expect(result).toBe(error);
  expect(result).toMatchObject({ retryAfterMs: 21_000 });
  expect(attempts).toBe(1);
  expect(waits).toEqual([]);
});

test('counts all waits of a call against its maximum', async () => {
  const slow = apiError(429, { 'retry-after': '8' });

  const { attempts, waits } = await run([slow, slow, slow], { maxRetries: 9 });

  expect(waits).toEqual([8_000, 8_000]);
  expect(attempts).toBe(3);
});

test('waits up to its maximum and not a millisecond more', async () => {
  const exact = await run([apiError(429, { 'retry-after-ms': '20000' })]);
  const above = await run([apiError(429, { 'retry-after-ms': '20001' })]);

  expect(exact.waits).toEqual([20_000]);
  expect(above.waits).toEqual([]);
});

test('never retries a call of kind once', async () => {
  const { attempts } = await run([apiError(503)], { kind: 'once' });

  expect(attempts).toBe(1);
});

test.each([
  ['idempotent', 'maybe'],
  ['paid', 'no'],
] as const)('ends a wait of an %s call at the signal', async (kind, sent) => {
  const controller = new AbortController();
  const policy: RetryPolicy = {
    maxRetries: 2,
    maxWaitMs: 20_000,
    sleep: async (_, signal) => {
      controller.abort(new Error('out of time'));
      signal?.throwIfAborted();
    },
    random: () => 0,
  };

  const error = await rejection(
    withRetries(() => Promise.reject(apiError(529)), { kind, policy, signal: controller.signal }),
  );

  expect(error).toBeInstanceOf(ClaudeAbortedError);
  expect(error).toMatchObject({
    sent,
    message: 'The call was aborted while waiting to retry.',
    cause: { message: 'out of time' },
  });
});

test('passes on the error of a broken wait', async () => {
  const broken = new Error('no timers');

  const { result } = await run([apiError(529)], { sleep: () => Promise.reject(broken) });

  expect(result).toBe(broken);
});
