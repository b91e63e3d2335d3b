import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PartNames } from '../../shared/formats/index.ts';
import { documentIdOf } from '../../shared/journey/ids.ts';
import { partAt, partKey, stagedKey } from '../../shared/steps/part-keys.ts';

const parent = (key: string) => ({ documentId: documentIdOf('inbox', key), key });
const tag = (key: string): string => documentIdOf('inbox', key).slice(0, 12);

test('the key of a part names its parent twice, to a reader and without doubt', () => {
  expect(partKey(parent('b.zip'), 'folder/c.txt')).toBe(`b.zip!${tag('b.zip')}/folder/c.txt`);
});

test('a name that looks like the end of a container is escaped', () => {
  const key = (name: string) => partKey(parent('a.zip'), name).slice(`a.zip!${tag('')}/`.length);

  expect(key('b!mfrggzdfmztw/c')).toBe('b%21mfrggzdfmztw/c');
  expect(key('b%21mfrggzdfmztw/c')).toBe('b%2521mfrggzdfmztw/c');
  expect(key('b%2521mfrggzdfmztw')).toBe('b%252521mfrggzdfmztw');
  expect(key('wow!/really!.txt')).toBe('wow!/really!.txt');
  expect(key('100%21.txt')).toBe('100%21.txt');
});

test('no two parts of one tree have the same key, whatever their names are', () => {
  // Names of one file and folders, built of what could be taken for the end of a container.
  const segment = fc
    .array(
      fc.constantFrom(
        'a',
        '!',
        '%21',
        '%2521',
        tag('r.zip'),
        tag(`r.zip!${tag('r.zip')}/a`),
        'mfrggzdfmztw',
      ),
      {
        minLength: 1,
        maxLength: 4,
      },
    )
    .map((pieces) => pieces.join(''));
  const name = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const path = fc.array(name, { minLength: 1, maxLength: 3 });

  fc.assert(
    fc.property(path, path, (one, other) => {
      const keyOf = (names: string[]) =>
        names.reduce((key, each) => partKey(parent(key), each), 'r.zip');
      fc.pre(one.join('\0') !== other.join('\0'));
      expect(keyOf(one)).not.toBe(keyOf(other));
    }),
    { numRuns: 5_000 },
  );
});

test('names that a container gives its parts survive as they are', () => {
  const names = new PartNames();
  expect(partKey(parent('a.zip'), names.take('b.zip!/c.txt'))).toBe(
    `a.zip!${tag('a.zip')}/b.zip!/c.txt`,
  );
});

test.each([true, false])('a staged part is found again (tagged: %s)', (tagged) => {
  const owner = parent('a.zip');
  const part = { order: 'A'.repeat(64), name: '!/b/c.txt', tagged };

  const found = partAt(owner, stagedKey(owner.documentId, part));

  expect(found).toEqual({
    ...part,
    key: tagged ? `a.zip!${tag('a.zip')}/!/b/c.txt` : 'a.zip!/!/b/c.txt',
  });
});
