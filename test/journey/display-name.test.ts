import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayName } from '../../shared/journey/display-name.ts';

describe('a name for people', () => {
  it.each([
    ['contract\u202efdp.exe', 'contractfdp.exe'],
    ['a\u0000b\u0007c\u009b.txt', 'abc.txt'],
    ['two\u2028lines', 'twolines'],
    ['in\u200bvisible\ufeff', 'invisible'],
    ['tag\u{e0061}\u{e0062}', 'tag'],
    ['\u2067isolated\u2069', 'isolated'],
  ])('of %j is %j', (name, shown) => {
    expect(displayName(name)).toBe(shown);
  });

  it.each(['Größe 2026 (final).docx', 'می‌خواهم.pdf', '👩‍👩‍👧 日本語.txt', 'עברית.docx'])(
    'of %j is unchanged',
    (name) => {
      expect(displayName(name)).toBe(name);
    },
  );

  it('has no more to remove the second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        expect(displayName(displayName(name))).toBe(displayName(name));
      }),
    );
  });
});
