import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { documentIdOf } from '../../shared/journey/ids.ts';
import {
  answerKey,
  contentKey,
  costKey,
  documentKey,
  indexes,
  orderAfter,
  orderOf,
  pastVersionKey,
  referenceKey,
  shardCount,
  shardOf,
} from '../../shared/ledger/keys.ts';

const hex = fc.string({
  unit: fc.constantFrom(...'0123456789abcdefABCDEF'),
  minLength: 1,
  maxLength: 64,
});

describe('orderAfter', () => {
  test.each([
    ['0'.repeat(64), `${'0'.repeat(63)}1`],
    [`0055AED6${'0'.repeat(56)}`, `0055AED6${'0'.repeat(55)}1`],
    [`0055AED6${'0'.repeat(54)}0F`, `0055AED6${'0'.repeat(54)}10`],
  ])('of %s is %s', (order, next) => {
    expect(orderAfter(order)).toBe(next);
  });

  test('sorts before every sequencer that S3 gives to a newer event', () => {
    expect(orderAfter(orderOf('0055AED6DCD90281E5')) < orderOf('0055AED6DCD90281E6')).toBe(true);
  });
});

describe('orderOf', () => {
  test('pads on the right with zeros to 64 digits, in capitals', () => {
    expect(orderOf('0055aEd')).toBe(`0055AED${'0'.repeat(57)}`);
  });

  test('keeps a sequencer of 64 digits', () => {
    expect(orderOf('f'.repeat(64))).toBe('F'.repeat(64));
  });

  test.each([
    ['1', '02', 1],
    ['0A', '0A1', -1],
    ['0055AED6DCD90281E5', '0055AED6DCD90281E6', -1],
    ['FF', 'ff00', 0],
    ['9', 'A', -1],
  ])('orders %s and %s as S3 does: %i', (a, b, expected) => {
    const [left, right] = [orderOf(a), orderOf(b)];

    expect(left === right ? 0 : left < right ? -1 : 1).toBe(expected);
  });

  test.each(['', 'xyz', '12 ', ' 12', '0x12', '1'.repeat(65), '-1', '12\n'])(
    'refuses %j, which is not a sequencer',
    (sequencer) => {
      expect(() => orderOf(sequencer)).toThrow(
        new RangeError(`not an S3 sequencer: "${sequencer}"`),
      );
    },
  );

  test('orders any two as numbers after padding', () => {
    fc.assert(
      fc.property(hex, hex, (a, b) => {
        const length = Math.max(a.length, b.length);
        const [left, right] = [a, b].map((one) => BigInt(`0x${one.padEnd(length, '0')}`));
        if (left === undefined || right === undefined) throw new Error('two were given');

        expect(orderOf(a) < orderOf(b)).toBe(left < right);
        expect(orderOf(a) === orderOf(b)).toBe(left === right);
      }),
      { seed: 4 },
    );
  });
});

describe('shardOf', () => {
  test('spreads documents over all shards, about evenly', () => {
    const counts = new Array<number>(shardCount).fill(0);

    for (let n = 0; n < 4_000; n += 1) {
      const shard = shardOf(documentIdOf('inbox', `reports/2026/${n}.pdf`));
      counts[shard] = (counts[shard] ?? 0) + 1;
    }

    expect(counts).toHaveLength(8);
    expect(Math.min(...counts)).toBeGreaterThan(400);
    expect(Math.max(...counts)).toBeLessThan(600);
  });

  test('gives a document the same shard every time', () => {
    expect(shardOf('abc')).toBe((97 + 98 + 99) % 8);
  });
});

test('the keys are those of the architecture', () => {
  expect(documentKey('d')).toEqual({ pk: 'DOC#d', sk: 'DOC' });
  expect(pastVersionKey('d', '0A')).toEqual({ pk: 'DOC#d', sk: 'V#0A' });
  expect(contentKey('f00')).toEqual({ pk: 'CONTENT#f00', sk: 'CONTENT' });
  expect(referenceKey('f00', 'd', '0A')).toEqual({ pk: 'CONTENT#f00', sk: 'REF#d#0A' });
  expect(answerKey('f00', 'q')).toEqual({ pk: 'CONTENT#f00', sk: 'ANSWER#q' });
  expect(costKey('2026-11-22', 3, 'e')).toEqual({ pk: 'COST#2026-11-22#3', sk: 'e' });
  expect(indexes).toEqual({
    byState: { name: 'by-state', hash: 'stateShard', range: 'stateAt' },
    byDay: { name: 'by-day', hash: 'dayShard', range: 'listedAt' },
    byFile: { name: 'by-file', hash: 'fileId', range: 'pk' },
  });
});
