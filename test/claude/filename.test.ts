import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  deploymentTag,
  legalFilename,
  markedFilename,
  readMark,
  unmarkedFilename,
} from '../../shared/claude/filename.ts';

const sha256 = '0123456789abcdef'.repeat(4);

/** The rule of the Files API, written independently. */
function isLegal(name: string): boolean {
  return (
    name.length >= 1 &&
    name.length <= 255 &&
    name.isWellFormed() &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are forbidden
    !/[<>:"|?*\\/\u0000-\u001f]/.test(name)
  );
}

/** Any string: with lone surrogates, control characters, forbidden characters, or a great length. */
const anyName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 600 }),
  fc.array(fc.nat(0xffff), { maxLength: 600 }).map((units) => String.fromCharCode(...units)),
  fc.string({ unit: fc.constantFrom(...'<>:"|?*\\/ .\0\n\u2028ab😀'), maxLength: 600 }),
);
const anySha = fc.string({
  unit: fc.constantFrom(...'0123456789abcdef'),
  minLength: 64,
  maxLength: 64,
});
const anyExt = fc.string({ unit: fc.constantFrom(...'abcxyz019'), minLength: 1, maxLength: 10 });

describe('legalFilename', () => {
  test('is legal for any name', () => {
    fc.assert(fc.property(anyName, (name) => isLegal(legalFilename(name))));
  });

  test('is idempotent', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        const once = legalFilename(name);

        expect(legalFilename(once)).toBe(once);
      }),
    );
  });

  test.each([
    ['Bericht 2026 – Größe.docx', 'Bericht 2026 – Größe.docx'],
    ['日本語 😀.txt', '日本語 😀.txt'],
    ['a<b>c:d"e|f?g*h\\i/j', 'a_b_c_d_e_f_g_h_i_j'],
    ['tab\there\u0085and\u2028there', 'tab_here_and_there'],
    ['half \ud83d pair', 'half _ pair'],
    ['  .hidden. ', 'hidden'],
    ['???', '___'],
    ['...', 'document'],
    [' \n ', 'document'],
    ['', 'document'],
  ])('turns %j into %j', (name, expected) => {
    const legal = legalFilename(name);

    expect(legal).toBe(expected);
  });

  test('cuts between characters, never inside one', () => {
    const legal = legalFilename(`${'a'.repeat(254)}😀`);

    expect(legal).toBe('a'.repeat(254));
  });
});

const tag = 'd0d0d0d0';

test('the tag of a deployment is stable and differs from those of others', () => {
  expect(deploymentTag('inbox-of-one')).toMatch(/^[0-9a-f]{8}$/);
  expect(deploymentTag('inbox-of-one')).toBe(deploymentTag('inbox-of-one'));
  expect(deploymentTag('inbox-of-one')).not.toBe(deploymentTag('inbox-of-another'));
});

describe('markedFilename', () => {
  test('is legal for any name, and its mark can be read back', () => {
    fc.assert(
      fc.property(anyName, anySha, anyExt, (name, sha, ext) => {
        const marked = markedFilename(name, sha, tag, ext);

        expect(isLegal(marked)).toBe(true);
        expect(readMark(marked)).toEqual({ sha16: sha.slice(0, 16), deployment: tag, ext });
      }),
    );
  });

  test('does not repeat a mark that is already there', () => {
    fc.assert(
      fc.property(anyName, anySha, anyExt, (name, sha, ext) => {
        const marked = markedFilename(name, sha, tag, ext);

        expect(markedFilename(marked, sha, tag, ext)).toBe(marked);
      }),
    );
  });

  test.each([
    ['Vertrag.docx', 'Vertrag.0123456789abcdef-d0d0d0d0.pdf'],
    ['archive.tar.gz', 'archive.tar.0123456789abcdef-d0d0d0d0.pdf'],
    ['README', 'README.0123456789abcdef-d0d0d0d0.pdf'],
    ['.gitignore', 'gitignore.0123456789abcdef-d0d0d0d0.pdf'],
    ['v1. A sentence about it', 'v1. A sentence about it.0123456789abcdef-d0d0d0d0.pdf'],
    ['?.docx', '_.0123456789abcdef-d0d0d0d0.pdf'],
    ['', 'document.0123456789abcdef-d0d0d0d0.pdf'],
    [
      'x.fedcba9876543210-d0d0d0d0.txt',
      'x.fedcba9876543210-d0d0d0d0.0123456789abcdef-d0d0d0d0.pdf',
    ],
  ])('names the content of %j %j', (name, expected) => {
    const marked = markedFilename(name, sha256, tag, 'pdf');

    expect(marked).toBe(expected);
  });

  test('uses the maximum length and keeps the mark', () => {
    const marked = markedFilename(`${'x'.repeat(300)}.docx`, sha256, tag, 'pdf');

    expect(marked).toHaveLength(255);
    expect(marked).toMatch(/^x+\.0123456789abcdef-d0d0d0d0\.pdf$/);
  });

  test.each([
    ['a hash that is too short', 'abc', tag, 'pdf'],
    ['a hash in upper case', sha256.toUpperCase(), tag, 'pdf'],
    ['a tag that is too short', sha256, 'd0d0d0d', 'pdf'],
    ['an extension with a dot', sha256, tag, '.pdf'],
    ['no extension', sha256, tag, ''],
  ])('rejects %s', (_, sha, deployment, ext) => {
    expect(() => markedFilename('a', sha, deployment, ext)).toThrow(RangeError);
  });
});

test.each([
  ['Lease.0123456789abcdef-6754af96.pdf', 'Lease.pdf'],
  ['Lease.pdf', 'Lease.pdf'],
  ['0123456789abcdef-6754af96.pdf', '0123456789abcdef-6754af96.pdf'],
])('unmarkedFilename(%j) is %j', (filename, expected) => {
  expect(unmarkedFilename(filename)).toBe(expected);
});

describe('readMark', () => {
  test.each([
    'report.pdf',
    'a.0123456789abcdef.pdf',
    '.0123456789abcdef-d0d0d0d0.pdf',
    'a.0123456789ABCDEF-d0d0d0d0.pdf',
    'a.0123456789abcde-d0d0d0d0.pdf',
    'a.0123456789abcdef0-d0d0d0d0.pdf',
    'a.0123456789abcdef-d0d0d0d.pdf',
    'a.0123456789abcdef-d0d0d0d0.PDF',
    'a.0123456789abcdef-d0d0d0d0.pdf ',
    'a.0123456789abcdef-d0d0d0d0',
  ])('finds no mark in %j', (filename) => {
    const mark = readMark(filename);

    expect(mark).toBeUndefined();
  });
});
