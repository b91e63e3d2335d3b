import { describe, expect, test } from 'vitest';
import { codeOf, convertBytes } from './convert-bytes.ts';
import { rawZip } from './raw-zip.ts';

const zeros = Buffer.alloc(20 * 1024 * 1024);

describe('an archive', () => {
  test('becomes the files inside it, with their folders', async () => {
    const zip = rawZip([
      { name: 'docs/' },
      { name: 'docs/a.txt', content: 'alpha' },
      { name: 'docs/täglich.txt', content: 'beta', method: 0 },
    ]);

    const { conversion, parts, warnings } = await convertBytes('files.zip', zip);

    expect(conversion.outcome).toBe('container');
    expect(parts).toEqual({
      'docs/a.txt': Buffer.from('alpha'),
      'docs/täglich.txt': Buffer.from('beta'),
    });
    expect(warnings).toEqual([]);
  });

  test('with more files than may become documents has the rest counted, not unpacked', async () => {
    const zip = rawZip([
      { name: 'a.txt', content: 'alpha' },
      { name: 'Thumbs.db', content: 'x' },
      { name: 'b.txt', content: 'beta' },
      { name: 'c.txt', content: 'gamma' },
      { name: 'd.txt', content: 'delta' },
    ]);

    const { conversion, parts } = await convertBytes('files.zip', zip, { limits: { maxParts: 2 } });

    expect(Object.keys(parts)).toEqual(['a.txt', 'b.txt']);
    expect(conversion.partsBeyondLimit).toBe(2);
  });

  test('leaves out files that operating systems add', async () => {
    const zip = rawZip([
      { name: 'a.txt', content: 'alpha' },
      { name: '__MACOSX/._a.txt', content: 'x' },
      { name: 'sub/.DS_Store', content: 'x' },
      { name: 'Thumbs.db', content: 'x' },
    ]);

    const { parts } = await convertBytes('files.zip', zip);

    expect(Object.keys(parts)).toEqual(['a.txt']);
  });

  test('gives files with the same name unique names', async () => {
    const zip = rawZip([
      { name: 'a.txt', content: '1' },
      { name: 'A.txt', content: '2' },
      { name: 'a.txt', content: '3' },
    ]);

    const { parts } = await convertBytes('files.zip', zip);

    expect(Object.keys(parts)).toEqual(['a.txt', 'A (2).txt', 'a (3).txt']);
  });

  test.each([
    ['an absolute path', '/etc/passwd', 'etc/passwd'],
    ['a drive letter', 'C:\\Users\\me\\a.txt', 'Users/me/a.txt'],
    ['a UNC path', '\\\\server\\share\\a.txt', 'server/share/a.txt'],
    ['characters that are not allowed', 'a<b>:"|?*\u0001.txt', 'a_b_______.txt'],
  ])('turns %s into a name below itself', async (_, name, expected) => {
    const { parts } = await convertBytes('files.zip', rawZip([{ name, content: 'x' }]));

    expect(Object.keys(parts)).toEqual([expected]);
  });

  test.each(['../../etc/passwd', '..\\..\\win.ini', 'a/../../b'])(
    'with an entry named %s is rejected',
    async (name) => {
      const code = await codeOf(convertBytes('files.zip', rawZip([{ name, content: 'x' }])));

      expect(code).toBe('normalize.zip_traversal');
    },
  );

  test('reads names in the code page of old tools', async () => {
    const zip = rawZip([{ name: Buffer.from('caf\x82.txt', 'latin1'), content: 'x', flags: 0 }]);

    const { parts } = await convertBytes('files.zip', zip);

    expect(Object.keys(parts)).toEqual(['café.txt']);
  });

  test('with one damaged file keeps the others and names the lost one', async () => {
    const zip = rawZip([
      { name: 'good.txt', content: 'alpha' },
      { name: 'bad.txt', content: 'beta', crc: 1 },
    ]);

    const { conversion, parts } = await convertBytes('files.zip', zip);

    expect(Object.keys(parts)).toEqual(['good.txt']);
    expect(conversion.fidelity.warnings).toEqual([
      {
        code: 'normalize.entries_left_out',
        message: '1 file in the archive is damaged: “bad.txt”.',
      },
    ]);
  });

  test('leaves out symbolic links and unknown packing methods, with a warning', async () => {
    const zip = rawZip([
      { name: 'good.txt', content: 'alpha' },
      { name: 'link', content: '/etc/passwd', externalAttributes: 0xa1ff0000 },
      { name: 'lzma.txt', packed: Buffer.from('xxxx'), content: 'yyyy', method: 14 },
    ]);

    const { parts, warnings } = await convertBytes('files.zip', zip);

    expect(Object.keys(parts)).toEqual(['good.txt']);
    expect(warnings).toEqual(['normalize.entries_left_out']);
  });

  test('is read even if other bytes follow it', async () => {
    const zip = Buffer.concat([rawZip([{ name: 'a.txt', content: 'alpha' }]), Buffer.alloc(100)]);

    const { parts } = await convertBytes('files.zip', zip);

    expect(Object.keys(parts)).toEqual(['a.txt']);
  });

  test('within an archive is opened, and one within that is not', async () => {
    const zip = rawZip([{ name: 'a.txt', content: 'alpha' }]);

    const once = await convertBytes('inner.zip', zip, { depth: 1 });
    const twice = codeOf(convertBytes('inner.zip', zip, { depth: 2 }));

    expect(once.conversion.outcome).toBe('container');
    expect(await twice).toBe('normalize.nested_too_deep');
  });

  test.each<[string, string, Buffer]>([
    ['a flat bomb', 'normalize.zip_bomb', rawZip([{ name: 'a', content: zeros }])],
    [
      'a bomb of many entries',
      'normalize.zip_bomb',
      rawZip(
        Array.from({ length: 10 }, (_, index) => ({
          name: `${index}`,
          content: zeros.subarray(0, 15 * 1024 * 1024),
        })),
      ),
    ],
    [
      'a bomb whose entries overlap',
      'normalize.zip_bomb',
      rawZip([
        { name: 'a', content: zeros.subarray(0, 1_000) },
        { name: 'b', content: zeros.subarray(0, 1_000), sharesWith: 0 },
      ]),
    ],
    [
      'a bomb that lies about its size',
      'normalize.zip_bomb',
      rawZip([{ name: 'a', content: zeros, uncompressedSize: 1_000 }]),
    ],
    [
      'more entries than allowed',
      'normalize.too_many_entries',
      rawZip(Array.from({ length: 10_001 }, (_, index) => ({ name: `${index}` }))),
    ],
    ['an encrypted file', 'normalize.encrypted', rawZip([{ name: 'a', content: 'x', flags: 1 }])],
    ['no files', 'normalize.empty', rawZip([{ name: 'folder/' }])],
    ['nothing', 'normalize.empty', rawZip([])],
    [
      'half of its bytes',
      'normalize.corrupt',
      rawZip([{ name: 'a.txt', content: 'alpha' }]).subarray(0, 40),
    ],
    [
      'only damaged files',
      'normalize.corrupt',
      rawZip([{ name: 'a.txt', content: 'alpha', packed: Buffer.from([0xff, 0xff, 0xff]) }]),
    ],
  ])('with %s ends as %s', async (_, expected, zip) => {
    expect(await codeOf(convertBytes('files.zip', zip))).toBe(expected);
  });

  test('that unpacks to more than the limit is rejected', async () => {
    const zip = rawZip([
      { name: 'a', content: 'x'.repeat(600), method: 0 },
      { name: 'b', content: 'y'.repeat(600), method: 0 },
    ]);

    const code = await codeOf(
      convertBytes('files.zip', zip, { limits: { maxUnzippedBytes: 1_000 } }),
    );

    expect(code).toBe('normalize.too_large');
  });
});
