import { describe, expect, test } from 'vitest';
import { defaultPrices } from '../../shared/claude/prices.ts';
import { defaultProfile } from '../../shared/config/config.ts';
import { isWorthCounting, tooLongBySize, tooLongByTokens } from '../../shared/long/length.ts';

const profile = defaultProfile('claude-haiku-5-5');
const small = defaultProfile('claude-haiku-4-5');
const unknown = defaultProfile('my-model');
const pdf = (pages: number | undefined, sizeBytes = 1_000) => ({
  mimeType: 'application/pdf',
  sizeBytes,
  pages,
});
const text = (sizeBytes: number) => ({ mimeType: 'text/plain', sizeBytes });

describe('by its size', () => {
  test.each([
    ['as many pages as the model takes', pdf(600), profile, undefined],
    ['one page more', pdf(601), profile, 'summarize.too_long'],
    ['one page more than a small model takes', pdf(101), small, 'summarize.too_long'],
    ['pages that nobody counted', pdf(undefined), small, undefined],
    ['pages for a model that is not known', pdf(5_000), unknown, undefined],
    ['a text that can be counted', text(8_000_000), small, undefined],
    ['a text that cannot', text(8_000_001), small, 'summarize.too_long'],
    ['the same for a model that may take it', text(8_000_001), profile, undefined],
    ['a text of more than its context', text(8_000_008), profile, 'summarize.too_long'],
    ['a picture', { mimeType: 'image/png', sizeBytes: 9_000_000 }, small, undefined],
  ])('%s', (_, length, asking, code) => {
    expect(tooLongBySize(length, asking)?.code).toBe(code);
  });
});

describe('by its tokens', () => {
  test.each([
    ['the whole context', 1_000_000, profile, undefined],
    ['one token more', 1_000_001, profile, 'summarize.too_long'],
    // 16,384 tokens at most are written, 4,096 at first: $0.00205, and $0.00205 for 20,480 tokens.
    ['what the limit just pays', 20_480, { ...profile, maxUsdPerDocument: 0.004096 }, undefined],
    [
      'one token more than it pays',
      20_481,
      { ...profile, maxUsdPerDocument: 0.004096 },
      'summarize.too_expensive',
    ],
    ['a model without a price', 5_000_000, unknown, undefined],
  ])('%s', (_, tokens, asking, code) => {
    expect(tooLongByTokens(tokens, asking, defaultPrices)?.code).toBe(code);
  });
});

describe('is counted', () => {
  test.each([
    ['a text that surely fits', text(400_000), small, false],
    [
      'a text that is not long, whatever the profile pays',
      text(99_000),
      { ...profile, maxUsdPerDocument: 0.0001 },
      false,
    ],
    ['a text that may not', text(400_002), small, true],
    ['a text too large to be sent', text(8_000_001), small, false],
    ['a PDF that surely fits', pdf(66), small, false],
    ['a PDF that may not', pdf(67), small, true],
    ['a PDF too large to be sent', pdf(67, 16_000_001), small, false],
    ['anything for a model that is not known', text(8_000_000), unknown, false],
  ])('%s', (_, length, asking, expected) => {
    expect(isWorthCounting(length, asking, defaultPrices)).toBe(expected);
  });
});
