import type { HostileCase } from './case.ts';

const MiB = 1024 * 1024;

function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le');
}

/** Tables and plain text. */
export function textCases(): HostileCase[] {
  return [...tables(), ...plain(), ...names()];
}

function tables(): HostileCase[] {
  return [
    {
      title: 'a CSV of formulas, which stay text',
      name: 'a.csv',
      bytes: () => Buffer.from('name,value\n=cmd|"/c calc"!A0,@SUM(1)\n+1,-1\n'),
    },
    {
      title: 'a CSV of a million columns',
      name: 'a.csv',
      bytes: () => Buffer.from(`${'a,'.repeat(1_000_000)}\n${'1,'.repeat(1_000_000)}\n`),
    },
    {
      title: 'a CSV of one line of 300 MB',
      name: 'a.csv',
      bytes: () => Buffer.alloc(300 * MiB, 'x,'),
      code: 'normalize.line_too_long',
    },
    {
      title: 'a CSV of only quotes',
      name: 'a.csv',
      bytes: () => Buffer.alloc(2 * MiB + 1, '"'),
    },
    {
      title: 'a CSV of quotes in the wrong places',
      name: 'a.csv',
      bytes: () => Buffer.alloc(2 * MiB, '"a"b,'),
    },
    {
      title: 'a CSV whose every line opens a quote',
      name: 'a.csv',
      bytes: () => Buffer.from('"a,b\n'.repeat(200_000)),
      warnings: ['normalize.stray_quotes'],
    },
    {
      title: 'a CSV with NULs in it',
      name: 'a.csv',
      bytes: () => Buffer.from('a,b\n1\0,2\n'.repeat(1_000)),
      warnings: ['normalize.control_characters'],
    },
    {
      title: 'a CSV of blank lines',
      name: 'a.csv',
      bytes: () => Buffer.alloc(MiB, '\r\n'),
      code: 'normalize.empty',
    },
  ];
}

function plain(): HostileCase[] {
  return [
    {
      title: 'a text of one line of 300 MB',
      name: 'a.txt',
      bytes: () => Buffer.alloc(300 * MiB, 'x '),
    },
    {
      title: 'a text of NULs',
      name: 'a.txt',
      bytes: () => Buffer.alloc(100_000),
      code: 'normalize.binary',
    },
    {
      title: 'a text of escape sequences without an end',
      name: 'a.log',
      bytes: () => Buffer.from(`words ${'\x1b['.repeat(50_000)}${'1;'.repeat(50_000)}`),
      code: 'normalize.binary',
    },
    {
      title: 'lone surrogates in UTF-16',
      name: 'a.txt',
      bytes: () => Buffer.concat([utf16('\ufeffabc '), Buffer.from([0, 0xd8, 0x20, 0, 0, 0xdc])]),
      warnings: ['normalize.undecodable'],
    },
    {
      title: 'half a character at the end of UTF-32',
      name: 'a.txt',
      bytes: () => Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0, 0x62, 0]),
      warnings: ['normalize.undecodable'],
    },
    {
      title: 'a text in Shift-JIS',
      name: 'a.txt',
      bytes: () => Buffer.from('8cc696f18f9182cc8ff08d8082c982c282a282c4', 'hex'),
      warnings: ['normalize.encoding_guessed'],
    },
    {
      title: 'encodings mixed in one text',
      name: 'a.txt',
      bytes: () =>
        Buffer.concat([
          Buffer.from('größer 東京 '.repeat(20)),
          Buffer.from('gr\xf6\xdfer', 'latin1'),
        ]),
      warnings: ['normalize.mixed_encodings'],
    },
    {
      title: 'noise called .txt',
      name: 'a.txt',
      bytes: () =>
        Buffer.from(Array.from({ length: 9_000 }, (_, at) => (at * 7919 + (at >> 3)) % 256)),
      code: 'normalize.binary',
    },
    {
      title: 'a program called .txt',
      name: 'a.txt',
      bytes: () => Buffer.concat([Buffer.from('MZ\x90\0\x03', 'latin1'), Buffer.alloc(400)]),
      code: 'normalize.unsupported',
    },
  ];
}

/** Names that the key of an object can end in. */
function names(): HostileCase[] {
  const nasty = [
    '../../etc/passwd',
    'a\0b.txt',
    'CON',
    `${'n'.repeat(500)}.txt`,
    '.',
    '..',
    '',
    '\u202efdp.txt',
    'naïve 😀.txt',
    'a;rm -rf ~.txt',
    '$(touch x).txt',
    "'; DROP TABLE documents;--.txt",
  ];
  return nasty.map((name) => ({
    title: `a file named ${JSON.stringify(name).slice(0, 40)}`,
    name,
    bytes: () => Buffer.from('just words\n'),
  }));
}
