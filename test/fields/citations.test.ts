import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkCitations } from '../../shared/fields/citations.ts';

const cited = (citedText: string, start: number, end: number) =>
  ({ field: 'text', citedText, location: { type: 'char', start, end } }) as const;

const text = '🏠 The house is let. 🏠 It ends in May.';

test('citations that hold are counted, and the unit is not told where both hold', () => {
  const plain = 'The house is let. It ends in May.';

  expect(checkCitations([cited('The house', 0, 9), cited('It ends', 0, 7)], plain)).toEqual({
    count: 2,
    verified: 1,
  });
});

test('the unit that holds more often is told', () => {
  expect(checkCitations([cited('The house', 3, 12)], text)).toEqual({
    count: 1,
    verified: 1,
    unit: 'utf16',
  });
  expect(checkCitations([cited('The house', 2, 11)], text)).toEqual({
    count: 1,
    verified: 1,
    unit: 'codePoint',
  });
});

test('places beyond the text hold nothing', () => {
  expect(checkCitations([cited('May.', 500, 504)], text)).toEqual({ count: 1, verified: 0 });
});

test('there is nothing to say about pages, or without a text', () => {
  const page = {
    field: 'text',
    citedText: 'x',
    location: { type: 'page', start: 1, end: 2 },
  } as const;

  expect(checkCitations([page], text)).toBeUndefined();
  expect(checkCitations([cited('x', 0, 1)], undefined)).toBeUndefined();
});

test('every true place holds, by its unit', () => {
  const unit = fc.constantFrom('a', 'b', ' ', '🏠', 'é', '\r\n');
  fc.assert(
    fc.property(fc.array(unit, { minLength: 1 }), fc.nat(), fc.nat(), (units, a, b) => {
      const points = Array.from(units.join(''));
      const [start, end] = [a % (points.length + 1), b % (points.length + 1)].sort((x, y) => x - y);
      const quote = points.slice(start, end).join('');
      const before = points.slice(0, start).join('').length;
      const whole = points.join('');

      const byPoint = checkCitations([cited(quote, start ?? 0, end ?? 0)], whole);
      const byUnit = checkCitations([cited(quote, before, before + quote.length)], whole);

      expect(byPoint?.verified).toBe(1);
      expect(byUnit?.verified).toBe(1);
    }),
  );
});
