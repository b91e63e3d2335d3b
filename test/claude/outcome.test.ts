import { describe, expect, test } from 'vitest';
import * as client from '../../shared/claude/errors.ts';
import { type CallingStep, outcomeOf } from '../../shared/claude/outcome.ts';
import { readError } from '../../shared/claude/read-error.ts';
import { claudeCodes } from '../../shared/codes/claude.ts';
import {
  Defer,
  DroplineError,
  RejectDocument,
  RetryLater,
  ServiceDown,
  StopLane,
} from '../../shared/journey/errors.ts';

const steps: CallingStep[] = ['upload', 'summarize', 'remove', 'reconcile'];

function api(status: number, type = 't', message = 'why', code?: string, wait?: string): Error {
  const text = JSON.stringify({ error: { type, message, details: { error_code: code } } });
  return readError(status, { 'request-id': 'r1', 'retry-after': wait }, text, 0);
}

const lost = (sent: client.Sent): Error => new client.ClaudeConnectionError('lost', { sent });

type Outcome = [typeof StopLane | typeof RejectDocument | typeof RetryLater | typeof Defer, string];

const stop = (code: string): Outcome => [StopLane, code];
const reject = (code: string): Outcome => [RejectDocument, code];
const retry = (code: string): Outcome => [RetryLater, code];
const defer = (code: string): Outcome => [Defer, code];
const down = (code: string): Outcome => [ServiceDown, code];
/** Waits, except where a second call may be paid a second time. */
const unlessBilled = (code: string): Outcome[] => [down(code), retry(code), down(code), down(code)];
const all = (outcome: Outcome): Outcome[] => steps.map(() => outcome);

/** A failure, and its outcome in upload, summarize, remove and reconcile. */
const matrix: [string, Error, Outcome[]][] = [
  ['401', api(401), all(stop('claude.unauthorized'))],
  ['402', api(402), all(stop('claude.billing'))],
  ['403', api(403), all(stop('claude.forbidden'))],
  [
    'a spend limit',
    api(429, 't', 'm', 'enforced_spend_limit_reached'),
    all(stop('claude.spend_limit')),
  ],
  ['full storage', api(400, 't', 'm', 'storage_quota_exceeded'), all(stop('claude.storage_full'))],
  ['429 with a wait', api(429, 't', 'm', undefined, '5'), all(defer('claude.rate_limited'))],
  ['429 without one', api(429), all(down('claude.rate_limited'))],
  [
    '429 while the use of an organization grows too fast',
    api(429, 't', 'm', 'ramp_limit_exceeded', '5'),
    all(defer('claude.rate_limited')),
  ],
  [
    'an empty credit balance',
    api(400, 'invalid_request_error', 'Your credit balance is too low to access the Claude API.'),
    all(stop('claude.billing')),
  ],
  [
    "a workspace's own spend limit",
    api(
      400,
      'invalid_request_error',
      'You have reached your specified workspace API usage limits.',
    ),
    all(stop('claude.spend_limit')),
  ],
  [
    'a key of several workspaces that names none',
    api(400, 'invalid_request_error', 'anthropic-workspace-id: header is required'),
    all(stop('claude.misconfigured')),
  ],
  ['409', api(409), all(down('claude.conflict'))],
  ['500', api(500), unlessBilled('claude.server_error')],
  ['504', api(504), unlessBilled('claude.server_error')],
  ['408', api(408), unlessBilled('claude.server_error')],
  ['529', api(529), all(down('claude.overloaded'))],
  ['a page that is not the API', api(404, 't'), all(stop('claude.misconfigured'))],
  ['an unusable setting', new client.ClaudeSetupError('s'), all(stop('claude.misconfigured'))],
  ['no connection', lost('no'), all(down('claude.unreachable'))],
  [
    'an abort before sending',
    new client.ClaudeAbortedError('a', { sent: 'no' }),
    all(retry('claude.interrupted')),
  ],
  [
    'a lost answer',
    lost('maybe'),
    [
      down('upload.reply_lost'),
      retry('summarize.reply_lost'),
      down('claude.reply_lost'),
      down('claude.reply_lost'),
    ],
  ],
  [
    'an unexpected reply',
    new client.ClaudeReplyError('odd'),
    [
      retry('claude.unexpected_reply'),
      reject('summarize.unexpected_reply'),
      retry('claude.unexpected_reply'),
      retry('claude.unexpected_reply'),
    ],
  ],
  [
    '400',
    api(400),
    [
      reject('upload.invalid_request'),
      reject('summarize.invalid_request'),
      reject('claude.invalid_request'),
      reject('claude.invalid_request'),
    ],
  ],
  ...(
    [
      'temperature: is not supported by this model',
      'output_config.effort: Input should be "low"',
      '`temperature` and `top_p` cannot both be specified for this model',
      'thinking.type: Extra inputs are not permitted',
      'anthropic-version: "x" is not a valid version',
      'anthropic-beta: the Files API needs the header value files-api-2025-04-14',
      'Unexpected value(s) `x` for the `anthropic-beta` header',
      'expires_in_seconds: Extra inputs are not permitted',
    ] as const
  ).map((message): [string, Error, Outcome[]] => [
    `a refused parameter (${message})`,
    api(400, 'invalid_request_error', message),
    all(reject('claude.refused_parameter')),
  ]),
  ...(
    [
      'messages.0.content.0.document.source: The PDF is encrypted',
      'messages.0.content.0.text: Extra inputs are not permitted',
      'Could not process the PDF: temperature.pdf',
      'file: the filename has a forbidden character',
    ] as const
  ).map((message): [string, Error, Outcome[]] => [
    `a refused document (${message})`,
    api(400, 'invalid_request_error', message),
    [
      reject('upload.invalid_request'),
      reject('summarize.invalid_request'),
      reject('claude.invalid_request'),
      reject('claude.invalid_request'),
    ],
  ]),
  [
    '413',
    api(413),
    [
      reject('upload.too_large'),
      reject('summarize.too_large'),
      reject('claude.invalid_request'),
      reject('claude.invalid_request'),
    ],
  ],
  [
    'a missing file',
    api(404, 'not_found_error', 'File not found'),
    [
      retry('claude.not_found'),
      retry('summarize.file_gone'),
      retry('claude.not_found'),
      retry('claude.not_found'),
    ],
  ],
  [
    "a missing file, in the founding page's words",
    api(404, 'invalid_request_error', 'File not found: file_011'),
    [
      retry('claude.not_found'),
      retry('summarize.file_gone'),
      retry('claude.not_found'),
      retry('claude.not_found'),
    ],
  ],
  [
    'a missing model',
    api(404, 'not_found_error', 'model: none'),
    [
      retry('claude.not_found'),
      reject('summarize.model_not_found'),
      retry('claude.not_found'),
      retry('claude.not_found'),
    ],
  ],
  [
    'a prompt too long',
    api(400, 'invalid_request_error', 'prompt is too long'),
    [
      reject('upload.invalid_request'),
      reject('summarize.too_long'),
      reject('claude.invalid_request'),
      reject('claude.invalid_request'),
    ],
  ],
  [
    'a body of another size',
    new client.UploadSizeMismatch(3, 2),
    all(retry('upload.size_mismatch')),
  ],
];

const cases = matrix.flatMap(([what, error, outcomes]) =>
  steps.map((step, index) => ({ what, error, step, expected: outcomes[index] })),
);

test.each(cases)('$step after $what', ({ error, step, expected }) => {
  const { error: outcome } = outcomeOf(error, step);

  expect(outcome).toBeInstanceOf(DroplineError);
  expect([(outcome as DroplineError).constructor, (outcome as DroplineError).code]).toEqual(
    expected,
  );
  expect(outcome).toMatchObject({ message: error.message, cause: error });
});

test('assigns only codes of the catalogue, and every one of them', () => {
  const given = new Set(cases.map(({ expected }) => expected?.[1]));

  expect([...given].sort()).toEqual(Object.keys(claudeCodes).sort());
});

test('gives each code the outcome of its error class', () => {
  const ends = new Map<unknown, string>([
    [StopLane, 'held'],
    [RejectDocument, 'failed'],
    [ServiceDown, 'waiting'],
    [Defer, 'waiting'],
  ]);

  for (const [code, entry] of Object.entries(claudeCodes)) {
    const given = cases.filter(({ expected }) => expected?.[1] === code);
    const outcomes = given.map(({ expected }) => ends.get(expected?.[0]) ?? 'retried');
    // Where a second call may be paid, a few codes that else wait are counted as attempts.
    expect(outcomes, code).toContain(entry.outcome);
  }
});

test('defers for as long as the API asks', () => {
  const { error } = outcomeOf(api(429, 't', 'm', undefined, '5'), 'upload');

  expect(error).toMatchObject({ delayMs: 5_000, requestId: 'r1' });
});

test.each([
  ['an overloaded API that says how long', api(529, 't', 'm', undefined, '30'), 30_000],
  ['an overloaded API that does not', api(529), 1_000],
  ['an API that is not reached', lost('no'), 1_000],
])('waits for %s', (_, thrown, delayMs) => {
  expect(outcomeOf(thrown, 'summarize').error).toMatchObject({ delayMs });
});

test.each([new Error('dynamodb'), new RejectDocument({ code: 'upload.x', message: 'm' }), 'text'])(
  'returns an error that is not a failed call unchanged: %s',
  (thrown) => {
    const { error } = outcomeOf(thrown, 'upload');

    expect(error).toBe(thrown);
  },
);

describe('whether the call may have taken effect', () => {
  test.each([
    ['a refusal', api(400), false],
    ['429', api(429), false],
    ['503', api(503), false],
    ['529', api(529), false],
    ['500', api(500), true],
    ['504', api(504), true],
    ['a lost answer', lost('maybe'), true],
    ['no connection', lost('no'), false],
    ['a timeout', new client.ClaudeTimeoutError('t', { sent: 'maybe' }), true],
    ['an unexpected reply', new client.ClaudeReplyError('odd'), true],
    ['an unusable setting', new client.ClaudeSetupError('s'), false],
    ['a body of another size', new client.UploadSizeMismatch(3, 2), false],
    ['an error of our own', new Defer({ code: 'pace.far', message: 'm', delayMs: 1 }), false],
    ['an unknown error', new Error('ledger'), true],
  ])('after %s', (_, thrown, expected) => {
    const uploading = outcomeOf(thrown, 'upload');
    const summarizing = outcomeOf(thrown, 'summarize');

    expect(uploading).toMatchObject({ fileMayExist: expected, mayBePaid: false });
    expect(summarizing).toMatchObject({ fileMayExist: false, mayBePaid: expected });
  });
});
