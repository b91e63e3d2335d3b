import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PartNames, partName } from '../../shared/formats/safety/part-name.ts';

const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc
    .array(fc.constantFrom('..', '.', '/', '\\', 'a', 'CON', ' ', ':', '\0', '\u202e', 'é', '😀'))
    .map((pieces) => pieces.join('')),
);

describe('the name of a part', () => {
  test('is always legal, short and below its parent', () => {
    fc.assert(
      fc.property(nasty, (name) => {
        const made = partName(name);

        expect(made).toMatch(/^[^<>:"|?*\\\p{Cc}\p{Cs}]{1,300}$/u);
        for (const segment of made.split('/')) expect(segment).not.toMatch(/^\.*$/);
      }),
      { numRuns: 1_000 },
    );
  });

  test('does not change if it is sanitised again', () => {
    fc.assert(
      fc.property(nasty, (name) => {
        expect(partName(partName(name))).toBe(partName(name));
      }),
      { numRuns: 1_000 },
    );
  });

  test('is unique within its parent, whatever the case', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a.txt', 'A.TXT', 'a (2).txt', '.env', 'x/a.txt')),
        (names) => {
          const taken = new PartNames();

          const made = names.map((name) => taken.take(name).toLowerCase());

          expect(new Set(made).size).toBe(names.length);
        },
      ),
    );
  });
});
