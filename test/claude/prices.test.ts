import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  costUsd,
  defaultPrices,
  priceTableSchema,
  priceTableWith,
} from '../../shared/claude/prices.ts';

const million = 1_000_000;

test.each([
  ['claude-haiku-5-5', 0.01, 0.5],
  ['claude-sonnet-5-5', 0.2, 10],
  ['claude-fable-5-2', 0.8, 40],
  ['claude-sonnet-4-6', 0.3, 15],
  ['claude-opus-5-5', 0.4, 20],
  ['claude-haiku-4-5', 0.1, 5],
  ['claude-opus-4-6', 0.5, 25],
  ['claude-opus-4-7', 0.5, 25],
])('prices 100,000 input tokens and a million output tokens of %s', (model, input, output) => {
  const cost = costUsd({ input_tokens: 100_000, output_tokens: million }, model);

  expect(cost).toBeCloseTo(input + output, 10);
});

test('returns no cost for a model that is not in the table', () => {
  expect(costUsd({ input_tokens: 1, output_tokens: 1 }, 'claude-none')).toBeUndefined();
  expect(costUsd({ input_tokens: 1, output_tokens: 1 }, 'constructor')).toBeUndefined();
});

test('prices a dated model as its undated one, unless the table has it', () => {
  const usage = { input_tokens: million, output_tokens: 0 };
  const table = priceTableWith({
    'claude-haiku-4-5-20260101': { tiers: [{ input: 9, output: 9 }] },
  });

  const undated = costUsd(usage, 'claude-haiku-4-5-20251001', { table });
  const dated = costUsd(usage, 'claude-haiku-4-5-20260101', { table });

  expect([undated, dated]).toEqual([1, 9]);
});

test.each([
  [100_000, 0, 0.01],
  [100_001, 0, 0.0500005],
  [50_000, 50_000, 0.0055],
  [50_000, 50_001, 0.02750005],
])(
  'prices the complete prompt, with %i and %i tokens from the cache, by the tier of its length',
  (input, cached, expected) => {
    const usage = { input_tokens: input, output_tokens: 0, cache_read_input_tokens: cached };

    const cost = costUsd(usage, 'claude-haiku-5-5');

    expect(cost).toBeCloseTo(expected, 10);
  },
);

test('prices cache writes by their lifetime', () => {
  const usage = {
    input_tokens: 0,
    output_tokens: 0,
    cache_creation_input_tokens: 2 * million,
    cache_read_input_tokens: million,
  };

  const short = costUsd(usage, 'claude-haiku-4-5');
  const mixed = costUsd(
    { ...usage, cache_creation: { ephemeral_1h_input_tokens: million } },
    'claude-haiku-4-5',
  );

  expect(short).toBeCloseTo(2 * 1.25 + 0.1, 10);
  expect(mixed).toBeCloseTo(1.25 + 2 + 0.1, 10);
});

test('halves the price in a batch, by option or by service tier', () => {
  const usage = { input_tokens: million, output_tokens: million };

  const costs = [
    costUsd(usage, 'claude-haiku-4-5'),
    costUsd(usage, 'claude-haiku-4-5', { batch: true }),
    costUsd({ ...usage, service_tier: 'batch' }, 'claude-haiku-4-5'),
    costUsd({ ...usage, service_tier: 'batch' }, 'claude-haiku-4-5', { batch: true }),
  ];

  expect(costs).toEqual([6, 3, 3, 3]);
});

test('never prices more tokens lower in the same tier', () => {
  const count = fc.nat(1_000_000);
  fc.assert(
    fc.property(count, count, count, (input, output, more) => {
      const less = costUsd({ input_tokens: input, output_tokens: output }, 'claude-opus-5-5');
      const greater = costUsd(
        { input_tokens: input + more, output_tokens: output },
        'claude-opus-5-5',
      );

      expect(greater).toBeGreaterThanOrEqual(less ?? Number.NaN);
    }),
  );
});

describe("a user's prices", () => {
  test('replace single models and keep the others', () => {
    const table = priceTableWith({
      'claude-haiku-4-5': { tiers: [{ input: 3, output: 3 }], batch: 0.25, cacheRead: 0 },
    });

    const usage = { input_tokens: million, output_tokens: 0, cache_read_input_tokens: million };
    expect(costUsd(usage, 'claude-haiku-4-5', { table, batch: true })).toBe(0.75);
    expect(table['claude-opus-5-5']).toEqual(defaultPrices['claude-opus-5-5']);
  });

  test.each([
    ['no tier', []],
    ['a negative price', [{ input: -1, output: 1 }]],
    ['a last tier with a bound', [{ upToPromptTokens: 10, input: 1, output: 1 }]],
    [
      'a tier without a bound before the last',
      [
        { input: 1, output: 1 },
        { input: 2, output: 2 },
      ],
    ],
    [
      'bounds that fall',
      [
        { upToPromptTokens: 20, input: 1, output: 1 },
        { upToPromptTokens: 10, input: 1, output: 1 },
        { input: 1, output: 1 },
      ],
    ],
  ])('are rejected with %s', (_, tiers) => {
    const parsed = priceTableSchema.safeParse({ m: { tiers } });

    expect(parsed.success).toBe(false);
  });
});
